"""AR(1) coefficients: estimates without bias, and the cautious use that tests make of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import (
    FIRST_UPDATE,
    MAX_AR1,
    MAX_LAGS,
    MIN_SEGMENT_WINDOWS,
    ar1_update_due,
    conservative_ar1,
    estimate_ar1,
    lag_count,
    level_ar1,
    level_ar1_of_streams,
    mean_standard_error,
    significant_ar1,
)

Floats = NDArray[np.float64]

series = hnp.arrays(np.float64, st.integers(5, 60), elements=st.floats(0.0, 1.0))
estimates = hnp.arrays(np.float64, st.integers(1, 10), elements=st.floats(-0.5, 0.98))


def days(rng: np.random.Generator, windows: int, ar1: float) -> Floats:
    """A stationary AR(1) process of variance 1."""
    scores = rng.normal(size=windows)
    for window in range(1, windows):
        scores[window] = ar1 * scores[window - 1] + np.sqrt(1.0 - ar1**2) * scores[window]
    return scores


@pytest.mark.parametrize("ar1", [0.0, 0.3, 0.5, 0.7])
@pytest.mark.parametrize("windows", [20, 90])
def test_the_estimate_is_as_often_above_the_coefficient_as_below(ar1: float, windows: int) -> None:
    rng = np.random.default_rng(1)
    found = [estimate_ar1(days(rng, windows, ar1)) for _ in range(1500)]
    assert np.median(found) == pytest.approx(ar1, abs=0.03 if windows == 90 else 0.06)


def test_weather_that_passes_within_two_days_gives_less_than_the_correlation_of_neighbours() -> None:
    # A day is the sum of two days' shocks: neighbours correlate by .5, and sums vary twice as much, as with φ = 1/3.
    rng = np.random.default_rng(4)
    found = [estimate_ar1(np.convolve(rng.normal(size=91), [1.0, 1.0], mode="valid")) for _ in range(800)]
    assert np.median(found) == pytest.approx(1.0 / 3.0, abs=0.08)


def test_a_slow_drift_under_noise_gives_more_than_the_correlation_of_neighbours() -> None:
    rng = np.random.default_rng(5)
    found = [estimate_ar1(days(rng, 90, 0.9) + 1.5 * rng.normal(size=90)) for _ in range(400)]
    neighbours = 0.9 / (1.0 + 1.5**2)
    assert np.median(found) > neighbours + 0.1


def test_a_week_that_repeats_itself_gives_less_than_the_correlation_of_neighbours() -> None:
    rng = np.random.default_rng(6)
    week = np.sin(2.0 * np.pi * np.arange(91) / 7.0)
    found = [estimate_ar1(week + 0.3 * rng.normal(size=91)) for _ in range(100)]
    assert np.mean([conservative_ar1(one, 91) for one in found]) < 0.4 < np.cos(2.0 * np.pi / 7.0) / 1.18 - 0.1


@pytest.mark.parametrize("ar1", [0.0, 0.3, 0.6])
def test_segments_with_means_of_their_own_say_as_much_as_one_of_the_same_length(ar1: float) -> None:
    rng = np.random.default_rng(8)
    parts = [days(rng, 30, ar1) for _ in range(1500)], [days(rng, 60, ar1) + 5.0 for _ in range(1500)]
    found = estimate_ar1(np.stack(parts[0]), np.stack(parts[1]))
    assert np.median(found) == pytest.approx(ar1, abs=0.04)
    whole = estimate_ar1(np.stack([days(rng, 90, ar1) for _ in range(1500)]))
    assert found.std() == pytest.approx(whole.std(), rel=0.25)


def test_many_series_at_once_are_each_estimated_by_itself() -> None:
    rng = np.random.default_rng(9)
    many = rng.normal(size=(5, 40)).cumsum(axis=1)
    np.testing.assert_array_equal(estimate_ar1(many), [estimate_ar1(one) for one in many])


@given(series, st.floats(0.01, 100.0), st.floats(-5.0, 5.0))
def test_the_estimate_does_not_depend_on_unit_and_level(scores: Floats, unit: float, level: float) -> None:
    if np.ptp(scores) > 1e-3:
        assert estimate_ar1(unit * scores + level) == pytest.approx(float(estimate_ar1(scores)), abs=1e-6)


@given(series, series)
def test_the_order_of_segments_does_not_matter(one: Floats, other: Floats) -> None:
    assert estimate_ar1(one, other) == pytest.approx(float(estimate_ar1(other, one)), abs=1e-9)


@given(series)
def test_an_estimate_is_a_finite_number_below_one_whatever_the_scores(scores: Floats) -> None:
    found = float(estimate_ar1(scores))
    assert np.isfinite(found)
    assert found <= 0.98


def test_scores_that_never_varied_have_no_autocorrelation() -> None:
    assert estimate_ar1(np.full(30, 0.25)) == 0.0
    assert estimate_ar1(np.full(30, 0.25), np.full(20, 0.5)) == 0.0
    assert estimate_ar1(np.stack([np.full(30, 0.25), np.linspace(0.0, 1.0, 30)])).tolist()[0] == 0.0
    rounded = np.full(30, 0.2)  # whose mean is not .2 to the bit
    assert level_ar1({"constant": rounded, "line": np.linspace(0.0, 1.0, 30)})["constant"] == 0.0


@given(st.integers(1, 2000))
def test_lags_grow_with_the_windows_up_to_a_week(windows: int) -> None:
    assert 1 <= lag_count(windows) <= lag_count(windows + 1) <= MAX_LAGS
    assert lag_count(windows) == 1 or windows >= 12 * lag_count(windows)


def test_updates_are_due_at_ten_windows_and_at_every_doubling() -> None:
    due = [windows for windows in range(20_000) if ar1_update_due(windows)]
    assert due[0] == FIRST_UPDATE
    assert all(later == 2 * earlier for earlier, later in itertools.pairwise(due))
    assert len(due) == 11


@given(estimates, st.integers(5, 400))
def test_a_significant_estimate_is_used_as_it_is_and_any_other_is_none(found: Floats, windows: int) -> None:
    used = significant_ar1(found, windows)
    assert np.all((used == 0.0) | (used == np.minimum(found, MAX_AR1)))
    assert np.all(used[found <= 0.0] == 0.0)
    assert np.all(significant_ar1(found, 4 * windows) >= used), "more windows make more estimates significant"


@given(estimates, st.integers(5, 400))
def test_with_live_windows_a_coefficient_is_raised_by_less_the_more_windows_there_are(
    found: Floats, windows: int
) -> None:
    used, later = conservative_ar1(found, windows), conservative_ar1(found, 4 * windows)
    assert np.all((used == 0.0) | (used >= np.minimum(found, MAX_AR1)))
    assert np.all(used <= MAX_AR1)
    both = (used > 0.0) & (later > 0.0)
    assert np.all(later[both] <= used[both] + 1e-12)


def test_before_any_traffic_a_coefficient_counts_only_where_significant_and_then_with_traffic() -> None:
    rng = np.random.default_rng(10)
    known = {place: days(rng, 20, 0.4) for place in range(200)}
    alone = [level_ar1({place: one})[place] for place, one in known.items()]
    assert np.mean(np.asarray(alone) == 0.0) > 0.7
    live = [level_ar1({place: one}, {place: [days(rng, 60, 0.4)]})[place] for place, one in known.items()]
    assert np.mean(np.asarray(live) > 0.2) > 0.8
    short = {place: [days(rng, MIN_SEGMENT_WINDOWS - 1, 0.4)] for place in known}
    assert [level_ar1({place: one}, short)[place] for place, one in known.items()] == alone


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.95])
def test_the_error_of_a_mean_of_watches_depends_on_how_correlated_they_are(correlation: float) -> None:
    rng = np.random.default_rng(11)
    found, expected = [], []
    for _ in range(300):
        common = days(rng, 60, 0.3)
        level = [np.sqrt(correlation) * common + np.sqrt(1.0 - correlation) * days(rng, 60, 0.3) for _ in range(8)]
        found.append([float(estimate_ar1(one)) for one in level])
        expected.append(mean_standard_error(level, 0.3) / mean_standard_error(level[:1], 0.3))
    spread = np.std(found, axis=0).mean()
    assert np.mean(expected) == pytest.approx(np.std(np.mean(found, axis=1)) / spread, rel=0.15)


def test_copies_of_one_watch_know_no_more_than_one() -> None:
    one = days(np.random.default_rng(13), 50, 0.2)
    alone = mean_standard_error([one], 0.2)
    assert mean_standard_error([one, 2.0 * one + 1.0, -one], 0.2) == pytest.approx(alone, rel=0.02)
    assert alone == pytest.approx(np.sqrt((1.0 - 0.04) / 50))


def test_watches_that_never_varied_have_no_error_and_only_equal_lengths_are_compared() -> None:
    rng = np.random.default_rng(14)
    assert mean_standard_error([np.full(20, 0.25)], 0.0) == float("inf")
    assert mean_standard_error([], 0.0) == float("inf")
    one, other = days(rng, 40, 0.0), days(rng, 30, 0.0)
    assert mean_standard_error([one, other], 0.0) == pytest.approx(np.sqrt(1.0 / 35), rel=0.01)


def test_before_any_traffic_a_levels_mean_counts_only_where_significant() -> None:
    rng = np.random.default_rng(12)
    parts = [days(rng, 40, 0.3) for _ in range(13)]
    independent = dict(enumerate(parts[1:]))
    assert min(level_ar1(independent).values()) > 0.1
    alike = {place: parts[0] + 0.1 * one for place, one in enumerate(parts[1:])}
    assert float(np.mean([estimate_ar1(one) for one in alike.values()])) > 0.1
    assert set(level_ar1(alike).values()) == {0.0}
    live = {place: [days(rng, 40, 0.3)] for place in alike}
    assert min(level_ar1(alike, live).values()) > 0.1


def test_most_baselines_without_autocorrelation_pay_nothing_and_autocorrelation_is_seldom_missed() -> None:
    rng = np.random.default_rng(2)
    independent = [conservative_ar1(estimate_ar1(days(rng, 90, 0.0)), 90) for _ in range(500)]
    assert np.mean(np.asarray(independent) == 0.0) > 0.6
    for ar1 in (0.3, 0.5, 0.7):
        found = np.asarray([conservative_ar1(estimate_ar1(days(rng, 90, ar1)), 90) for _ in range(300)])
        assert np.mean(found < ar1 - 0.2) < 0.2


@given(st.lists(series, min_size=1, max_size=4), st.lists(series, max_size=2))
def test_a_used_coefficient_is_between_zero_and_the_largest(scores: list[Floats], live: list[Floats]) -> None:
    found = level_ar1({**dict(enumerate(scores)), "line": np.linspace(0.0, 1.0, 30)}, {0: live})
    assert all(0.0 <= value <= MAX_AR1 for value in found.values())


def test_no_watch_uses_less_than_its_level_has_on_average() -> None:
    rng = np.random.default_rng(3)
    scores = {str(place): days(rng, 20, 0.6) for place in range(40)}
    level = float(np.mean([estimate_ar1(values) for values in scores.values()]))
    assert min(level_ar1(scores).values()) >= level > 0.4
    assert level_ar1(scores | {"constant": np.full(20, 0.3)})["constant"] == 0.0


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.sampled_from([5, MIN_SEGMENT_WINDOWS, 40]))
def test_many_streams_use_what_each_would_use_by_itself(seed: int, streams: int, windows: int) -> None:
    rng = np.random.default_rng(seed)
    scores = [days(rng, size, 0.4) for size in (30, 30, 20)] + [np.full(20, 0.1)]
    live = np.stack([[days(rng, windows, 0.4) for _ in scores] for _ in range(streams)])
    levels = np.array([0, 0, 1, 1])
    found = level_ar1_of_streams(scores, live, levels)
    assert found.shape == (streams, 4)
    for stream, used in zip(live, found, strict=True):
        if windows < MIN_SEGMENT_WINDOWS:
            continue
        for mine in ([0, 1], [2, 3]):
            alone = level_ar1({place: scores[place] for place in mine}, {place: [stream[place]] for place in mine})
            np.testing.assert_array_equal(used[mine], [alone[place] for place in mine])
