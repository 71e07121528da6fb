"""A small stream of predictions of each of three tasks, with a harm in its second half and without, and its records."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

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
REFERENCE_DAYS, LIVE_DAYS, ROWS_A_DAY = 30, 9, 40

#: From this live day on, a harmed stream's answers are worse and one of its inputs is shifted.
HARMED = 3

TASKS = ("binary", "classes", "number")


@dataclass(frozen=True, kw_only=True)
class Stream:
    """The rows of a reference and of the days after it, and what their owner says of them."""

    reference: pa.Table
    live: pa.Table
    said: Mapping[str, Any]


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
    seconds = rng.permuted(np.tile(np.arange(ROWS_A_DAY) * 2_111, (count // ROWS_A_DAY, 1)), axis=1).ravel()
    seconds = np.zeros(count, dtype=np.int64) if dates else seconds
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


def as_parquet(rows: pa.Table, folder: Path) -> Path:
    """Rows in one row group of one file."""
    pq.write_table(rows, folder / "rows.parquet")
    return folder


@dataclass(frozen=True, kw_only=True)
class Form:
    """One way in which rows are kept.

    Attributes:
        cells: changes columns.
        write: writes rows into a folder, and gives what is named as the table, or the URL of a database.
        said: what their owner says besides.
        ids: how a row is called in this form that is called r000001 in plain rows.
        words: what is written otherwise in the records of this form, by how it is in those of plain rows.
        other: why its records are others; empty where they are the same.
        refused: the tasks whose reference is refused in this form, in one line.
        dates: all rows of a day have one event time.
        is_live: only rows to be judged have this form; the reference is plain.
        later: by how much all times are later than those of plain rows.
    """

    cells: Callable[[pa.Table], pa.Table] = field(default=lambda rows: rows)
    write: Callable[[pa.Table, Path], Path | str] = as_parquet
    said: Mapping[str, Any] = field(default_factory=dict)
    ids: Callable[[str], str | int] = str
    words: Mapping[str, str] = field(default_factory=dict)
    other: str = ""
    refused: tuple[str, ...] = ()
    dates: bool = False
    is_live: bool = False
    later: timedelta = timedelta(0)

    def changed(self, rows: pa.Table) -> pa.Table:
        """The rows with this form's cells and ids."""
        if self.ids is not str:
            at = rows.column_names.index("id")
            rows = rows.set_column(at, "id", pa.array([self.ids(word) for word in rows["id"].to_pylist()]))
        return self.cells(rows)


PLAIN = Form()


def records(rows: Stream, form: Form, folder: Path) -> Records:
    """What the store says of a stream in a form, judged in one run.

    Raises:
        MonitorError: The form is refused.
    """
    of_reference = PLAIN if form.is_live else form
    (folder / "reference").mkdir(parents=True)
    (folder / "live").mkdir()
    reference = of_reference.write(of_reference.changed(rows.reference), folder / "reference")
    description = described(**{**rows.said, **of_reference.said})
    first = START + form.later + timedelta(days=REFERENCE_DAYS)
    adopted = init_monitor(reference, description, out=folder / "monitor", clock=lambda: first)
    config = load_config(adopted.config)
    place = form.write(form.changed(rows.live), folder / "live")
    seen = config.model_copy(update={"traffic": config.traffic.with_path(place)})
    if isinstance(place, str):
        seen = config.model_copy(update={"traffic": config.traffic.model_copy(update={"path": place, "query": QUERY})})
    with Store.open(seen.store.url) as store:
        now = first + timedelta(days=LIVE_DAYS, hours=12)
        number = run_due_windows(seen, store, clock=lambda: now).deployment
        found = status(store, seen.name, number)
    return Records(windows=found.windows, incidents=found.incidents)


#: How rows of a database are asked for.
QUERY = "SELECT * FROM live WHERE ts >= :start AND ts < :end ORDER BY ts"


def differences(plain: Records, form: Form, found: Records) -> list[str]:
    """What the records of a form and of plain rows do not have in common, but for remarks on how files were read."""
    counts = [(len(one.windows), len(one.incidents)) for one in (plain, found)]
    lines = [] if counts[0] == counts[1] else [f"{counts[0]} windows and incidents / {counts[1]}"]
    for one, other in zip((*plain.windows, *plain.incidents), (*found.windows, *found.incidents), strict=False):
        for each in fields(cast("Any", one)):
            before, now = (_shown(getattr(record, each.name)) for record in (one, other))
            before = re.sub(r"\br\d{6}\b", lambda match: str(form.ids(match[0])), before)
            for word, written in form.words.items():
                before = before.replace(word, written)
            if before != now:
                lines.append(f"{each.name}: {before} / {now}")
    return lines


def said(plain: Records, found: Records) -> list[str]:
    """What is said of a form that is not said of plain rows: findings, and incidents with their input or watch."""
    lines = []
    for one in (plain, found):
        findings = [(finding.kind, finding.feature) for window in one.windows for finding in window.findings]
        opened = [(f"{incident.level}: {incident.watch}", incident.slice) for incident in one.incidents]
        lines.append({" ".join(parts).strip() for parts in [*findings, *opened] if parts[0] != REMARK})
    return sorted(lines[1] - lines[0])


def remarks(found: Records) -> list[str]:
    """What is said of how the rows of a form were read."""
    return sorted(
        {finding.message for window in found.windows for finding in window.findings if finding.kind == REMARK}
    )


#: The kind of a finding that says how files were read.
REMARK = "file format"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        value = tuple(each for each in value if getattr(each, "kind", "") != REMARK)
    return repr(value)
