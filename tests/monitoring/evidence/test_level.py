"""A level: many watches under one budget, window by window."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.level import LevelReading, LevelState, LevelTest
from monitoring.evidence.seasonality import Seasonality
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
def test_a_run_interrupted_anywhere_and_resumed_from_text_is_the_same_to_the_last_bit(
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
def test_every_row_is_counted_once_or_still_pooled(stream: list[dict[WatchKey, ScoreSum]]) -> None:
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


def test_a_thin_window_is_pooled_with_the_next() -> None:
    test = level(ERROR, min_rows=100)
    state, thin = test.step(LevelState(), {ERROR: mean_of(0.9, rows=60)})
    assert thin.watches[0].score is None
    assert thin.log_evidence == -math.inf
    state, full = test.step(state, {ERROR: mean_of(0.1, rows=40)})
    assert full.watches[0].rows == 100
    assert full.watches[0].score == np.float64(full.watches[0].score)
    assert math.isclose(full.watches[0].score or 0.0, 0.58, abs_tol=1e-6)


def test_a_watch_on_a_rare_part_is_evaluated_from_its_own_number_of_rows() -> None:
    test = replace(level(ERROR, SLICE, min_rows=200), pooled_rows={SLICE: 27})
    rows = {ERROR: mean_of(0.2, 2000), SLICE: mean_of(0.5, 9)}
    state, scored = LevelState(), []
    for _ in range(6):
        state, reading = test.step(state, rows)
        scored.append([one.score is not None for one in reading.watches])
    assert scored == [[True, False], [True, False], [True, True]] * 2


def test_a_restart_drops_the_evidence_and_keeps_pooled_rows() -> None:
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


def test_text_that_a_store_already_holds_is_read() -> None:
    watch = "0x1.0000000000000p+0 -inf -inf;-inf -inf -inf;2;0x1.0000000000000p-2"
    text = (
        '{"windows": 3, "watches": [["error", "", "' + watch + '"]], '
        '"pending": [["error", "origin=EWR", 7, 4294967296]], '
        '"ar1": [["error", "", "0x1.0000000000000p-1"]]}'
    )
    state = LevelState.from_text(text)
    assert state.windows == 3
    assert state.watches[ERROR].live_windows == 2
    assert state.pending == {SLICE: ScoreSum(7, SCORE_ONE)}
    assert state.ar1 == {ERROR: 0.5}
    assert state.to_text() == text


@given(windows)
def test_other_coefficients_for_some_watches_leave_the_others_alone(stream: list[dict[WatchKey, ScoreSum]]) -> None:
    test = level(ERROR, BRIER)
    changed = test.with_ar1({ERROR: 0.5})
    assert test.with_ar1({}) is test
    assert (changed.tests[ERROR].ar1, changed.tests[BRIER]) == (0.5, test.tests[BRIER])
    one = other = LevelState()
    for window in stream:
        one, plain = test.step(one, window)
        other, moved = changed.step(other, window)
        assert plain.watches[1] == moved.watches[1]


def test_seasonality_is_removed_from_a_score_before_it_is_compared() -> None:
    seasonal = replace(level(ERROR), seasonality={ERROR: Seasonality(period="week", offsets=(0.0, 0.1), gain=2.0)})
    _, monday = level(ERROR).step(LevelState(), {ERROR: mean_of(0.2)})
    _, tuesday = seasonal.step(LevelState(), {ERROR: mean_of(0.3)}, {"week": 1})
    assert tuesday.log_evidence == pytest.approx(monday.log_evidence, abs=1e-6)
    assert tuesday.watches[0].score == pytest.approx(0.3), "the record has the score as it was"
    assert seasonal.adjusted_score(ERROR, 0.3, {"week": 1}) == pytest.approx(0.2)
    assert seasonal.adjusted_score(ERROR, 0.3, {}) == seasonal.adjusted_score(BRIER, 0.3, {"week": 1}) == 0.3


def test_a_level_alarms_at_its_threshold_and_not_below() -> None:
    state, alarms = LevelState(), []
    test = level(ERROR, threshold=50)
    for _ in range(12):
        state, reading = test.step(state, {ERROR: mean_of(0.27)})
        assert reading.alarm == (reading.evidence >= 50.0)
        alarms.append(reading.alarm)
    assert alarms == sorted(alarms), "once over the threshold, a lasting harm stays over it"
    assert any(alarms)
    assert not alarms[0]


def test_evidence_too_large_for_a_float_is_still_a_number() -> None:
    reading = LevelReading(level="page", log_evidence=5000.0, watches=(), shares=(), alarm=True)
    assert math.isfinite(reading.evidence)


def stepped(test: LevelTest, state: LevelState, scores: list[float]) -> LevelState:
    for score in scores:
        state, _ = test.step(state, {ERROR: mean_of(score), BRIER: mean_of(score)})
    return state


def test_an_offset_is_the_level_that_a_change_is_measured_from() -> None:
    test = level(ERROR)
    plain, harmed = stepped(test, LevelState(), [0.3] * 10), LevelState(offsets={ERROR: 0.1})
    assert plain.watches[ERROR].log_evidence > math.log(365.0)
    assert stepped(test, harmed, [0.3] * 10).watches[ERROR].log_evidence < math.log(30.0)
    assert stepped(test, harmed, [0.45] * 10).watches[ERROR].log_evidence > math.log(365.0)


def test_a_restart_of_some_watches_leaves_the_others_their_evidence_and_the_level_its_age() -> None:
    test = level(ERROR, BRIER)
    state = replace(stepped(test, LevelState(), [0.3] * 5), log_scale=0.5)
    again = test.restarted(state, offsets={ERROR: 0.1}, keys=[ERROR])
    assert again.watches[ERROR] == test.tests[ERROR].initial_state(last_score=state.watches[ERROR].last_score)
    assert again.watches[BRIER] == state.watches[BRIER]
    assert (again.windows, again.log_scale, again.offsets) == (5, 0.5, {ERROR: 0.1})


def test_a_restart_keeps_the_offsets_it_does_not_name_and_drops_those_set_to_zero() -> None:
    test = level(ERROR, BRIER)
    state = replace(stepped(test, LevelState(), [0.3] * 5), offsets={ERROR: 0.1, BRIER: 0.2})
    assert test.restarted(state, offsets={ERROR: 0.3}).offsets == {ERROR: 0.3, BRIER: 0.2}
    closed = test.restarted(state, offsets={ERROR: 0.0}, keys=[ERROR])
    assert closed.offsets == {BRIER: 0.2}
    assert test.restarted(state, keys=[SLICE]) == state, "a watch without state has nothing to restart"


def test_offsets_and_calibration_come_back_from_text_bit_for_bit() -> None:
    state = replace(
        stepped(level(ERROR, BRIER), LevelState(), [0.3] * 5), offsets={ERROR: 0.1, SLICE: -0.3}, log_scale=-0.7
    )
    assert LevelState.from_text(state.to_text()) == state


def test_the_calibration_is_added_to_the_evidence_of_the_level_and_to_no_watch() -> None:
    test = level(ERROR)
    _, plain = test.step(LevelState(), {ERROR: mean_of(0.3)})
    _, scaled = test.step(LevelState(log_scale=math.log(4.0)), {ERROR: mean_of(0.3)})
    assert scaled.evidence == pytest.approx(4.0 * plain.evidence)
    assert scaled.watches == plain.watches
    assert scaled.shares == plain.shares


def stepped_by(test: LevelTest, traffic: dict[WatchKey, ScoreSum], *, windows: int) -> LevelState:
    state = LevelState()
    for _ in range(windows):
        state, _ = test.step(state, traffic)
    return state


def two_detectors(*, threshold: int = 100) -> LevelTest:
    """A level that the Brier score and a slice page, and whose error is a loss that harder traffic raises."""
    plain = level(ERROR, BRIER, SLICE, threshold=threshold)
    return replace(plain, shares=weights([BRIER, SLICE]), loss_shares=weights([ERROR]))


def test_a_watch_that_harder_traffic_raises_alarms_among_losses_and_adds_nothing_to_pages() -> None:
    test = two_detectors(threshold=5)
    traffic = {ERROR: mean_of(0.4), BRIER: mean_of(0.2), SLICE: mean_of(0.2)}
    state, alone = (stepped_by(detector, traffic, windows=4) for detector in (test, test.paging()))
    state, harder = test.step(state, traffic)
    _, calm = test.paging().step(alone, traffic)
    assert (harder.alarm, harder.loss_alarm, calm.alarm) == (False, True, False)
    assert harder.shares == ((ERROR, 1.0),), "the watches of the detector that alarms"
    assert [reading for reading in harder.watches if reading.key != ERROR] == list(calm.watches)
    _, worse = test.step(state, {key: mean_of(0.6) for key in test.tests})
    assert (worse.alarm, worse.loss_alarm) == (True, True)
    assert {key for key, _ in worse.shares} == {BRIER, SLICE}


@given(windows)
def test_the_evidence_of_each_detector_is_that_of_its_own_watches(stream: list[dict[WatchKey, ScoreSum]]) -> None:
    test = two_detectors()
    state = of_pages = of_losses = LevelState()
    for window in stream:
        of_pages, page = test.paging().step(of_pages, window)
        of_losses, loss = test.losses().step(of_losses, window)
        state, reading = test.step(state, window)
        assert (reading.log_evidence, reading.loss_log_evidence) == (page.log_evidence, loss.log_evidence)
        assert (reading.alarm, reading.loss_alarm) == (page.alarm, loss.alarm)


def test_a_muted_watch_has_evidence_that_does_not_count() -> None:
    test, traffic = level(ERROR, BRIER, threshold=5), {ERROR: mean_of(0.6), BRIER: mean_of(0.2)}
    state = stepped_by(test, traffic, windows=4)
    _, loud = test.step(state, traffic)
    _, quiet = test.step(state, traffic, muted=frozenset({ERROR}))
    assert (loud.alarm, quiet.alarm) == (True, False)
    assert loud.watches == quiet.watches


def test_a_level_without_losses_that_harder_traffic_raises_suspects_nothing() -> None:
    _, reading = level(ERROR).step(LevelState(), {ERROR: mean_of(0.9)})
    assert (reading.loss_log_evidence, reading.loss_alarm) == (-math.inf, False)
    assert not level(ERROR).losses().tests
    assert level(ERROR).paging() == level(ERROR)
