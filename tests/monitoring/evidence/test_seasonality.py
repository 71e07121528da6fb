"""Seasonality: found where there is any, not in noise, and the budget kept while harm is detected sooner."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.seasonality import (
    MIN_COVERED_SHARE,
    MIN_GAIN,
    MIN_WINDOWS_PER_PHASE,
    NO_SEASONALITY,
    Seasonality,
    fit_seasonality,
)
from monitoring.evidence.simulation import VectorizedTests

HOURS = 24
STD = 0.02


def hours(rng: np.random.Generator, days: int, swing: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Scores of hourly windows that go by the time of day, `swing` deviations up and down, and their phases in it."""
    phases = np.arange(days * HOURS) % HOURS
    return 0.3 + STD * (swing * np.sin(2 * np.pi * phases / HOURS) + rng.normal(0.0, 1.0, phases.size)), phases


def alarms_of(seed: int, *, swing: float, removed: bool, rise: float = 0.0, days: int = 15) -> tuple[float, float]:
    """Pages per 365 windows, and the median window of the first, over eight live streams of one baseline."""
    rng = np.random.default_rng([seed, int(10 * swing)])
    scores, phases = hours(rng, 30, swing)
    seasonality, known = fit_seasonality(scores, {"day": phases}) if removed else (NO_SEASONALITY, scores)
    test = ConformalTest.fit(known, tolerance=0.0, ar1=level_ar1({0: known})[0])
    live = np.stack([hours(rng, days, swing)[0] for _ in range(8)]) + rise * STD
    live -= np.array([seasonality.offset({"day": phase % HOURS}) for phase in range(live.shape[1])])
    runs = VectorizedTests([test], len(live))
    pages, first = 0, np.full(len(live), live.shape[1])
    for window in range(live.shape[1]):
        over = runs.step(live[:, [window]])[:, 0] >= 365.0
        first = np.where(over & (first == live.shape[1]), window + 1, first)
        pages += int(over.sum())
        runs.restart(over[:, None])
    return pages / live.size * 365.0, float(np.median(first))


def test_a_harm_that_the_time_of_day_hides_is_detected_within_hours_and_not_after_days() -> None:
    plain = np.median([alarms_of(seed, swing=3.0, removed=False, rise=2.0)[1] for seed in range(12)])
    taken_out = np.median([alarms_of(seed, swing=3.0, removed=True, rise=2.0)[1] for seed in range(12)])
    assert taken_out <= 8
    assert plain >= 4 * taken_out


@pytest.mark.parametrize("swing", [0.0, 1.0, 3.0])
def test_the_budget_is_kept_with_seasonality_removed(swing: float) -> None:
    pages = [alarms_of(seed, swing=swing, removed=True)[0] for seed in range(40)]
    assert np.mean(pages) <= 1.0


@given(st.integers(0, 2**32 - 1), st.sampled_from([7, 24]), st.integers(MIN_WINDOWS_PER_PHASE, 12))
def test_noise_is_seasonal_in_few_baselines_and_loses_next_to_nothing_by_it(
    seed: int, length: int, rounds: int
) -> None:
    phases = np.arange(length * rounds) % length
    scores = np.random.default_rng(seed).normal(0.3, 0.02, phases.size)
    seasonality, known = fit_seasonality(scores, {"day": phases})
    if seasonality is NO_SEASONALITY:
        assert known is scores
    else:
        assert known.shape == scores.shape
        assert np.abs(seasonality.offsets).max() <= 0.06


@given(st.lists(st.floats(0.0, 1.0), min_size=5, max_size=60), st.data())
def test_whatever_the_baseline_its_scores_come_back_finite_in_their_shape(scores: list[float], data: Any) -> None:
    phases = data.draw(st.lists(st.integers(0, 6), min_size=len(scores), max_size=len(scores)))
    seasonality, known = fit_seasonality(np.array(scores), {"week": np.array(phases)})
    assert known.shape == (len(scores),)
    assert np.isfinite(known).all()
    assert np.isfinite(seasonality.offsets).all()
    assert seasonality.gain >= 1.0


def test_a_score_that_is_all_seasonal_gains_as_much_as_the_smallest_standard_deviation_allows() -> None:
    phases = np.arange(70) % 7
    seasonality, known = fit_seasonality((phases == 3).astype(float), {"week": phases}, min_std=0.001)
    assert np.ptp(known) < 1e-9
    assert 10.0 < seasonality.gain < 1_000.0


