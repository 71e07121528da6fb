from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.evidence.conformal import (
    ETAS,
    SHORT_BASELINE,
    SHORT_BASELINE_ETAS,
    WIDE_TOLERANCE,
    ConformalTest,
    WatchState,
)

scores = st.lists(st.floats(0.0, 1.0), min_size=5, max_size=60)
memory = st.sampled_from([0.0, 0.3, 0.9])


def first(test: ConformalTest, score: float) -> NDArray[np.float64]:
    """Logs of the e-values of a first window."""
    return test.log_e_values(WatchState.initial(len(test.etas)), score)


def run(test: ConformalTest, stream: Sequence[float]) -> WatchState:
    state = WatchState.initial(len(test.etas))
    for score in stream:
        state = test.step(state, score)
    return state


@given(scores, scores, memory)
def test_no_window_gives_more_than_one_e_per_window_of_the_yardstick_and_itself(
    baseline: list[float], stream: list[float], part: float
) -> None:
    test = ConformalTest.fit(baseline, tolerance=0.0, direction="both", ar1=part)
    state = run(test, stream[:-1])
    assert state.live_windows == len(stream) - 1
    most = len(baseline) + len(stream)
    assert np.exp(test.log_e_values(state, stream[-1])).max() <= most * (1 + 1e-9)


@given(scores, scores, st.floats(0.0, 1.0), st.floats(0.0, 1.0), memory)
def test_more_harm_in_a_window_is_never_less_evidence_from_it(
    baseline: list[float], stream: list[float], one: float, other: float, part: float
) -> None:
    test = ConformalTest.fit(baseline, tolerance=0.01, ar1=part)
    state = run(test, stream)
    less, more = sorted((one, other))
    assert (test.log_e_values(state, more) >= test.log_e_values(state, less) - 1e-12).all()


@given(scores, st.floats(0.0, 1.0))
def test_the_order_of_a_baseline_without_memory_changes_only_rounding(baseline: list[float], score: float) -> None:
    forward = first(ConformalTest.fit(baseline, tolerance=0.0), score)
    backward = first(ConformalTest.fit(baseline[::-1], tolerance=0.0), score)
    np.testing.assert_allclose(forward, backward, rtol=1e-6, atol=1e-6)


@given(scores, scores, memory)
def test_a_state_comes_back_from_text_bit_for_bit(baseline: list[float], stream: list[float], part: float) -> None:
    state = run(ConformalTest.fit(baseline, tolerance=0.0, ar1=part), stream)
    assert WatchState.from_text(state.to_text()) == state


LAWS: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
    "normal": lambda rng, size: rng.normal(0.3, 0.05, size),
    "heavy-tailed": lambda rng, size: 0.3 + 0.02 * rng.standard_t(3, size),
    "skewed": lambda rng, size: rng.gamma(2.0, 0.05, size),
}


@pytest.mark.parametrize("law", LAWS)
def test_e_values_of_a_first_window_average_to_one(law: str) -> None:
    rng = np.random.default_rng(3)
    logs = []
    for _ in range(3000):
        sample = LAWS[law](rng, 41)
        logs.append(first(ConformalTest.fit(sample[:40], tolerance=0.0), float(sample[40])))
    e_values = np.exp(np.asarray(logs))
    error = e_values.std(axis=0) / np.sqrt(len(e_values))
    # The scale comes from the baseline alone, which costs validity a little.
    assert (e_values.mean(axis=0) <= 1.05 + 4 * error).all()


@pytest.mark.parametrize("law", LAWS)
def test_products_over_many_windows_average_to_one_over_lucky_and_unlucky_baselines(law: str) -> None:
    # A short baseline and a long stream: what a fixed yardstick fails. Steep slopes are left out: their products are
    # so skewed that no average of thousands tells anything.
    rng = np.random.default_rng(4)
    products, fixed = [], []
    for _ in range(400):
        sample = LAWS[law](rng, 60)
        test = ConformalTest.fit(sample[:20], tolerance=0.0)
        state, log_product = WatchState.initial(len(ETAS)), np.zeros(len(ETAS))
        still = np.zeros(len(ETAS))
        for score in sample[20:]:
            still += first(test, float(score))
            log_product += test.log_e_values(state, float(score))
            state = test.step(state, float(score))
        products.append(np.exp(log_product)[:1])
        fixed.append(np.exp(still)[:1])
    mean = np.mean(products)
    assert mean <= 1.1 + 4 * np.std(products) / np.sqrt(len(products))
    assert np.mean(fixed) > 2.0 * mean


