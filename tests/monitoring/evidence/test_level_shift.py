"""Blocks of a reference at another level are found, and a reference without one has none beyond the stated rate."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.level_shift import LONGEST_BLOCK, SHORTEST_BLOCK, ar1_without_shift, outstanding_block
from monitoring.evidence.seasonality import fit_seasonality

Floats = NDArray[np.float64]
STREAMS = 400

#: Days whose error rates differ by 3.5 points, and an incident of 10.
SPREAD, INCIDENT = 0.035, 0.10


def stationary(rng: np.random.Generator, windows: int, ar1: float) -> Floats:
    """An AR(1) process around an error rate of .25."""
    noise = rng.normal(size=windows + 100)
    for window in range(1, noise.size):
        noise[window] = ar1 * noise[window - 1] + noise[window] * np.sqrt(1.0 - ar1**2)
    return np.asarray(0.25 + SPREAD * noise[100:])


def weekly(rng: np.random.Generator, windows: int) -> Floats:
    """Worse weekends, taken out as a fit does."""
    days = np.arange(windows) % 7
    scores = stationary(rng, windows, 0.0) + 0.1 * (days >= 5)
    return fit_seasonality(scores, {"week": days}, min_std=0.0)[1]


def yearly(rng: np.random.Generator, windows: int) -> Floats:
    """A season of a year, as large as days differ, from any day of it."""
    days = np.arange(windows) + rng.integers(365)
    return np.asarray(stationary(rng, windows, 0.0) + SPREAD * np.sin(2.0 * np.pi * days / 365.0))


LAWS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    **{f"AR {ar1}": partial(stationary, ar1=ar1) for ar1 in (0.0, 0.3, 0.5, 0.7, 0.9)},
    "weekly": weekly,
    "yearly": yearly,
}


@pytest.mark.parametrize("windows", [30, 90, 365])
@pytest.mark.parametrize("law", list(LAWS))
def test_clean_references_have_no_block_beyond_two_in_a_hundred(law: str, windows: int) -> None:
    rng = np.random.default_rng(windows)
    told = sum(outstanding_block(LAWS[law](rng, windows)) is not None for _ in range(STREAMS))
    # At a rate of .02, more than 14 of 400 are found in 1 of 100 such tests.
    assert told <= 14


@pytest.mark.parametrize(
    ("windows", "days", "rise", "least"),
    [(90, 10, INCIDENT, 0.85), (365, 10, INCIDENT, 0.95), (90, 5, INCIDENT, 0.4), (90, 3, 2 * INCIDENT, 0.95)],
)
def test_an_incident_of_some_days_stands_out(windows: int, days: int, rise: float, least: float) -> None:
    rng = np.random.default_rng(days)
    found = 0
    for _ in range(100):
        scores = stationary(rng, windows, 0.0)
        first = int(rng.integers(0, windows - days + 1))
        scores[first : first + days] += rise
        block = outstanding_block(scores)
        found += block is not None and block.first < first + days and block.end > first
    assert found >= 100 * least


def test_a_block_is_neither_one_far_window_nor_a_season() -> None:
    rng = np.random.default_rng(1)
    scores = stationary(rng, 90, 0.0)
    scores[40] += 1.0
    assert outstanding_block(scores) is None
    scores = stationary(rng, 365, 0.0)
    scores[100:220] += INCIDENT
    block = outstanding_block(scores)
    assert block is None or block.end - block.first <= LONGEST_BLOCK


@pytest.mark.parametrize("windows", [1, 2, 5, 11])
def test_a_short_reference_has_no_block(windows: int) -> None:
    assert windows // 4 < SHORTEST_BLOCK
    assert outstanding_block(np.linspace(0.0, 1.0, windows)) is None


def test_constant_scores_have_no_block() -> None:
    assert outstanding_block(np.full(90, 0.2)) is None


def test_a_block_moved_to_the_level_of_the_others_changes_nothing_else() -> None:
    scores = stationary(np.random.default_rng(2), 90, 0.0)
    scores[40:50] += INCIDENT
    block = outstanding_block(scores)
    assert block is not None
    level = block.removed(scores)
    outside = np.r_[: block.first, block.end : 90]
    assert np.array_equal(level[outside], scores[outside])
    assert level[block.first : block.end].mean() == pytest.approx(level[outside].mean())


def test_coefficients_are_those_without_the_shift_and_as_before_where_there_is_none() -> None:
    rng = np.random.default_rng(3)
    shifted, lasting = stationary(rng, 90, 0.0), stationary(rng, 90, 0.7)
    shifted[40:50] += INCIDENT
    before = level_ar1({"shifted": shifted})["shifted"]
    assert before > 0.5
    assert ar1_without_shift({"shifted": shifted})["shifted"] == 0.0
    scores, live = {"lasting": lasting}, {"lasting": [stationary(rng, 40, 0.7)]}
    assert ar1_without_shift(scores) == level_ar1(scores)
    assert ar1_without_shift(scores, live) == level_ar1(scores, live)
