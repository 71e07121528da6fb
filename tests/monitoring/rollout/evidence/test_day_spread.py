"""By how much days to come may differ, by the few days that a plan has seen."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.rollout.evidence.day_spread import DRAWS, LEAST_DAYS, day_spreads, days_differ

ROWS = 600


def totals(spread: float, days: int, seed: int) -> np.ndarray:
    """Days of rows with a variance of .08, whose means differ."""
    rng = np.random.default_rng(seed)
    return ROWS * (rng.normal(0.0, spread, days) + rng.normal(0.0, np.sqrt(0.08 / ROWS), days))


@pytest.mark.parametrize("spread", [0.005, 0.02, 0.05])
def test_the_spread_lies_below_nine_tenths_of_the_draws_nine_times_of_ten(spread: float) -> None:
    drawn = [day_spreads(totals(spread, 14, seed), np.full(14, float(ROWS)), 0.08) for seed in range(200)]
    below = np.mean([spread <= np.quantile(draws, 0.9) for draws in drawn])
    assert below >= 0.83
    assert all(draws.size == DRAWS for draws in drawn)


def test_alike_days_leave_less_than_days_that_differ_and_more_days_less_doubt() -> None:
    def middle(spread: float, days: int) -> float:
        drawn = [day_spreads(totals(spread, days, seed), np.full(days, float(ROWS)), 0.08) for seed in range(40)]
        return float(np.mean([np.quantile(draws, 0.9) for draws in drawn]))

    assert middle(0.0, 28) < middle(0.0, 7) < middle(0.05, 28) < middle(0.05, 7)


def test_few_days_and_rows_that_do_not_vary_say_nothing() -> None:
    few = LEAST_DAYS - 1
    assert not day_spreads(totals(0.02, few, 0), np.full(few, float(ROWS)), 0.08).size
    assert not day_spreads(np.zeros(14), np.full(14, float(ROWS)), 0.0).size
    assert not days_differ(totals(0.05, few, 0), np.full(few, float(ROWS)), 0.08)


def test_alike_days_differ_in_one_of_ten_samples() -> None:
    found = [days_differ(totals(0.0, 14, seed), np.full(14, float(ROWS)), 0.08) for seed in range(400)]
    assert 0.05 < np.mean(found) < 0.16
    assert days_differ(totals(0.05, 14, 0), np.full(14, float(ROWS)), 0.08)
