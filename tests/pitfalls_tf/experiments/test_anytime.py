"""Intervals that hold at every number of runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from monitoring.baseline.metrics import ConfidenceInterval
from pitfalls_tf.experiments.anytime import boundary, widened

if TYPE_CHECKING:
    from numpy.typing import NDArray


@given(st.integers(3, 400), st.integers(8, 400))
def test_the_boundary_is_beyond_students_quantile(runs: int, planned: int) -> None:
    assert boundary(runs, planned) > float(stdtrit(runs - 1, 0.975))


RUNS = np.arange(1, 257)
LIMITS = np.array([boundary(int(count), 64) for count in RUNS[15:]])


def statistics(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Student's t statistic of each row's values so far, from the 16th on."""
    means = values.cumsum(axis=1) / RUNS
    deviations = np.sqrt(((values**2).cumsum(axis=1) - RUNS * means**2)[:, 15:] / (RUNS[15:] - 1))
    found: NDArray[np.float64] = np.abs(means[:, 15:]) * np.sqrt(RUNS[15:]) / deviations
    return found


def test_a_mean_is_rarely_rejected_at_any_number_of_runs() -> None:
    """Looked at after every run from the 16th to the 256th, 5 % of true means at most may ever be rejected."""
    looked_at = statistics(np.random.default_rng(2).standard_normal((1_000, 256)))
    assert (looked_at > LIMITS).any(axis=1).mean() <= 0.045
    fixed = (looked_at > stdtrit(RUNS[15:] - 1, 0.975)).any(axis=1).mean()
    assert fixed > 0.15, "looking often with an interval for one look rejects too often"


def test_skewed_values_need_fewer_looks() -> None:
    """Of exponential values, whose skewness is 2, the looks of a plan reject few; looks after every run too many."""
    looked_at = statistics(np.random.default_rng(2).exponential(size=(1_000, 256)) - 1) > LIMITS
    looks = np.array([32, 64, 128, 256]) - 16
    assert looked_at[:, looks].any(axis=1).mean() <= 0.05
    assert 0.05 < looked_at.any(axis=1).mean() <= 0.12


def test_an_interval_is_widened_on_its_scale() -> None:
    plain = ConfidenceInterval(low=0.5, high=2.0)
    wide = widened(plain, name="log", runs=64, planned=64)
    assert wide.low * wide.high == pytest.approx(1.0)
    assert wide.low < plain.low
    assert wide.high > plain.high
    assert math.isnan(widened(plain, name="log", runs=2, planned=64).low)
