"""A small stream of predictions of each of three tasks, with a harm in its second half and without, and its records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.config import load_config
from monitoring.inspection.status import status
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import described
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store
from tests.monitoring.engines.engine_runs import Records

START = datetime(2024, 3, 4, tzinfo=UTC)
REFERENCE_DAYS, LIVE_DAYS, ROWS_A_DAY = 30, 12, 40

#: From this live day on, a harmed stream's answers are worse and one of its inputs is shifted.
HARMED = 6

TASKS = ("binary", "classes", "number")


@dataclass(frozen=True, kw_only=True)
class Stream:
    """The rows of a reference and of the days after it, and what their owner says of them."""

    reference: pa.Table
    live: pa.Table
    said: Mapping[str, Any]

    def as_form(self, change: Callable[[pa.Table], pa.Table]) -> Stream:
        """The same rows with other cells."""
        return replace(self, reference=change(self.reference), live=change(self.live))


def stream(task: str, *, harm: bool, dates: bool = False) -> Stream:
    """The rows of a task. `dates`: all rows of a day have one event time, its midnight."""
    columns = _columns(task, harm=harm, dates=dates)
    days = columns.pop("day")
    table = pa.table(columns)
    is_live = days >= REFERENCE_DAYS
    said: dict[str, Any] = {
        "event_time": "ts",
        "prediction_id": "id",
        "label": "y",
        "inputs": ("amount", "count", "code:category", "channel", "flag:category"),
        "min_rows": 20,
    }
    if task == "number":
        said |= {"predicted": "p", "task": "regression"}
    else:
        names = ("p",) if task == "binary" else ("p0", "p1", "p2")
        said |= {"scores": names, "classes": tuple(str(place) for place in range(max(2, len(names))))}
    return Stream(reference=table.filter(pa.array(~is_live)), live=table.filter(pa.array(is_live)), said=said)


def _columns(task: str, *, harm: bool, dates: bool) -> dict[str, Any]:
    """Whole seconds, numbers of two decimals, codes with gaps, words, yes or no: what any form can hold."""
    rng = np.random.default_rng(TASKS.index(task))
    days = np.repeat(np.arange(REFERENCE_DAYS + LIVE_DAYS), ROWS_A_DAY)
    count = days.size
    harmed = (days >= REFERENCE_DAYS + HARMED) & harm
    seconds = np.zeros(count, dtype=np.int64) if dates else rng.integers(0, 86_400, count)
    amount = rng.integers(100, 10_000, count) * np.where(harmed, 3, 1)
    signal = rng.random(count)
    answers, labels = _answers(task, signal, rng, harmed)
    missing = {name: rng.random(count) < 0.05 for name in ("amount", "count", "code")}
    return {
        "day": days,
        "id": pa.array([f"r{place:06d}" for place in rng.permutation(count)]),
        "ts": pa.array((int(START.timestamp()) + days * 86_400 + seconds) * 1_000_000, pa.timestamp("us", "UTC")),
        "amount": pa.array(amount / 100, mask=missing["amount"]),
        "count": pa.array(rng.poisson(3, count), pa.int64(), mask=missing["count"]),
        "code": pa.array(rng.integers(0, 5, count), pa.int64(), mask=missing["code"]).cast(pa.string()),
        "channel": pa.array(rng.choice(["web", "shop", "phone"], count, p=[0.6, 0.3, 0.1])),
        "flag": pa.array(rng.random(count) < 0.4),
        **answers,
        "y": labels,
    }


def _answers(
    task: str, signal: NDArray[np.float64], rng: np.random.Generator, harmed: NDArray[np.bool_]
) -> tuple[dict[str, pa.Array], pa.Array]:
    """Answers of three decimals, and labels, which have little to do with them where rows are harmed."""
    if task == "number":
        noise = rng.normal(0, np.where(harmed, 20, 4))
        return {"p": pa.array(np.round(10 + 90 * signal, 2))}, pa.array(np.round(10 + 90 * signal + noise, 2))
    told = np.where(harmed, rng.random(signal.size), signal)
    if task == "binary":
        return {"p": pa.array(np.round(signal, 3))}, pa.array((rng.random(signal.size) < told).astype(np.int64))
    parts = np.round(np.stack([signal, (1 - signal) / 2], axis=1), 2)
    whole = np.concatenate([parts, np.round(1 - parts.sum(axis=1, keepdims=True), 2)], axis=1)
    drawn = np.where(rng.random(signal.size) < told, 0, rng.integers(1, 3, signal.size))
    return {f"p{place}": pa.array(whole[:, place]) for place in range(3)}, pa.array(drawn)


@dataclass(frozen=True, kw_only=True)
class Form:
    """One way in which rows are kept.

    Attributes:
        cells: changes columns.
        write: writes rows into a folder, and gives what is named as the table.
        said: what their owner says besides.
    """

    cells: Callable[[pa.Table], pa.Table] = field(default=lambda rows: rows)
    write: Callable[[pa.Table, Path], Path] = field(default=lambda *given: as_parquet(*given))
    said: Mapping[str, Any] = field(default_factory=dict)


def as_parquet(rows: pa.Table, folder: Path) -> Path:
    """Rows in one row group of one file."""
    pq.write_table(rows, folder / "rows.parquet")
    return folder


def records(rows: Stream, form: Form, folder: Path, runs: Sequence[int] = (LIVE_DAYS,)) -> Records:
    """What the store says of a stream in a form.

    Args:
        runs: After how many live days there are runs, each with the rows until then.
    """
    cells = rows.as_form(form.cells)
    (folder / "reference").mkdir(parents=True)
    reference = form.write(cells.reference, folder / "reference")
    description = described(**{**rows.said, **form.said})
    first = START + timedelta(days=REFERENCE_DAYS)
    adopted = init_monitor(reference, description, out=folder / "monitor", clock=lambda: first)
    config = load_config(adopted.config)
    number, times = 0, np.asarray(rows.live["ts"].cast(pa.int64()))
    with Store.open(config.store.url) as store:
        for run, days in enumerate(runs):
            now = first + timedelta(days=days)
            below = folder / f"live-{run}"
            below.mkdir()
            there = times < int(now.timestamp()) * 1_000_000
            path = form.write(cells.live.filter(pa.array(there)), below)
            live = folder / "live"
            live.unlink(missing_ok=True)
            live.symlink_to(below, target_is_directory=True)
            place = live if path == below else live / path.name
            seen = config.model_copy(update={"traffic": config.traffic.with_path(place)})
            number = run_due_windows(seen, store, clock=lambda now=now: now + timedelta(hours=12)).deployment  # type: ignore[misc]
        found = status(store, config.name, number)
    return Records(windows=found.windows, incidents=found.incidents)
