"""The e-detector: Shiryaev-Roberts sums in logs, and the run length that they guarantee."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.evidence.betting import EDetectorState, shiryaev_roberts_step

logs = st.lists(st.one_of(st.floats(-700, 700), st.just(float("-inf"))), min_size=1, max_size=20)


@given(logs)
def test_a_state_comes_back_from_text_bit_for_bit(values: list[float]) -> None:
    state = EDetectorState(tuple(values))
    assert EDetectorState.from_text(state.to_text()) == state


def test_text_that_a_store_already_holds_is_read() -> None:
    state = EDetectorState.from_text("0x1.8000000000000p+1 -inf -0x1.0000000000000p-1")
    assert state.log_m == (3.0, -math.inf, -0.5)


@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=40))
def test_the_logs_follow_the_recursion(e_values: list[float]) -> None:
    m = 0.0
    state = EDetectorState.initial(1)
    for e in e_values:
        m = e * (m + 1.0)
        state = state.updated(np.log([e]))
    np.testing.assert_allclose(np.exp(state.log_m[0]), m, rtol=1e-9)


@given(st.lists(st.floats(0.05, 20.0), min_size=1, max_size=12))
def test_the_sum_is_over_all_windows_that_a_change_may_have_begun_in(e_values: list[float]) -> None:
    state = EDetectorState.initial(1)
    for e in e_values:
        state = state.updated(np.log([e]))
    products = [math.prod(e_values[first:]) for first in range(len(e_values))]
    np.testing.assert_allclose(np.exp(state.log_evidence), math.fsum(products), rtol=1e-9)


@given(st.lists(st.floats(-5.0, 5.0), min_size=2, max_size=30), st.integers(0, 30))
def test_stopping_and_continuing_from_text_changes_nothing(log_e: list[float], cut: int) -> None:
    whole = EDetectorState.initial(1)
    for value in log_e:
        whole = whole.updated(np.array([value]))
    half = EDetectorState.initial(1)
    for value in log_e[:cut]:
        half = half.updated(np.array([value]))
    half = EDetectorState.from_text(half.to_text())
    for value in log_e[cut:]:
        half = half.updated(np.array([value]))
    assert half == whole


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=8))
def test_the_evidence_is_the_mean_over_the_grid(values: list[float]) -> None:
    state = EDetectorState(tuple(values))
    top = max(values)
    expected = top + math.log(math.fsum(math.exp(value - top) for value in values) / len(values))
    assert state.log_evidence == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_before_the_first_window_there_is_no_evidence() -> None:
    state = EDetectorState.initial(3)
    assert state.log_m == (-math.inf,) * 3
    assert state.log_evidence == -math.inf


@given(st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=20), st.lists(st.floats(0.0, 2.0), min_size=20, max_size=20))
def test_larger_e_values_never_mean_less_evidence(log_e: list[float], more: list[float]) -> None:
    one = other = EDetectorState.initial(1)
    for value, extra in zip(log_e, more, strict=False):
        one, other = one.updated(np.array([value])), other.updated(np.array([value + extra]))
        assert other.log_evidence >= one.log_evidence


def _run_lengths(e_values: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    """First window at which the mean over the grid reaches the threshold; [streams, windows, grid] in, [streams] out.

    A stream that never does counts as its full length, so the mean is a lower bound.
    """
    log_m = np.full((e_values.shape[0], e_values.shape[2]), -np.inf)
    first = np.full(e_values.shape[0], e_values.shape[1])
    waiting = np.ones(e_values.shape[0], dtype=bool)
    for window in range(e_values.shape[1]):
        log_m = shiryaev_roberts_step(log_m, np.log(e_values[:, window]))
        over = waiting & (np.exp(log_m).mean(axis=1) >= threshold)
        first[over] = window + 1
        waiting &= ~over
    return first


def test_the_average_run_length_at_the_boundary_of_the_null_is_at_least_the_threshold() -> None:
    # Exact e-values: likelihood ratios of normals, over 2,000 streams ten times as long as the threshold.
    rng = np.random.default_rng(11)
    threshold, streams = 40.0, 2000
    shifts = np.array([0.5, 1.0, 2.0])
    x = rng.normal(size=(streams, 400, 1))
    lengths = _run_lengths(np.exp(shifts * x - shifts**2 / 2), threshold)
    error = lengths.std() / np.sqrt(streams)
    assert lengths.mean() >= threshold - 3 * error
