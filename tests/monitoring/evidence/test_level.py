from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.block_bootstrap import block_indices
from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.evidence.sensitivity import HORIZONS, Harm, smallest_detectable_harms
from monitoring.evidence.simulation import VectorizedTests
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey

ERROR, BRIER, SLICE = WatchKey(watch="error"), WatchKey(watch="brier"), WatchKey(watch="error", slice="origin=EWR")


def level(*keys: WatchKey, min_rows: int = 10, threshold: int = 365) -> LevelTest:
    rng = np.random.default_rng(0)
    baseline = rng.normal(0.2, 0.03, 90)
    return LevelTest(
        level="page",
        budget=Budget(alarms=1, windows=threshold),
        tests={key: ConformalTest.fit(baseline, tolerance=0.01) for key in keys},
        shares=weights(keys),
        min_rows=min_rows,
    )


def mean_of(score: float, rows: int = 100) -> ScoreSum:
    return ScoreSum(rows, round(score * rows * SCORE_ONE))


sums = st.builds(ScoreSum, st.integers(0, 50), st.just(0)).flatmap(
    lambda s: st.builds(ScoreSum, st.just(s.rows), st.integers(0, s.rows * SCORE_ONE))
)
windows = st.lists(st.fixed_dictionaries({ERROR: sums, BRIER: sums, SLICE: sums}), min_size=1, max_size=15)


@given(windows, st.integers(0, 15))
def test_a_run_cut_anywhere_and_resumed_from_text_is_the_same_to_the_last_bit(
    stream: list[dict[WatchKey, ScoreSum]], cut: int
) -> None:
    test = level(ERROR, BRIER, SLICE)
    whole = resumed = LevelState()
    for place, window in enumerate(stream):
        whole, reading = test.step(whole, window)
        if place == cut:
            resumed = LevelState.from_text(resumed.to_text())
        resumed, again = test.step(resumed, window)
        assert again == reading
    assert resumed == whole


@given(windows)
def test_every_row_is_counted_once_or_still_waits(stream: list[dict[WatchKey, ScoreSum]]) -> None:
    test = level(ERROR, BRIER, SLICE)
    state = LevelState()
    counted = 0
    for window in stream:
        state, reading = test.step(state, window)
        counted += sum(w.rows for w in reading.watches if w.key == ERROR and w.score is not None)
    waiting = state.pending.get(ERROR, ScoreSum()).rows
    assert counted + waiting == sum(window[ERROR].rows for window in stream)


@given(windows, st.permutations([ERROR, BRIER, SLICE]))
def test_the_order_of_the_watches_changes_nothing(
    stream: list[dict[WatchKey, ScoreSum]], order: list[WatchKey]
) -> None:
    one, other = level(ERROR, BRIER, SLICE), level(*order)
    first = second = LevelState()
    for window in stream:
        first, a = one.step(first, window)
        second, b = other.step(second, window)
        assert a.log_evidence == b.log_evidence
        assert a.alarm == b.alarm


def test_a_lasting_harm_alarms_and_names_its_watch() -> None:
    test = level(ERROR, BRIER)
    state, readings = LevelState(), []
    for _ in range(30):
        state, reading = test.step(state, {ERROR: mean_of(0.35), BRIER: mean_of(0.2)})
        readings.append(reading)
    first = next(place for place, reading in enumerate(readings) if reading.alarm)
    assert first <= 3
    assert readings[first].shares[0][0] == ERROR


def test_a_thin_window_waits_for_its_successor() -> None:
    test = level(ERROR, min_rows=100)
    state, thin = test.step(LevelState(), {ERROR: mean_of(0.9, rows=60)})
    assert thin.watches[0].score is None
    assert thin.log_evidence == -math.inf
    state, full = test.step(state, {ERROR: mean_of(0.1, rows=40)})
    assert full.watches[0].rows == 100
    assert full.watches[0].score == np.float64(full.watches[0].score)
    assert math.isclose(full.watches[0].score or 0.0, 0.58, abs_tol=1e-6)


