from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitoring.evidence.e_detector import EDetectorState, shiryaev_roberts_step

logs = st.lists(st.one_of(st.floats(-700, 700), st.just(float("-inf"))), min_size=1, max_size=20)


@given(logs)
def test_a_state_comes_back_from_text_bit_for_bit(values: list[float]) -> None:
    state = EDetectorState(tuple(values))
    assert EDetectorState.from_text(state.to_text()) == state


@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=40))
def test_the_logs_follow_the_recursion(e_values: list[float]) -> None:
    m = 0.0
    state = EDetectorState.initial(1)
    for e in e_values:
        m = e * (m + 1.0)
        state = state.updated(np.log([e]))
    np.testing.assert_allclose(np.exp(state.log_m[0]), m, rtol=1e-9)


@given(st.lists(st.floats(-5.0, 5.0), min_size=2, max_size=30), st.integers(0, 30))
def test_stopping_and_going_on_from_text_changes_nothing(log_e: list[float], cut: int) -> None:
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


def _run_lengths(e_values: np.ndarray, threshold: float) -> np.ndarray:
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