def test_a_phase_that_was_never_seen_has_no_offset() -> None:
    seasonality = Seasonality(period="day", offsets=(0.1, 0.2), gain=2.0)
    assert [seasonality.offset(phase) for phase in ({"day": 1}, {"day": 7}, {"week": 1}, {})] == [0.2, 0.0, 0.0, 0.0]


@given(st.integers(0, 2**32 - 1), st.integers(MIN_WINDOWS_PER_PHASE, 10))
def test_a_baseline_score_loses_the_offset_of_the_other_windows_of_its_phase(seed: int, rounds: int) -> None:
    phases = np.arange(7 * rounds) % 7
    rng = np.random.default_rng(seed)
    scores = 0.3 + 0.1 * rng.normal(size=7)[phases] + rng.normal(0.0, 0.01, phases.size)
    seasonality, known = fit_seasonality(scores, {"week": phases})
    assert seasonality.period == "week"
    live = scores - np.asarray(seasonality.offsets)[phases]
    # With its own value among those averaged a window varies less than a live one does; without it, more.
    assert known.std() >= live.std()
    changed = scores.copy()
    changed[0] += 0.01
    offsets = scores[phases == 0] - known[phases == 0]
    again = fit_seasonality(changed, {"week": phases})[1]
    assert changed[0] - again[0] == pytest.approx(offsets[0], abs=2e-3)


def test_of_two_periods_the_one_that_gains_most_is_removed() -> None:
    rng = np.random.default_rng(11)
    hour, week = np.arange(24 * 28) % 24, np.arange(24 * 28) % 168
    daily = np.sin(2 * np.pi * hour / 24) + 0.2 * rng.normal(size=hour.size)
    assert fit_seasonality(daily, {"day": hour, "week": week})[0].period == "day"
    weekly = daily + 3.0 * (week >= 120) * np.cos(2 * np.pi * hour / 24)
    found = fit_seasonality(weekly, {"day": hour, "week": week})[0]
    assert (found.period, len(found.offsets)) == ("week", 168)
    assert found.gain > MIN_GAIN


def test_the_order_in_which_periods_are_given_does_not_matter() -> None:
    rng = np.random.default_rng(12)
    hour, week = np.arange(480) % 24, np.arange(480) % 168
    scores = np.sin(2 * np.pi * hour / 24) + rng.normal(size=480)
    one = fit_seasonality(scores, {"day": hour, "week": week})
    other = fit_seasonality(scores, {"week": week, "day": hour})
    assert one[0] == other[0]
    np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize(("rounds", "found"), [(MIN_WINDOWS_PER_PHASE - 1, False), (MIN_WINDOWS_PER_PHASE, True)])
def test_a_phase_needs_four_windows(rounds: int, *, found: bool) -> None:
    phases = np.arange(7 * rounds) % 7
    scores = (phases >= 5) * 0.1 + np.random.default_rng(13).normal(0.0, 0.001, phases.size)
    assert (fit_seasonality(scores, {"week": phases})[0] != NO_SEASONALITY) == found


@pytest.mark.parametrize(("outside", "found"), [(3, True), (8, False)])
def test_most_windows_must_be_in_phases_that_have_an_offset(outside: int, *, found: bool) -> None:
    phases = np.concatenate([np.tile([0, 1], 20), np.arange(2, 2 + outside)])  # each of the last is seen once
    scores = phases % 2 + np.random.default_rng(14).normal(0.0, 0.01, phases.size)
    assert (outside / phases.size <= 1.0 - MIN_COVERED_SHARE) == found
    assert (fit_seasonality(scores, {"day": phases})[0] != NO_SEASONALITY) == found


def test_without_periods_or_variation_there_is_no_seasonality() -> None:
    scores = np.random.default_rng(15).normal(size=40)
    for seasonality, known in (fit_seasonality(scores, {}), fit_seasonality(scores, {"week": np.zeros(40, np.int64)})):
        assert seasonality is NO_SEASONALITY
        assert known is scores
    constant = np.full(40, 0.25)
    assert fit_seasonality(constant, {"week": np.arange(40) % 7})[0] is NO_SEASONALITY
