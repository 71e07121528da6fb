from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import MAX_AR1, conservative_ar1, estimate_ar1, level_ar1, mean_standard_error


def days(rng: np.random.Generator, windows: int, memory: float) -> NDArray[np.float64]:
    scores = rng.normal(size=windows)
    for window in range(1, windows):
        scores[window] = memory * scores[window - 1] + np.sqrt(1.0 - memory**2) * scores[window]
    return scores


@pytest.mark.parametrize("memory", [0.0, 0.3, 0.5, 0.7])
@pytest.mark.parametrize("windows", [20, 90])
def test_the_estimate_lies_as_often_above_a_geometric_memory_as_below(memory: float, windows: int) -> None:
    rng = np.random.default_rng(1)
    found = [estimate_ar1(days(rng, windows, memory)) for _ in range(1500)]
    assert np.median(found) == pytest.approx(memory, abs=0.03 if windows == 90 else 0.06)


def test_weather_that_passes_within_two_days_is_less_memory_than_neighbours_show() -> None:
    # A day is the sum of two days' shocks: neighbours correlate by .5, and sums vary twice as much, which is a
    # geometric memory of 1/3.
    rng = np.random.default_rng(4)
    found = [estimate_ar1(np.convolve(rng.normal(size=91), [1.0, 1.0], mode="valid")) for _ in range(800)]
    assert np.median(found) == pytest.approx(1.0 / 3.0, abs=0.08)


def test_a_slow_drift_under_noise_is_more_memory_than_neighbours_show() -> None:
    rng = np.random.default_rng(5)
    found = [estimate_ar1(days(rng, 90, 0.9) + 1.5 * rng.normal(size=90)) for _ in range(400)]
    neighbours = 0.9 / (1.0 + 1.5**2)
    assert np.median(found) > neighbours + 0.1


def test_a_week_that_repeats_itself_is_less_memory_than_neighbours_show() -> None:
    rng = np.random.default_rng(6)
    week = np.sin(2.0 * np.pi * np.arange(91) / 7.0)
    found = [estimate_ar1(week + 0.3 * rng.normal(size=91)) for _ in range(100)]
    assert np.mean([conservative_ar1(one, 91) for one in found]) < 0.4 < np.cos(2.0 * np.pi / 7.0) / 1.18 - 0.1


@pytest.mark.parametrize("memory", [0.0, 0.3, 0.6])
def test_stretches_about_means_of_their_own_tell_as_much_as_one_that_is_as_long(memory: float) -> None:
    rng = np.random.default_rng(8)
    parts = [days(rng, 30, memory) for _ in range(1500)], [days(rng, 60, memory) + 5.0 for _ in range(1500)]
    found = estimate_ar1(np.stack(parts[0]), np.stack(parts[1]))
    assert np.median(found) == pytest.approx(memory, abs=0.04)
    whole = estimate_ar1(np.stack([days(rng, 90, memory) for _ in range(1500)]))
    assert found.std() == pytest.approx(whole.std(), rel=0.25)


def test_many_series_at_once_are_each_by_itself() -> None:
    rng = np.random.default_rng(9)
    series = rng.normal(size=(5, 40)).cumsum(axis=1)
    np.testing.assert_array_equal(estimate_ar1(series), [estimate_ar1(one) for one in series])


def test_before_any_traffic_memory_counts_only_beyond_doubt_and_then_as_far_as_it_was_seen() -> None:
    rng = np.random.default_rng(10)
    known = {place: days(rng, 20, 0.4) for place in range(200)}
    alone = [level_ar1({place: one})[place] for place, one in known.items()]
    assert np.mean(np.asarray(alone) == 0.0) > 0.7
    seen = [level_ar1({place: one}, {place: [days(rng, 60, 0.4)]})[place] for place, one in known.items()]
    assert np.mean(np.asarray(seen) > 0.2) > 0.8
    short = {place: [days(rng, 7, 0.4)] for place in known}
    assert [level_ar1({place: one}, short)[place] for place, one in known.items()] == alone


@pytest.mark.parametrize("alike", [0.0, 0.6, 0.95])
def test_the_mean_of_watches_errs_beside_one_of_them_as_their_likeness_says(alike: float) -> None:
    rng = np.random.default_rng(11)
    found, told = [], []
    for _ in range(300):
        common = days(rng, 60, 0.3)
        level = [np.sqrt(alike) * common + np.sqrt(1.0 - alike) * days(rng, 60, 0.3) for _ in range(8)]
        found.append([float(estimate_ar1(one)) for one in level])
        told.append(mean_standard_error(level, 0.3) / mean_standard_error(level[:1], 0.3))
    spread = np.std(found, axis=0).mean()
    assert np.mean(told) == pytest.approx(np.std(np.mean(found, axis=1)) / spread, rel=0.15)


def test_before_any_traffic_a_levels_mean_counts_only_beyond_the_doubt_that_is_left() -> None:
    rng = np.random.default_rng(12)
    parts = [days(rng, 40, 0.3) for _ in range(13)]
    apart = dict(enumerate(parts[1:]))
    assert min(level_ar1(apart).values()) > 0.1
    alike = {place: parts[0] + 0.1 * one for place, one in enumerate(parts[1:])}
    assert float(np.mean([estimate_ar1(one) for one in alike.values()])) > 0.1
    assert set(level_ar1(alike).values()) == {0.0}
    seen = {place: [days(rng, 40, 0.3)] for place in alike}
    assert min(level_ar1(alike, seen).values()) > 0.1


def test_two_of_three_baselines_without_memory_pay_nothing_and_memory_is_seldom_missed() -> None:
    rng = np.random.default_rng(2)
    independent = [conservative_ar1(estimate_ar1(days(rng, 90, 0.0)), 90) for _ in range(500)]
    assert np.mean(np.asarray(independent) == 0.0) > 0.6
    for memory in (0.3, 0.5, 0.7):
        restless = np.asarray([conservative_ar1(estimate_ar1(days(rng, 90, memory)), 90) for _ in range(300)])
        assert np.mean(restless < memory - 0.2) < 0.2


@given(st.lists(st.floats(0.0, 1.0), min_size=5, max_size=60))
def test_memory_lies_between_none_and_the_longest(scores: list[float]) -> None:
    found = level_ar1({"one": np.asarray(scores), "other": np.linspace(0.0, 1.0, 30)})
    assert all(0.0 <= value <= MAX_AR1 for value in found.values())


def test_no_watch_works_with_less_memory_than_its_level_has_on_average() -> None:
    rng = np.random.default_rng(3)
    scores = {str(place): days(rng, 20, 0.6) for place in range(40)}
    level = float(np.mean([estimate_ar1(values) for values in scores.values()]))
    assert min(level_ar1(scores).values()) >= level > 0.4
    assert level_ar1(scores | {"still": np.full(20, 0.3)})["still"] == 0.0
