"""Windows of fewer rows than the baseline's: compared as if the baseline's had been as few."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.budget import Budget
from monitoring.evidence.conformal import ConformalTest, WatchState
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.evidence.sampling_variance import NO_SAMPLING_VARIANCE, SamplingVariance
from monitoring.evidence.simulation import VectorizedTests
from monitoring.records import SCORE_ONE, Direction, ScoreSum, WatchKey

ERROR = WatchKey(watch="error")
scores = st.lists(st.floats(0.0, 1.0), min_size=5, max_size=40)
coefficients = st.sampled_from([0.0, 0.3, 0.9])
directions = st.sampled_from(["up", "both"])


def fitted(
    baseline: list[float], ar1: float, direction: Direction, variance: SamplingVariance = NO_SAMPLING_VARIANCE
) -> ConformalTest:
    return ConformalTest.fit(
        baseline, tolerance=0.01, direction=direction, ar1=ar1, min_std=0.02, sampling_variance=variance
    )


@given(scores, st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(100, 10**6)), min_size=1), coefficients, directions)
def test_a_window_of_as_many_rows_as_the_baselines_is_compared_as_without_to_the_last_bit(
    baseline: list[float], stream: list[tuple[float, int]], ar1: float, direction: Direction
) -> None:
    plain = fitted(baseline, ar1, direction)
    test = replace(plain, sampling_variance=SamplingVariance(row_variance=0.2, reference_rows=100.0))
    one = other = WatchState.initial(len(plain.etas))
    for score, rows in stream:
        one, other = plain.step(one, score), test.step(other, score, rows)
        assert one == other


@given(scores, st.floats(0.0, 1.0), st.lists(st.integers(1, 120), min_size=2, max_size=6), coefficients)
def test_the_fewer_rows_a_rise_has_the_less_evidence_it_is(
    baseline: list[float], rise: float, rows: list[int], ar1: float
) -> None:
    test = fitted(baseline, ar1, "up", SamplingVariance(row_variance=0.2, reference_rows=100.0))
    state = WatchState.initial(len(test.etas))
    score = test.mean + test.tolerance / test.first_innovation_scale + rise
    logs = [test.log_e_values(state, score, few) for few in sorted(rows)]
    for fewer, more in itertools.pairwise(logs):
        assert (fewer <= more + 1e-9).all()
    assert (logs[-1] <= test.log_e_values(state, score) + 1e-9).all()


@given(scores, st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.integers(1, 200), coefficients)
def test_more_harm_in_a_thin_window_is_never_less_evidence(
    baseline: list[float], one: float, other: float, rows: int, ar1: float
) -> None:
    test = fitted(baseline, ar1, "up", SamplingVariance(row_variance=0.2, reference_rows=100.0))
    state = WatchState.initial(len(test.etas))
    less, more = sorted((one, other))
    assert (test.log_e_values(state, more, rows) >= test.log_e_values(state, less, rows) - 1e-12).all()


@given(scores, st.lists(st.integers(1, 400), min_size=1, max_size=12), st.integers(0, 12), coefficients)
def test_a_run_over_thin_windows_resumed_from_text_is_the_same_to_the_last_bit(
    baseline: list[float], rows: list[int], cut: int, ar1: float
) -> None:
    level = LevelTest(
        level="page",
        budget=Budget(alarms=1, windows=365),
        tests={ERROR: fitted(baseline, ar1, "up", SamplingVariance(row_variance=0.2, reference_rows=100.0))},
        shares={ERROR: 1.0},
        min_rows=20,
    )
    whole = resumed = LevelState()
    for place, few in enumerate(rows):
        sums = {ERROR: ScoreSum(few, few * SCORE_ONE // 3)}
        whole, reading = level.step(whole, sums)
        if place == cut:
            resumed = LevelState.from_text(resumed.to_text())
        resumed, again = level.step(resumed, sums)
        assert again == reading
    assert resumed == whole


@pytest.mark.parametrize("direction", ["up", "both"])
def test_many_streams_at_once_add_the_variance_that_the_test_does(direction: Direction) -> None:
    rng = np.random.default_rng(3)
    moving, still = rng.normal(0.2, 0.03, 30).tolist(), [0.5] * 30
    variance = SamplingVariance(row_variance=0.2, reference_rows=100.0)
    tests = [fitted(moving, 0.4, direction, variance), fitted(still, 0.0, direction, variance)]
    live = np.stack([rng.normal(0.2, 0.05, (6, 25)), rng.normal(0.5, 0.05, (6, 25))], axis=2)
    rows = rng.integers(5, 200, live.shape)
    runs = VectorizedTests(tests, len(live))
    states = [[WatchState.initial(len(test.etas)) for test in tests] for _ in live]
    for window in range(live.shape[1]):
        evidence = runs.step(live[:, window], rows[:, window])
        for stream, mine in enumerate(states):
            for place, test in enumerate(tests):
                mine[place] = test.step(mine[place], live[stream, window, place], int(rows[stream, window, place]))
                np.testing.assert_allclose(evidence[stream, place], np.exp(mine[place].log_evidence), rtol=1e-9)


def pages(rng: np.random.Generator, rate: float, *, known: int, live: int, rule: bool) -> NDArray[np.float64]:
    """False pages of each of 60 years, every one on a baseline of its own: error rates of `known` and `live` rows."""
    tests = []
    for _ in range(60):
        errors = rng.binomial(known, rate, 60) / known
        variance = SamplingVariance.fit(errors, errors, np.full(60, known)) if rule else NO_SAMPLING_VARIANCE
        tests.append(
            ConformalTest.fit(errors, tolerance=0.0, ar1=level_ar1({0: errors})[0], sampling_variance=variance)
        )
    runs, at = VectorizedTests(tests, 1), np.zeros((60, 365), dtype=np.bool_)
    for window in range(365):
        over = runs.step(rng.binomial(live, rate, (1, 60)) / live, np.full((1, 60), live)) >= 365.0
        at[:, window] = over[0]
        runs.restart(over)
    found: NDArray[np.float64] = at.sum(axis=1).astype(np.float64)
    return found


@pytest.mark.parametrize("rate", [0.2, 0.02])
def test_windows_of_a_tenth_of_the_rows_keep_the_budget_and_would_not_without(rate: float) -> None:
    assert pages(np.random.default_rng(5), rate, known=200, live=20, rule=True).mean() <= 1.0
    assert pages(np.random.default_rng(5), rate, known=200, live=20, rule=False).mean() > 2.0


def test_a_baseline_that_never_moved_is_not_certainty_for_a_few_rows() -> None:
    # All labels came in the baseline, so a share of them never moved; of 20 labels it moves by a tenth.
    test = ConformalTest.fit(
        [0.5] * 60,
        tolerance=0.0,
        direction="both",
        min_std=0.0125,
        sampling_variance=SamplingVariance(row_variance=0.047, reference_rows=200.0),
    )
    fresh = WatchState.initial(len(test.etas))
    few = math.sqrt(0.047 * (1 / 20 - 1 / 200))
    draws = np.random.default_rng(1).normal(0.5, few, 4000)
    e_values = np.exp([test.log_e_values(fresh, float(score), 20) for score in draws])
    error = e_values.std(axis=0) / math.sqrt(len(draws))
    assert (e_values.mean(axis=0) <= 1.0 + 4.0 * error).all()
    assert np.exp(test.log_e_values(fresh, 0.6)).max() > 50.0  # of a full window, it is


@given(st.lists(st.integers(1, 10**6), min_size=5, max_size=90))
def test_most_of_the_baselines_own_windows_get_no_variance_added(rows: list[int]) -> None:
    found = SamplingVariance.from_row_variance(0.2, np.array(rows))
    assert min(rows) <= found.reference_rows <= max(rows)
    alike = [few for few in rows if few >= sum(rows) / len(rows)]  # no harmonic mean is above this
    assert all(found.excess(few) == 0.0 for few in alike)


def test_a_few_thin_windows_in_the_baseline_do_not_lower_the_reference_rows() -> None:
    fifth = SamplingVariance.from_row_variance(0.2, np.array([20] * 18 + [200] * 72))
    assert fifth.reference_rows == pytest.approx(0.75 / (0.2 / 20 + 0.8 / 200))
    assert SamplingVariance.from_row_variance(0.2, np.arange(160, 250)).reference_rows == 168.0


def test_the_row_variance_is_that_of_rows_within_their_window() -> None:
    rng = np.random.default_rng(2)
    rates = rng.uniform(0.1, 0.3, 80)  # windows differ, and that is no sampling variance
    errors = rng.binomial(500, rates) / 500
    found = SamplingVariance.fit(errors, errors, np.full(80, 500))
    assert found.row_variance == pytest.approx(float(np.mean(rates * (1 - rates))), rel=0.03)
    assert found.excess(500) == 0.0 < found.excess(499)
    assert SamplingVariance.fit(np.ones(5), np.ones(5), np.ones(5, np.int64)) == NO_SAMPLING_VARIANCE


@given(st.floats(0.0, 1.0), st.lists(st.integers(1, 10**6), min_size=5, max_size=40), st.integers(1, 10**6))
def test_the_excess_falls_with_the_rows_and_is_none_at_the_reference(
    row_variance: float, rows: list[int], few: int
) -> None:
    found = SamplingVariance.from_row_variance(row_variance, np.array(rows))
    assert found.excess(few) >= found.excess(few + 1) >= 0.0
    assert found.excess(math.ceil(found.reference_rows)) == 0.0
    assert found.excess(1) == pytest.approx(row_variance * (1.0 - 1.0 / found.reference_rows))


@given(st.lists(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=20), min_size=2, max_size=10))
def test_the_fit_is_the_pooled_variance_of_the_rows(windows: list[list[float]]) -> None:
    means = np.array([np.mean(rows) for rows in windows])
    squares = np.array([np.mean(np.square(rows)) for rows in windows])
    rows = np.array([len(one) for one in windows])
    found = SamplingVariance.fit(means, squares, rows)
    deviations = [score - np.mean(one) for one in windows for score in one]
    assert found.row_variance == pytest.approx(float(np.square(deviations).sum()) / (rows.sum() - len(rows)), abs=1e-9)
