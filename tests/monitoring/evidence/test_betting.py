"""The recovery test: e-values by bounded betting that the harm which opened an incident is gone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.evidence.betting import BET_FRACTIONS, MAX_BOUNDARY, WIDTHS, EDetectorState, RecoveryState, RecoveryTest

GRID = len(WIDTHS) * len(BET_FRACTIONS)

means = st.floats(0.0, 1.0)
stds = st.floats(0.001, 0.2)
rises = st.floats(0.0, 5.0)
recovery_tests = st.builds(
    lambda mean, std, rise: RecoveryTest(mean=mean, std=std, boundary=mean + rise * std), means, stds, rises
)


def evidence(test: RecoveryTest, scores: NDArray[np.float64]) -> list[float]:
    """The log evidence after each window."""
    state = RecoveryState.initial(test.boundary)
    found = []
    for score in scores.tolist():
        state = state.updated(test.log_e_values(score), score)
        found.append(state.log_evidence)
    return found


@given(recovery_tests, st.floats(-2.0, 3.0))
def test_every_e_value_is_a_finite_positive_number(test: RecoveryTest, score: float) -> None:
    logs = test.log_e_values(score)
    assert logs.shape == (GRID,)
    assert np.isfinite(logs).all()


@given(recovery_tests, st.floats(-2.0, 3.0), st.floats(-2.0, 3.0))
def test_a_lower_score_is_never_less_evidence_of_recovery(test: RecoveryTest, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert (test.log_e_values(low) >= test.log_e_values(high) - 1e-12).all()


@given(recovery_tests)
def test_a_score_at_the_boundary_is_evidence_of_nothing(test: RecoveryTest) -> None:
    np.testing.assert_allclose(test.log_e_values(test.boundary), 0.0, atol=1e-9)


@given(recovery_tests, st.floats(0.0, 0.4))
def test_the_expected_e_value_of_two_scores_around_the_boundary_is_one(test: RecoveryTest, spread: float) -> None:
    # Unclipped, so that the bound on the mean is all that the test relies on.
    reach = min(spread, 0.3 * test.std)
    both = [np.exp(test.log_e_values(test.boundary + sign * reach)) for sign in (-1.0, 1.0)]
    np.testing.assert_allclose(np.mean(both, axis=0), 1.0, atol=1e-9)


@given(means, stds, st.floats(4.0, 500.0))
def test_a_harm_of_any_size_leaves_room_for_bets_to_both_sides(mean: float, std: float, rise: float) -> None:
    test = RecoveryTest(mean=mean, std=std, boundary=mean + rise * std / 2)
    gone, lasting = test.log_e_values(mean), test.log_e_values(mean + rise * std)
    assert (gone > 0.01).all()
    assert (lasting < -0.01).all()
    # With the boundary at most MAX_BOUNDARY of a width, the largest bet more than doubles the capital at best.
    assert np.exp(gone).max() <= 1.0 + BET_FRACTIONS[-1] * MAX_BOUNDARY / (1.0 - MAX_BOUNDARY) + 1e-9


@pytest.mark.parametrize("rise", [1.0, 3.0, 10.0])
def test_while_half_of_the_harm_lasts_the_average_run_length_is_at_least_the_threshold(rise: float) -> None:
    rng = np.random.default_rng(3)
    threshold, std = 30.0, 0.02
    test = RecoveryTest(mean=0.2, std=std, boundary=0.2 + rise * std / 2)
    lengths = []
    for _ in range(120):
        logs = evidence(test, rng.normal(test.boundary, std, 150))
        lengths.append(next((window + 1 for window, log in enumerate(logs) if log >= np.log(threshold)), 150))
    assert np.mean(lengths) >= threshold - 3.0 * np.std(lengths) / np.sqrt(len(lengths))


@pytest.mark.parametrize(("rise", "windows"), [(2.0, 40), (5.0, 20), (50.0, 12)])
def test_an_incident_whose_harm_is_gone_is_closed_the_sooner_the_larger_the_harm(rise: float, windows: int) -> None:
    rng = np.random.default_rng(4)
    test = RecoveryTest(mean=0.2, std=0.02, boundary=0.2 + rise * 0.02 / 2)
    logs = evidence(test, rng.normal(0.2, 0.02, windows))
    assert max(logs) >= np.log(365.0)


def test_the_state_begins_at_the_boundary_and_without_evidence() -> None:
    state = RecoveryState.initial(0.25)
    assert (state.boundary, state.last_score, state.log_evidence) == (0.25, 0.25, -np.inf)
    after = state.updated(np.zeros(GRID), 0.2)
    assert (after.boundary, after.last_score, after.log_evidence) == (0.25, 0.2, 0.0)
    assert state.log_evidence == -np.inf


@given(
    st.floats(-1.0, 2.0),
    st.floats(-1.0, 2.0),
    st.lists(st.floats(-700.0, 700.0) | st.just(float("-inf")), min_size=GRID, max_size=GRID),
)
def test_a_state_comes_back_from_text_bit_for_bit(boundary: float, last: float, logs: list[float]) -> None:
    state = RecoveryState(boundary=boundary, last_score=last, detector=EDetectorState(tuple(logs)))
    assert RecoveryState.from_text(state.to_text()) == state


def test_text_that_a_store_already_holds_is_read() -> None:
    text = "0x1.0000000000000p-2 0x1.0000000000000p-3 0x1.0000000000000p+0 -inf 0x0.0p+0 -inf -inf -inf"
    state = RecoveryState.from_text(text)
    assert (state.boundary, state.last_score) == (0.25, 0.125)
    assert state.detector.log_m[:3] == (1.0, -np.inf, 0.0)
    assert state.to_text() == text


def test_the_grid_is_every_width_with_every_bet() -> None:
    test = RecoveryTest(mean=0.2, std=0.02, boundary=0.22)
    score = 0.19
    expected = []
    for width, bet in itertools.product(WIDTHS, BET_FRACTIONS):
        clipped = (score - 0.2 + 0.04) / (width * 0.02)
        boundary = 0.06 / (width * 0.02)
        expected.append(1.0 + bet * (boundary - clipped) / (1.0 - boundary))
    np.testing.assert_allclose(np.exp(test.log_e_values(score)), expected, rtol=1e-12)