def test_a_restart_forgets_the_evidence_and_keeps_the_rows_that_wait() -> None:
    test = level(ERROR, BRIER)
    state, _ = test.step(LevelState(), {ERROR: mean_of(0.5), BRIER: ScoreSum(3, 0)})
    fresh = test.restarted(state)
    assert fresh.watches[ERROR].log_evidence == -math.inf
    assert fresh.watches[ERROR].live_windows == 0
    assert fresh.watches[ERROR].last_score == state.watches[ERROR].last_score
    assert fresh.windows == 0
    assert fresh.pending == {BRIER: ScoreSum(3, 0)}


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 8))
def test_adding_watches_that_see_nothing_delays_but_never_raises_the_evidence(extra: int) -> None:
    quiet = [WatchKey(watch=f"quiet{i}") for i in range(extra)]
    alone, crowd = level(ERROR), level(ERROR, *quiet)
    one = other = LevelState()
    for _ in range(6):
        one, a = alone.step(one, {ERROR: mean_of(0.4)})
        other, b = crowd.step(other, {ERROR: mean_of(0.4), **{key: mean_of(0.15) for key in quiet}})
        assert b.log_evidence < a.log_evidence
        assert b.log_evidence >= a.log_evidence - math.log(extra + 1) - 1e-9


def windows_with_memory(rng: np.random.Generator, count: int, part: float) -> NDArray[np.float64]:
    """Scores about .2 with a spread of .03, each remembering a part of the one before."""
    noise = rng.normal(0.0, 0.03, count)
    for window in range(1, count):
        noise[window] = part * noise[window - 1] + math.sqrt(1.0 - part**2) * noise[window]
    return noise + 0.2


@pytest.mark.parametrize("part", [0.0, 0.5])
def test_a_harm_of_the_size_printed_is_noticed_that_soon(part: float) -> None:
    rng = np.random.default_rng(5)
    baseline = {ERROR: windows_with_memory(rng, 90, part)}
    remembered = level_ar1(baseline)[ERROR]
    assert (remembered > 0.3) == (part > 0.0)
    test = LevelTest(
        level="page",
        budget=Budget(alarms=1, windows=365),
        tests={ERROR: ConformalTest.fit(baseline[ERROR], tolerance=0.01, ar1=remembered)},
        shares={ERROR: 1.0},
        min_rows=1,
    )
    harm = Harm(metric="error", slice="", score_shifts={ERROR: 1.0}, largest=0.8)
    found = smallest_detectable_harms(test, baseline, [harm], np.random.default_rng(0))
    rises = [entry.rise for entry in found]
    assert [entry.windows for entry in found] == list(HORIZONS)
    assert all(rise is not None for rise in rises)
    assert rises == sorted(rises, reverse=True)  # type: ignore[type-var]  # none is None, as asserted above
    # Planted in fresh streams of the same law, each is caught in time in about nine of ten.
    for entry in found:
        streams = np.stack(
            [windows_with_memory(np.random.default_rng(1000 + seed), entry.windows, part) for seed in range(200)]
        )
        runs = VectorizedTests([test.tests[ERROR]], len(streams))
        paths = [runs.step(streams[:, [window]] + (entry.rise or 0.0)) for window in range(entry.windows)]
        caught = (np.stack(paths).max(axis=0) >= 365.0).mean()
        assert caught >= 0.8


@given(st.integers(1, 60), st.integers(1, 60))
def test_block_bootstrap_indices_are_runs_of_consecutive_windows(count: int, length: int) -> None:
    places = block_indices(count, 5, np.random.default_rng(0), length=min(length, count))
    assert places.shape == (5, count)
    assert places.min() >= 0
    assert places.max() < count
    inside = np.arange(1, count) % min(length, count) != 0
    steps = np.diff(places, axis=1)[:, inside]
    assert np.isin(steps, [1, 1 - count]).all()
