"""Whole runs over random deployments: none crashes, and every label counts that its horizon grants, exactly once.

A deployment is drawn by its seed: task, window length, rows a window, length of the reference, pooling, slices, label
delays, gaps, whether labels come with the rows or apart, and whether it is judged at once or as it comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from monitoring.config import load_config
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import TableDescription, described
from monitoring.records import FACT_WATCH, IncidentRecord, WindowRecord
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store

MINUTE = 60_000_000
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
LENGTHS = {"1h": 60, "6h": 360, "1d": 1_440, "7d": 10_080}

#: Pages that a deployment may have: one in so many windows.
WINDOWS_A_PAGE = 90


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A random deployment; times in minutes."""

    every: str
    rows: int
    reference: int
    live: int
    min_rows: int
    horizon: int
    delays: str
    classes: int
    slices: bool
    apart: bool
    gap: bool
    steps: int
    lags: bool
    """Whether label tables are delivered a step late, where that is half a horizon at most."""

    @classmethod
    def of(cls, rng: np.random.Generator) -> Drawn:
        every = str(rng.choice(list(LENGTHS)))
        rows = int(rng.choice([3, 12, 60, 150]))
        steps = int(rng.choice([1, 5, 20]))
        apart = bool(rng.integers(2))
        return cls(
            every=every,
            rows=rows,
            reference=int(rng.integers(22, 45)) * max(1, 30 // rows),
            live=int(rng.integers(12, 30)),
            min_rows=int(rng.choice([1, rows, 4 * rows])),
            horizon=int(rng.choice([1, 2, 7])) * max(LENGTHS[every], 1_440),
            delays=str(rng.choice(["none", "constant", "spread", "beyond"])),
            classes=int(rng.choice([0, 2, 3])),
            slices=bool(rng.integers(2)),
            apart=apart,
            gap=bool(rng.integers(2)),
            steps=steps,
            lags=apart and bool(rng.integers(2)),
        )

    @property
    def length(self) -> int:
        return LENGTHS[self.every]

    def delays_of(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Label delays in minutes: of a gamma law, a tenth of which lies beyond the horizon where the law says so."""
        if self.delays == "none":
            return np.zeros(count, dtype=np.int64)
        if self.delays == "constant":
            return np.full(count, int(0.9 * self.horizon), dtype=np.int64)
        law = rng.gamma(2.0, 0.25, count)
        share = law if self.delays == "beyond" else np.minimum(law, 1.0)
        found: NDArray[np.int64] = (share * self.horizon).astype(np.int64)
        return found

    def table(self, rng: np.random.Generator, start: datetime, windows: int, first_id: int, *, gap: bool) -> pa.Table:
        """Calibrated answers, one label each, evenly over windows; with a gap, a fifth of the windows has no row."""
        count = windows * self.rows
        minutes = np.sort(rng.integers(0, windows * self.length, count))
        if gap:
            minutes = minutes[(minutes < 0.4 * windows * self.length) | (minutes >= 0.6 * windows * self.length)]
        count = minutes.size
        times = np.datetime64(start.replace(tzinfo=None), "us") + minutes * MINUTE
        known = times + self.delays_of(rng, count) * MINUTE
        x, site = rng.normal(size=count), rng.choice(["north", "south"], count)
        if self.classes == 0:
            answer = 10.0 + x
            columns = {"predicted": pa.array(answer), "y": pa.array(answer + rng.normal(size=count))}
        else:
            logits = np.stack([np.zeros(count), *(x * sign for sign in (1.0, -1.0)[: self.classes - 1])], axis=1)
            scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            drawn = (rng.random((count, 1)) > np.cumsum(scores, axis=1)).sum(axis=1).clip(0, self.classes - 1)
            columns = {f"c{number}": pa.array(scores[:, number]) for number in range(self.classes)}
            columns["y"] = pa.array([f"c{number}" for number in drawn.tolist()])
        moment = pa.timestamp("us", "UTC")
        return pa.table(
            {
                "id": pa.array([str(first_id + number) for number in range(count)]),
                "ts": pa.array(times, moment),
                "x": pa.array(x),
                "site": pa.array(site),
                **columns,
                "known": pa.array(known, moment),
            }
        )

    def description(self) -> TableDescription:
        return described(
            event_time="ts",
            scores=tuple(f"c{number}" for number in range(self.classes)),
            predicted="predicted" if self.classes == 0 else None,
            label="y",
            label_time="known",
            prediction_id="id",
            slices=("site",) if self.slices else (),
            every=self.every,
            settings={
                "windows": {"min_rows": self.min_rows, "label_horizon": f"{self.horizon}m", "lateness": "1m"},
                "budget": {"page": f"1 per {WINDOWS_A_PAGE} windows"},
            },
        )


def judged(
    drawn: Drawn, rng: np.random.Generator, folder: Path
) -> tuple[tuple[WindowRecord, ...], pa.Table, list[IncidentRecord]]:
    """The windows of a deployment judged to its end, its live table, and its pages."""
    start = FIRST + timedelta(minutes=drawn.reference * drawn.length)
    pq.write_table(drawn.table(rng, FIRST, drawn.reference, 0, gap=False), folder / "reference.parquet")
    live = drawn.table(rng, start, drawn.live, 10**6, gap=drawn.gap)
    made = init_monitor(
        folder / "reference.parquet", drawn.description(), out=folder / "monitor", clock=lambda: start, force=True
    )
    config = load_config(made.config)
    traffic = {"path": folder / "live.parquet", **({"labels": folder / "labels.parquet"} if drawn.apart else {})}
    config = config.model_copy(update={"traffic": config.traffic.model_copy(update=traffic)})
    span = (drawn.live + 2) * drawn.length + drawn.horizon
    lag = int(drawn.lags and drawn.delays != "none" and 2 * span <= drawn.steps * drawn.horizon)
    ends = [start + timedelta(minutes=span * (step + 1) // drawn.steps) for step in range(drawn.steps)]
    number = 0
    with Store.open(config.store.url) as store:
        for step, now in enumerate(ends):
            deliver(drawn, live, folder, now, ends[max(step - lag, 0)] if step < drawn.steps - 1 else now)
            number = run_due_windows(
                config, store, clock=partial(datetime.fromtimestamp, (now + timedelta(minutes=2)).timestamp(), UTC)
            ).deployment
        pages = [one for one in store.incidents.read(number) if one.level == "page"]
        return store.windows.read(number), live, pages


def deliver(drawn: Drawn, live: pa.Table, folder: Path, now: datetime, labels_until: datetime) -> None:
    """Write the rows and the labels that there are by now."""
    rows = live.filter(pc.less(live["ts"], pa.scalar(now, live["ts"].type)))
    is_known = pc.less(rows["known"], pa.scalar(labels_until, live["ts"].type))
    if drawn.apart:
        pq.write_table(rows.filter(is_known).select(["id", "y", "known"]), folder / "labels.parquet")
        pq.write_table(rows.drop_columns(["y", "known"]), folder / "live.parquet")
        return
    for name in ("y", "known"):
        nulls = pa.nulls(rows.num_rows, rows[name].type)
        rows = rows.set_column(rows.column_names.index(name), name, pc.if_else(is_known, rows[name], nulls))
    pq.write_table(rows, folder / "live.parquet")


def check(drawn: Drawn, windows: tuple[WindowRecord, ...], live: pa.Table) -> None:
    delays = np.asarray(pc.subtract(live["known"].cast(pa.int64()), live["ts"].cast(pa.int64())))
    in_time = delays <= drawn.horizon * MINUTE
    assert sum(one.rows for one in windows) == live.num_rows
    assert sum(one.labels for one in windows) == int(in_time.sum())
    assert sum(sum(one.label_delays) for one in windows) == int(in_time.sum())
    assert (sum(one.labels_unknown for one in windows), sum(one.labels_conflicting for one in windows)) == (0, 0)
    starts = [one.start for one in windows]
    assert starts == sorted(set(starts))
    assert all(np.isfinite([s.log_evidence for one in windows for s in one.scores if s.log_evidence > -np.inf]))


@pytest.mark.parametrize("seed", range(3))
def test_every_label_counts_once_and_no_deployment_crashes(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = Drawn.of(rng)
    windows, live, _ = judged(drawn, rng, tmp_path)
    check(drawn, windows, live)


@pytest.mark.slow
def test_many_deployments_lose_no_label_and_keep_their_promise_together(tmp_path: Path) -> None:
    pages = expected = 0.0
    for seed in range(100, 220):
        rng = np.random.default_rng(seed)
        drawn = Drawn.of(rng)
        folder = tmp_path / str(seed)
        folder.mkdir()
        windows, live, paged = judged(drawn, rng, folder)
        check(drawn, windows, live)
        pages += sum(one.watch != FACT_WATCH for one in paged)
        expected += len(windows) / WINDOWS_A_PAGE
    assert pages <= expected + 3.0 * expected**0.5