def test_a_score_within_the_tolerance_is_no_evidence() -> None:
    baseline = np.linspace(0.1, 0.2, 30)
    test = ConformalTest.fit(baseline, tolerance=0.05)
    assert (first(test, float(baseline.mean()) + 0.05) <= 0.0).all()


def test_what_the_last_window_foretells_is_no_evidence() -> None:
    rng = np.random.default_rng(6)
    test = ConformalTest.fit(rng.normal(0.2, 0.03, 60), tolerance=0.0, ar1=0.8)
    after_high = replace(WatchState.initial(len(ETAS)), last_score=0.3)
    assert (test.log_e_values(after_high, 0.28) < first(test, 0.28)).all()
    assert test.innovation(0.28, 0.3) == pytest.approx(0.28 - test.mean - 0.8 * (0.3 - test.mean))


@pytest.mark.parametrize("part", [0.0, 0.4, 0.7])
def test_a_harm_of_any_size_is_told_however_much_its_first_window_stands_out(part: float) -> None:
    # The first harmed window is seen whole, those after it less what it foretells: it must not make them look small.
    rng = np.random.default_rng(7)
    for rise in (5.0, 10.0, 40.0):
        baseline = rng.normal(0.3, 0.03, 90)
        test = ConformalTest.fit(baseline, tolerance=0.0, ar1=part)
        quiet = run(test, rng.normal(0.3, 0.03, 10).tolist())
        evidence = []
        for score in rng.normal(0.3 + rise * 0.03, 0.03, 8):
            quiet = test.step(quiet, float(score))
            evidence.append(quiet.log_evidence)
        assert max(evidence[: 8 if rise == 5.0 else 4]) > np.log(365.0)


@pytest.mark.parametrize(("windows", "etas"), [(SHORT_BASELINE - 1, SHORT_BASELINE_ETAS), (SHORT_BASELINE, ETAS)])
def test_few_windows_have_a_grid_of_their_own(windows: int, etas: tuple[float, ...]) -> None:
    scores = np.linspace(0.1, 0.3, windows)
    assert ConformalTest.fit(scores, tolerance=0.0).etas == etas
    both = ConformalTest.fit(scores, tolerance=0.0, direction="both")
    assert both.etas == etas + tuple(-eta for eta in etas)
    assert (
        both.clipping_bounds[: len(etas)]
        == both.clipping_bounds[len(etas) :]
        == ConformalTest.fit(scores, tolerance=0.0).clipping_bounds
    )


def test_both_directions_carry_the_grid_twice() -> None:
    test = ConformalTest.fit(np.linspace(0.1, 0.2, 30), tolerance=0.0, direction="both")
    low = first(test, 0.0)
    assert test.etas == SHORT_BASELINE_ETAS + tuple(-eta for eta in SHORT_BASELINE_ETAS)
    assert (low[len(ETAS) :] > 0).all()
    assert (low[: len(ETAS)] < 0).all()


def test_a_baseline_that_never_moved_still_has_a_yardstick_which_a_lasting_fault_does_not_join() -> None:
    test = ConformalTest.fit([0.0] * 30, tolerance=0.01, min_std=0.005)
    assert (first(test, 0.0) < 0).all()
    assert first(test, 0.1).max() > 3.0
    assert not test.adds_live_windows
    lasting = run(test, [0.1] * 3)
    assert lasting.live_windows == 0
    assert lasting.log_evidence > np.log(31**2)


def test_a_yardstick_learns_where_its_luck_matters() -> None:
    baseline = np.random.default_rng(1).normal(0.2, 0.03, 90)
    error = float(np.std(baseline, ddof=1)) / np.sqrt(90)
    assert ConformalTest.fit(baseline, tolerance=0.9 * WIDE_TOLERANCE * error).adds_live_windows
    assert not ConformalTest.fit(baseline, tolerance=1.1 * WIDE_TOLERANCE * error).adds_live_windows


def test_too_few_windows_is_said() -> None:
    with pytest.raises(BadInput, match=r"Got 3 windows; expected at least 5"):
        ConformalTest.fit([0.1, 0.2, 0.3], tolerance=0.0)
