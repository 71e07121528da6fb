"""Cycles of the clock: found where there are any, not in noise, and the budget kept while harm is told sooner."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.seasonality import MIN_WINDOWS_PER_PHASE, NO_SEASONALITY, Seasonality, fit_seasonality
from monitoring.evidence.simulation import VectorizedTests

HOURS = 24
WEIGHT = 0.02


def hours(rng: np.random.Generator, days: int, swing: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Scores of hourly windows that go by the time of day, `swing` deviations up and down, and their places in it."""
    places = np.arange(days * HOURS) % HOURS
    return 0.3 + WEIGHT * (swing * np.sin(2 * np.pi * places / HOURS) + rng.normal(0.0, 1.0, places.size)), places


def judged(seed: int, *, swing: float, cycles: bool, rise: float = 0.0, days: int = 15) -> tuple[float, float]:
    """Pages per 365 windows, and the median window of the first, over eight live streams of one baseline."""
    rng = np.random.default_rng([seed, int(10 * swing)])
    scores, places = hours(rng, 30, swing)
    cycle, known = fit_seasonality(scores, {"day": places}) if cycles else (NO_SEASONALITY, scores)
    test = ConformalTest.fit(known, tolerance=0.0, ar1=level_ar1({0: known})[0])
    live = np.stack([hours(rng, days, swing)[0] for _ in range(8)]) + rise * WEIGHT
    live -= np.array([cycle.offset({"day": place % HOURS}) for place in range(live.shape[1])])
    runs = VectorizedTests([test], len(live))
    pages, first = 0, np.full(len(live), live.shape[1])
    for window in range(live.shape[1]):
        over = runs.step(live[:, [window]])[:, 0] >= 365.0
        first = np.where(over & (first == live.shape[1]), window + 1, first)
        pages += int(over.sum())
        runs.restart(over[:, None])
    return pages / live.size * 365.0, float(np.median(first))


def test_a_harm_that_the_time_of_day_hides_is_told_within_hours_and_not_after_days() -> None:
    plain = np.median([judged(seed, swing=3.0, cycles=False, rise=2.0)[1] for seed in range(12)])
    taken_out = np.median([judged(seed, swing=3.0, cycles=True, rise=2.0)[1] for seed in range(12)])
    assert taken_out <= 8
    assert plain >= 4 * taken_out


@pytest.mark.parametrize("swing", [0.0, 1.0, 3.0])
def test_the_budget_is_kept_with_a_cycle_taken_out(swing: float) -> None:
    pages = [judged(seed, swing=swing, cycles=True)[0] for seed in range(40)]
    assert np.mean(pages) <= 1.0


@given(st.integers(0, 2**32 - 1), st.sampled_from([7, 24]), st.integers(MIN_WINDOWS_PER_PHASE, 12))
def test_noise_has_a_cycle_in_few_baselines_and_loses_next_to_nothing_by_it(
    seed: int, length: int, rounds: int
) -> None:
    places = np.arange(length * rounds) % length
    scores = np.random.default_rng(seed).normal(0.3, 0.02, places.size)
    cycle, known = fit_seasonality(scores, {"day": places})
    if cycle is NO_SEASONALITY:
        assert known is scores
    else:
        assert known.shape == scores.shape
        assert np.abs(cycle.offsets).max() <= 0.06


@given(st.lists(st.floats(0.0, 1.0), min_size=5, max_size=60), st.data())
def test_whatever_the_baseline_its_scores_come_back_finite_in_their_shape(scores: list[float], data: Any) -> None:
    places = data.draw(st.lists(st.integers(0, 6), min_size=len(scores), max_size=len(scores)))
    cycle, known = fit_seasonality(np.array(scores), {"week": np.array(places)})
    assert known.shape == (len(scores),)
    assert np.isfinite(known).all()
    assert np.isfinite(cycle.offsets).all()
    assert cycle.gain >= 1.0


def test_a_score_that_is_its_cycle_and_nothing_else_is_as_clear_as_the_smallest_deviation_allows() -> None:
    places = np.arange(70) % 7
    cycle, known = fit_seasonality((places == 3).astype(float), {"week": places}, min_std=0.001)
    assert np.ptp(known) < 1e-9
    assert 10.0 < cycle.gain < 1_000.0


def test_a_place_that_was_never_seen_owes_nothing() -> None:
    cycle = Seasonality(period="day", offsets=(0.1, 0.2), gain=2.0)
    assert [cycle.offset(place) for place in ({"day": 1}, {"day": 7}, {"week": 1}, {})] == [0.2, 0.0, 0.0, 0.0]
