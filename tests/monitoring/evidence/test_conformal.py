from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.evidence.conformal import ETAS, ConformalTest

scores = st.lists(st.floats(0.0, 1.0), min_size=5, max_size=60)


@given(scores, st.floats(0.0, 1.0))
def test_no_window_gives_more_than_one_e_per_window_of_the_baseline_and_itself(
    baseline: list[float], score: float
) -> None:
    test = ConformalTest.fit(baseline, tolerance=0.0, direction="both")
    assert np.exp(test.log_e_values(score)).max() <= (len(baseline) + 1) * (1 + 1e-9)


@given(scores, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_more_harm_is_never_less_evidence(baseline: list[float], one: float, other: float) -> None:
    test = ConformalTest.fit(baseline, tolerance=0.01)
    less, more = sorted((one, other))
    assert (test.log_e_values(more) >= test.log_e_values(less) - 1e-12).all()


@given(scores, st.floats(0.0, 1.0))
def test_the_order_of_the_baseline_changes_only_rounding(baseline: list[float], score: float) -> None:
    forward = ConformalTest.fit(baseline, tolerance=0.0).log_e_values(score)
    backward = ConformalTest.fit(baseline[::-1], tolerance=0.0).log_e_values(score)
    np.testing.assert_allclose(forward, backward, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("law", ["normal", "heavy-tailed", "skewed"])
def test_e_values_average_to_one_over_exchangeable_windows(law: str) -> None:
    rng = np.random.default_rng(3)
    laws: dict[str, Callable[[], NDArray[np.float64]]] = {
        "normal": lambda: rng.normal(0.3, 0.05, 41),
        "heavy-tailed": lambda: 0.3 + 0.02 * rng.standard_t(2, 41),
        "skewed": lambda: rng.gamma(2.0, 0.05, 41),
    }
    logs = []
    for _ in range(3000):
        sample = laws[law]()
        logs.append(ConformalTest.fit(sample[:40], tolerance=0.0).log_e_values(sample[40]))
    e_values = np.exp(np.asarray(logs))
    error = e_values.std(axis=0) / np.sqrt(len(e_values))
    # The mean and deviation come from the baseline alone, which costs validity a little; 1.15 bounds what was measured.
    assert (e_values.mean(axis=0) <= 1.15 + 4 * error).all()


def test_a_score_within_the_tolerance_is_no_evidence() -> None:
    baseline = np.linspace(0.1, 0.2, 30)
    test = ConformalTest.fit(baseline, tolerance=0.05)
    assert (test.log_e_values(baseline.mean() + 0.05) <= 0.0).all()


def test_both_directions_carry_the_grid_twice() -> None:
    test = ConformalTest.fit(np.linspace(0.1, 0.2, 30), tolerance=0.0, direction="both")
    low = test.log_e_values(0.0)
    assert test.steepness == ETAS + tuple(-eta for eta in ETAS)
    assert (low[len(ETAS) :] > 0).all()
    assert (low[: len(ETAS)] < 0).all()


def test_a_baseline_that_never_moved_still_has_a_yardstick() -> None:
    test = ConformalTest.fit([0.0] * 30, tolerance=0.01, smallest_deviation=0.005)
    assert (test.log_e_values(0.0) < 0).all()
    assert test.log_e_values(0.1).max() > 3.0


def test_too_few_windows_is_said() -> None:
    with pytest.raises(BadInput, match=r"Got 3 windows; expected at least 5"):
        ConformalTest.fit([0.1, 0.2, 0.3], tolerance=0.0)
