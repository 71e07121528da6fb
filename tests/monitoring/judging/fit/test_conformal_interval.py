from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from monitoring.judging.fit.conformal_interval import MIN_INTERVAL_WINDOWS, ConformalInterval
from monitoring.watches.trust import MISS_RATE

DIFFERENCES = hnp.arrays(np.float64, st.integers(MIN_INTERVAL_WINDOWS, 60), elements=st.floats(-1.0, 1.0))


def test_an_interval_by_hand() -> None:
    differences = np.array([0.1, -0.2, 0.3, 0.0, 0.1, -0.1, 0.2, 0.0, -0.3])
    interval = ConformalInterval.fit(differences, np.full(9, 0.01))
    excess = float(np.mean(differences**2)) - 0.01
    assert interval.excess_variance == pytest.approx(excess)
    assert interval.quantile == pytest.approx(0.3 / np.sqrt(excess + 0.01))  # the ninth smallest of nine
    assert interval.half_width(50, 5.0) == pytest.approx(interval.quantile * np.sqrt(excess + 5.0 / 2500))


@given(DIFFERENCES, st.floats(0.0, 0.1))
def test_the_intervals_of_all_but_the_miss_rate_of_baseline_windows_hold_the_truth(
    differences: np.ndarray, variance: float
) -> None:
    interval = ConformalInterval.fit(differences, np.full(differences.size, variance))
    inside = np.abs(differences) <= interval.half_width(1, variance) * (1 + 1e-9)
    assert inside.sum() >= np.ceil((differences.size + 1) * (1.0 - MISS_RATE))


@given(DIFFERENCES, st.integers(1, 1000), st.floats(0.0, 1.0))
def test_more_rows_of_the_same_variance_never_widen_an_interval(
    differences: np.ndarray, rows: int, row_variance: float
) -> None:
    interval = ConformalInterval.fit(differences, np.full(differences.size, 0.01))
    assert interval.half_width(rows + 1, (rows + 1) * row_variance) <= interval.half_width(rows, rows * row_variance)


@given(DIFFERENCES, st.integers(0, 10**6))
def test_the_order_of_baseline_windows_does_not_matter(differences: np.ndarray, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(differences.size)
    variances = np.linspace(0.001, 0.02, differences.size)
    one = ConformalInterval.fit(differences, variances)
    other = ConformalInterval.fit(differences[order], variances[order])
    assert other.quantile == pytest.approx(one.quantile)
    assert other.excess_variance == pytest.approx(one.excess_variance, abs=1e-12)


def test_estimates_that_were_always_right_still_have_a_width() -> None:
    interval = ConformalInterval.fit(np.zeros(20), np.zeros(20))
    assert interval.half_width(100, 0.0) == 0.0
    assert interval.half_width(100, 25.0) == 0.0
    moved = ConformalInterval.fit(np.full(20, 1e-9), np.zeros(20))
    assert 0.0 < moved.half_width(100, 0.0) < 1e-6


def test_fewer_windows_than_the_smallest_number_have_no_quantile_of_this_level() -> None:
    ranks = {windows: np.ceil((windows + 1) * (1.0 - MISS_RATE)) for windows in range(1, MIN_INTERVAL_WINDOWS + 1)}
    assert [windows for windows, rank in ranks.items() if rank <= windows] == [MIN_INTERVAL_WINDOWS]
