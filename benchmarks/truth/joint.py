"""False alarms of the joint watch without change, and its delay when a correlation changes its sign.

A stream has d normal inputs, two of them correlated. With the harm the correlation changes its sign, and the marginal
distributions stay the same. The watch alone has the whole budget of its level.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from benchmarks.results import Cell, Result, Settings, Table
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.evidence.autocorrelation import ar1_update_due, level_ar1
from monitoring.evidence.conformal import ConformalTest, WatchState
from monitoring.watches.feature_space import FeatureSpace
from monitoring.watches.joint import RecentWindows, Witness

RUNS = 40
THRESHOLD = 30
#: Maximum length of a stream.
LONGEST = 4 * THRESHOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Settings of one row of the table; `alone`: no other watch uses an input, as for the numbers of an embedding."""

    windows: int
    rows: int
    inputs: int
    correlation: float
    alone: bool = False


STREAMS = (
    Stream(windows=20, rows=100, inputs=2, correlation=0.6),
    Stream(windows=90, rows=100, inputs=2, correlation=0.6),
    Stream(windows=30, rows=200, inputs=8, correlation=0.6),
    Stream(windows=90, rows=200, inputs=8, correlation=0.3),
    Stream(windows=30, rows=200, inputs=30, correlation=0.6),
    Stream(windows=40, rows=50, inputs=16, correlation=0.6, alone=True),
    Stream(windows=90, rows=200, inputs=16, correlation=0.6, alone=True),
)


def measure(settings: Settings) -> Result:
    """Measure each stream. Cost: some minutes; a tenth of that with `quick`."""
    runs = RUNS // 10 if settings.quick else RUNS
    return Result(tables=(_table(runs),))


def _table(runs: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for stream in STREAMS:
        quiet, delays, spent, evaluated = [], [], 0.0, 0
        for seed in range(runs):
            rng = np.random.default_rng([seed, stream.windows, stream.inputs])
            witness, test = _fitted(rng, stream)
            begun = time.perf_counter()
            quiet.append(_alarm(witness, test, _windows(rng, stream, stream.correlation)))
            delays.append(_alarm(witness, test, _windows(rng, stream, -stream.correlation)))
            spent += time.perf_counter() - begun
            evaluated += quiet[-1] + delays[-1]
        early = float(np.mean(np.asarray(quiet) < THRESHOLD))
        size = (
            f"{stream.windows} windows, {stream.rows} rows, {stream.inputs} {'numbers' if stream.alone else 'inputs'}"
        )
        rows.append(
            (size, stream.correlation, float(np.mean(quiet)), early, float(np.median(delays)), 1e3 * spent / evaluated)
        )
    return Table(
        title="The joint watch alone: streams without change, and streams whose correlation changes its sign",
        columns=(
            "baseline",
            "correlation",
            "windows to a false alarm",
            "any in 30",
            "delay of the change",
            "ms a window",
        ),
        rows=tuple(rows),
        note=(
            f"{runs} baselines per row. Budget of one alarm in {THRESHOLD} windows; streams without an alarm count as "
            f"{LONGEST} windows. The time includes making the rows. "
            "Numbers: of an embedding, which no other watch uses."
        ),
    )


def _fitted(rng: np.random.Generator, stream: Stream) -> tuple[Witness, ConformalTest]:
    names = [f"x{index}" for index in range(stream.inputs)]
    spec = BaselineSpec(classes=("no", "yes"), features=tuple(FeatureSpec(name=name, kind="number") for name in names))
    windows = [_window(rng, stream, stream.correlation, start) for start in range(stream.windows)]
    reference = _concatenated(windows)
    bins = fit_bins(reference, spec)
    space = FeatureSpace.fit(
        bins,
        profile(reference, bins).features,
        InMemoryReference(reference),
        unwatched=tuple(names) if stream.alone else (),
    )
    if space is None:
        raise ValueError("a stream needs two inputs")
    witness = Witness.fit(space, windows)
    scores = np.array([score.mean for score in witness.baseline if score.rows])
    smallest = 0.5 / stream.rows
    return witness, ConformalTest.fit(scores, tolerance=0.0, ar1=level_ar1({0: scores})[0], min_std=smallest)


def _alarm(witness: Witness, test: ConformalTest, windows: Iterator[Predictions]) -> int:
    """Number of windows until the alarm, or the maximum."""
    state, recent = WatchState.initial(len(test.etas)), RecentWindows()
    evaluated: list[float] = []
    for number, window in enumerate(windows, 1):
        if ar1_update_due(number - 1):
            test = test.with_ar1(level_ar1({0: np.asarray(test.calibration_scores)}, {0: [np.array(evaluated)]})[0])
        total, recent = witness.step(recent, window)
        evaluated += [total.mean] if total.rows else []
        state = test.step(state, total.mean) if total.rows else state
        if state.log_evidence >= math.log(THRESHOLD):
            return number
    return LONGEST


def _windows(rng: np.random.Generator, stream: Stream, correlation: float) -> Iterator[Predictions]:
    return (_window(rng, stream, correlation, 1_000 + index) for index in range(LONGEST))


def _window(rng: np.random.Generator, stream: Stream, correlation: float, start: int) -> Predictions:
    values = rng.normal(size=(stream.inputs, stream.rows))
    values[1] = correlation * values[0] + math.sqrt(1 - correlation**2) * values[1]
    return Predictions(
        ids=pa.array([f"{start}:{row}" for row in range(stream.rows)]),
        event_times=start * 1_000_000_000 + np.arange(stream.rows) * 1_000,
        features=pa.table({f"x{index}": column for index, column in enumerate(values)}),
        probabilities=np.full((stream.rows, 2), 0.5),
        labels=np.full(stream.rows, -1),
        label_times=np.zeros(stream.rows, np.int64),
    )


def _concatenated(windows: list[Predictions]) -> Predictions:
    rows = sum(len(window) for window in windows)
    return Predictions(
        ids=pa.concat_arrays([window.ids for window in windows]),
        event_times=np.concatenate([window.event_times for window in windows]),
        features=pa.concat_tables([window.features for window in windows]),
        probabilities=np.full((rows, 2), 0.5),
        labels=np.full(rows, -1),
        label_times=np.zeros(rows, np.int64),
    )
