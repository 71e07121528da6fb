"""Conformal e-values: exact on average, bounded, and monotone in the harm."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.evidence.conformal import (
    ETAS,
    FIXED_CLIPPING_BOUND,
    FIXED_ETAS,
    MIN_FIXED_WINDOWS,
    SHORT_BASELINE,
    SHORT_BASELINE_ETAS,
    WIDE_TOLERANCE,
    ConformalTest,
    ConformalTests,
    WatchState,
    innovations,
    small_sample_correction,
)
from monitoring.evidence.sampling_variance import SamplingVariance
from monitoring.evidence.simulation import VectorizedTests
from monitoring.records import Direction

scores = st.lists(st.floats(0.0, 1.0), min_size=5, max_size=60)
coefficients = st.sampled_from([0.0, 0.3, 0.9])


def first(test: ConformalTest, score: float) -> NDArray[np.float64]:
    """Logs of the e-values of a first window."""
    return test.log_e_values(WatchState.initial(len(test.etas)), score)


def run(test: ConformalTest, stream: Sequence[float]) -> WatchState:
    state = WatchState.initial(len(test.etas))
    for score in stream:
        state = test.step(state, score)
    return state


@given(scores, scores, coefficients)
def test_no_e_value_exceeds_the_number_of_windows_in_the_calibration_set_and_its_own(
    baseline: list[float], stream: list[float], ar1: float
) -> None:
    test = ConformalTest.fit(baseline, tolerance=0.0, direction="both", ar1=ar1)
    state = run(test, stream[:-1])
    assert state.live_windows == len(stream) - 1
    most = len(baseline) + len(stream)
    assert np.exp(test.log_e_values(state, stream[-1])).max() <= most * (1 + 1e-9)


@given(scores, scores, st.floats(0.0, 1.0), st.floats(0.0, 1.0), coefficients)
def test_more_harm_in_a_window_is_never_less_evidence_from_it(
    baseline: list[float], stream: list[float], one: float, other: float, ar1: float
) -> None:
    test = ConformalTest.fit(baseline, tolerance=0.01, ar1=ar1)
    state = run(test, stream)
    less, more = sorted((one, other))
    assert (test.log_e_values(state, more) >= test.log_e_values(state, less) - 1e-12).all()


@given(scores, st.floats(0.0, 1.0))
def test_the_order_of_a_baseline_without_autocorrelation_changes_only_rounding(
    baseline: list[float], score: float
) -> None:
    forward = first(ConformalTest.fit(baseline, tolerance=0.0), score)
    backward = first(ConformalTest.fit(baseline[::-1], tolerance=0.0), score)
    np.testing.assert_allclose(forward, backward, rtol=1e-6, atol=1e-6)


@given(scores, scores, coefficients)
def test_a_state_comes_back_from_text_bit_for_bit(baseline: list[float], stream: list[float], ar1: float) -> None:
    state = run(ConformalTest.fit(baseline, tolerance=0.0, ar1=ar1), stream)
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
    # A short baseline and a long stream: a fixed calibration set fails here. Large η are left out: their products are
    # so skewed that an average of thousands says nothing.
    rng = np.random.default_rng(4)
    products, fixed = [], []
    for _ in range(400):
        sample = LAWS[law](rng, 60)
        test = ConformalTest.fit(sample[:20], tolerance=0.0)
        state, log_product = WatchState.initial(len(ETAS)), np.zeros(len(ETAS))
        fixed_log = np.zeros(len(ETAS))
        for score in sample[20:]:
            fixed_log += first(test, float(score))
            log_product += test.log_e_values(state, float(score))
            state = test.step(state, float(score))
        products.append(np.exp(log_product)[:1])
        fixed.append(np.exp(fixed_log)[:1])
    mean = np.mean(products)
    assert mean <= 1.1 + 4 * np.std(products) / np.sqrt(len(products))
    assert np.mean(fixed) > 2.0 * mean


def test_a_score_within_the_tolerance_is_no_evidence() -> None:
    baseline = np.linspace(0.1, 0.2, 30)
    test = ConformalTest.fit(baseline, tolerance=0.05)
    assert (first(test, float(baseline.mean()) + 0.05) <= 0.0).all()


def test_what_the_previous_window_predicts_is_no_evidence() -> None:
    rng = np.random.default_rng(6)
    test = ConformalTest.fit(rng.normal(0.2, 0.03, 60), tolerance=0.0, ar1=0.8)
    after_high = replace(WatchState.initial(len(ETAS)), last_score=0.3)
    assert (test.log_e_values(after_high, 0.28) < first(test, 0.28)).all()
    off, last, ar1, first_scale = (np.array([value]) for value in (0.28 - test.mean, 0.3 - test.mean, 0.8, 0.6))
    innovation, scale = innovations(off, last, ar1, first_scale)
    assert (innovation.item(), scale.item()) == pytest.approx((0.28 - test.mean - 0.8 * (0.3 - test.mean), 0.2))


@pytest.mark.parametrize("ar1", [0.0, 0.4, 0.7])
def test_a_harm_of_any_size_is_detected_however_extreme_its_first_window_is(ar1: float) -> None:
    # The first harmed window is seen whole, later ones less its prediction: it must not make them look small.
    rng = np.random.default_rng(7)
    for rise in (5.0, 10.0, 40.0):
        baseline = rng.normal(0.3, 0.03, 90)
        test = ConformalTest.fit(baseline, tolerance=0.0, ar1=ar1)
        quiet = run(test, rng.normal(0.3, 0.03, 10).tolist())
        evidence = []
        for score in rng.normal(0.3 + rise * 0.03, 0.03, 8):
            quiet = test.step(quiet, float(score))
            evidence.append(quiet.log_evidence)
        assert max(evidence[: 8 if rise == 5.0 else 4]) > np.log(365.0)


@pytest.mark.parametrize(("windows", "etas"), [(SHORT_BASELINE - 1, SHORT_BASELINE_ETAS), (SHORT_BASELINE, ETAS)])
def test_short_baselines_have_a_grid_of_their_own(windows: int, etas: tuple[float, ...]) -> None:
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


def test_a_baseline_that_never_varied_has_a_calibration_set_that_a_lasting_fault_does_not_join() -> None:
    test = ConformalTest.fit([0.0] * 30, tolerance=0.01, min_std=0.005)
    assert (first(test, 0.0) < 0).all()
    assert first(test, 0.1).max() > 3.0
    assert not test.adds_live_windows
    lasting = run(test, [0.1] * 3)
    assert lasting.live_windows == 0
    assert lasting.log_evidence > np.log(31**2)


def test_live_windows_join_the_calibration_set_where_the_error_of_the_mean_matters() -> None:
    baseline = np.random.default_rng(1).normal(0.2, 0.03, 90)
    error = float(np.std(baseline, ddof=1)) / np.sqrt(90)
    assert ConformalTest.fit(baseline, tolerance=0.9 * WIDE_TOLERANCE * error).adds_live_windows
    assert not ConformalTest.fit(baseline, tolerance=1.1 * WIDE_TOLERANCE * error).adds_live_windows


def test_too_few_windows_are_refused() -> None:
    with pytest.raises(BadInput, match=r"Got 3 windows; expected at least 5"):
        ConformalTest.fit([0.1, 0.2, 0.3], tolerance=0.0)


@given(scores, scores, coefficients, st.sampled_from(["up", "both"]), st.floats(0.0, 0.2))
def test_another_coefficient_is_another_fit_to_the_same_baseline(
    baseline: list[float], stream: list[float], ar1: float, direction: Direction, tolerance: float
) -> None:
    plain = ConformalTest.fit(baseline, tolerance=tolerance, direction=direction, min_std=0.01)
    fitted = ConformalTest.fit(baseline, tolerance=tolerance, direction=direction, ar1=ar1, min_std=0.01)
    assert plain.with_ar1(ar1) == fitted
    assert fitted.with_ar1(ar1) is fitted
    assert fitted.with_ar1(0.0) == plain
    assert plain.direction == direction
    assert run(plain.with_ar1(ar1), stream) == run(fitted, stream)


@given(scores, scores, st.floats(0.0, 1.0), coefficients)
def test_a_wider_tolerance_never_means_more_evidence_from_a_window(
    baseline: list[float], stream: list[float], score: float, ar1: float
) -> None:
    narrow, wide = (ConformalTest.fit(baseline, tolerance=tolerance, ar1=ar1) for tolerance in (0.0, 0.05))
    state = run(narrow, stream)
    assert (wide.log_e_values(state, score) <= narrow.log_e_values(state, score) + 1e-12).all()


@given(scores, scores, st.floats(0.0, 1.0))
def test_a_fall_is_a_rise_of_the_mirrored_scores(baseline: list[float], stream: list[float], score: float) -> None:
    test = ConformalTest.fit(baseline, tolerance=0.01, direction="both")
    mirrored = ConformalTest.fit([1.0 - one for one in baseline], tolerance=0.01, direction="both")
    logs = test.log_e_values(run(test, stream), score)
    other = mirrored.log_e_values(run(mirrored, [1.0 - one for one in stream]), 1.0 - score)
    half = len(logs) // 2
    np.testing.assert_allclose(logs[:half], other[half:], rtol=1e-6, atol=1e-6)


def test_scores_beyond_every_bound_are_all_the_same() -> None:
    test = ConformalTest.fit(np.random.default_rng(2).normal(0.2, 0.02, 90), tolerance=0.0)
    far, farther = (first(test, test.mean + sizes * test.innovation_std) for sizes in (5.0, 50.0))
    np.testing.assert_array_equal(far, farther)
    assert (first(test, test.mean + 2.0 * test.innovation_std) < far).all()


@given(scores, st.lists(st.floats(0.0, 1.0), max_size=10), coefficients)
def test_the_innovations_of_the_baseline_are_what_its_sums_are_made_of(
    baseline: list[float], stream: list[float], ar1: float
) -> None:
    test = ConformalTest.fit(baseline, tolerance=0.0, ar1=ar1, min_std=0.01)
    off = np.asarray(baseline) - test.mean
    last = np.array([np.nan, *off[:-1]])
    each, _ = innovations(off, last, np.array(ar1), np.array(test.first_innovation_scale))
    for eta, bound, log_sum in zip(test.etas, test.clipping_bounds, test.log_calibration_sums, strict=True):
        standardised = (each / test.innovation_std).tolist()
        expected = math.log(math.fsum(math.exp(eta * min(max(u, -bound), bound)) for u in standardised))
        assert log_sum == pytest.approx(expected, abs=1e-9)


def test_a_restart_drops_live_windows_and_keeps_the_previous_score() -> None:
    test = ConformalTest.fit(np.linspace(0.1, 0.2, 30), tolerance=0.0)
    state = run(test, [0.15, 0.16, 0.17])
    again = WatchState.initial(len(test.etas), last_score=state.last_score)
    assert (again.live_windows, again.log_evidence, again.last_score) == (0, -math.inf, 0.17)
    assert again.log_live_sums == (-math.inf,) * len(test.etas)


def test_text_that_a_store_already_holds_is_read() -> None:
    text = "0x1.0000000000000p+0 -inf;0x1.8000000000000p+1 -inf;7;0x1.0000000000000p-2"
    state = WatchState.from_text(text)
    assert (state.detector.log_m, state.log_live_sums) == ((1.0, -math.inf), (3.0, -math.inf))
    assert (state.live_windows, state.last_score) == (7, 0.25)
    assert state.to_text() == text
    assert WatchState.from_text("-inf;-inf;0;-").last_score is None


@given(st.floats(0.1, 3.0), st.floats(0.0, 50.0), st.floats(0.0, 50.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_the_small_sample_correction_grows_with_the_excess_and_falls_with_the_variance_observed(
    eta: float, one: float, other: float, less: float, more: float
) -> None:
    etas = np.array([eta, -eta])
    low, high = sorted((one, other))
    assert (small_sample_correction(etas, low, less) <= small_sample_correction(etas, high, less) + 1e-12).all()
    seldom, often = sorted((less, more))
    assert (small_sample_correction(etas, high, often) <= small_sample_correction(etas, high, seldom) + 1e-12).all()
    assert (small_sample_correction(etas, 0.0, less) == 0.0).all()
    assert (small_sample_correction(etas, high, 1.0) == 0.0).all()
    assert (small_sample_correction(etas, high, 0.0) <= eta**2 / 2.0).all()


def fitted(*, fixed: bool, direction: Direction = "up") -> ConformalTest:
    scores = np.random.default_rng(8).normal(0.2, 0.03, 90)
    test = ConformalTest.fit(scores, tolerance=0.0, direction=direction)
    return test.with_fixed_reference() if fixed else test


@given(st.floats(-1.0, 1.0))
def test_fixed_reference_points_are_likelihood_ratios_against_the_baseline_alone(score: float) -> None:
    test = fitted(fixed=True)
    state = run_from(test, [0.25] * 5)
    off = (score - test.mean) / test.innovation_std - 1.0 / math.sqrt(test.windows)
    z = np.clip(off, -FIXED_CLIPPING_BOUND, FIXED_CLIPPING_BOUND)
    expected = [eta * z - eta**2 / 2.0 for eta in FIXED_ETAS]
    np.testing.assert_allclose(test.log_e_values(state, score)[len(ETAS) :], expected, atol=1e-9)
    np.testing.assert_array_equal(
        test.log_e_values(state, score)[: len(ETAS)],
        fitted(fixed=False).log_e_values(run_from(fitted(fixed=False), [0.25] * 5), score),
    )


def run_from(test: ConformalTest, stream: Sequence[float]) -> WatchState:
    state = test.initial_state()
    for score in stream:
        state = test.step(state, score)
    return state


def test_a_slow_drift_that_live_windows_absorb_is_found_by_the_fixed_reference() -> None:
    """Half of a standard deviation more after a year of days, a little in each window, on 200 streams."""
    quantiles = NormalDist().quantiles(122)[::2]
    baseline = np.random.default_rng(3).permutation(0.2 + 0.03 * np.array(quantiles))
    drift = 0.2 + 0.03 * (np.random.default_rng(1).normal(size=(200, 365)) + 0.0014 * np.arange(365))
    learning, found = ConformalTest.fit(baseline, tolerance=0.0), []
    for test in (learning, learning.with_fixed_reference()):
        tests = VectorizedTests([test], 200)
        evidence = np.concatenate([tests.step(drift[:, [window]]) for window in range(365)], axis=1)
        found.append(float((evidence.max(axis=1) >= 365.0).mean()))
    assert found[1] > max(found[0] + 0.05, 0.9)


@given(scores, st.floats(0.5, 1.0), st.floats(0.0, 0.95), st.sampled_from(["up", "both"]), st.floats(0.0, 1.0))
def test_evidence_goes_on_when_the_coefficient_changes_whatever_the_baseline_s_variance(
    steps: list[float], share: float, ar1: float, direction: Direction, score: float
) -> None:
    """The variance of innovations may fall below the smallest that is assumed: that changes no grid."""
    walk = np.cumsum(np.array(steps * (1 + MIN_FIXED_WINDOWS // len(steps))) - 0.5)
    min_std = max(share * float(walk.std(ddof=1)), 1e-6)
    test = ConformalTest.fit(walk, tolerance=0.0, direction=direction, min_std=min_std).with_fixed_reference()
    state = run_from(test, [score])
    assert test.with_ar1(ar1).grid == test.grid
    assert len(test.with_ar1(ar1).step(state, score).detector.log_m) == test.grid


def test_two_sided_tests_have_fixed_points_for_falls_and_scores_that_never_varied_have_none() -> None:
    assert fitted(fixed=True).fixed_etas == FIXED_ETAS
    assert fitted(fixed=True, direction="both").fixed_etas == FIXED_ETAS + tuple(-eta for eta in FIXED_ETAS)
    assert fitted(fixed=False).fixed_etas == ()
    assert ConformalTest.fit([0.2] * 60, tolerance=0.0, min_std=0.01).with_fixed_reference().fixed_etas == ()
    assert fitted(fixed=True).with_ar1(0.3).fixed_etas == FIXED_ETAS


@pytest.mark.parametrize(("windows", "fixed"), [(MIN_FIXED_WINDOWS - 1, ()), (MIN_FIXED_WINDOWS, FIXED_ETAS)])
def test_baselines_of_few_windows_have_no_fixed_reference(windows: int, fixed: tuple[float, ...]) -> None:
    scores = np.random.default_rng(8).normal(0.2, 0.03, windows)
    test = ConformalTest.fit(scores, tolerance=0.0).with_fixed_reference()
    assert test.fixed_etas == test.with_ar1(0.3).fixed_etas == fixed


def test_a_state_with_fixed_points_comes_back_from_text_bit_for_bit() -> None:
    state = run_from(fitted(fixed=True), [0.2, 0.25, 0.3])
    assert WatchState.from_text(state.to_text()) == state
    assert len(state.detector.log_m) == fitted(fixed=True).grid == len(ETAS) + len(FIXED_ETAS)


def test_the_state_of_a_test_without_fixed_points_is_read_and_refused_by_one_that_has_them() -> None:
    """Its text is read, for the record; a step with it is an error rather than evidence of something else."""
    old = WatchState.from_text(run_from(fitted(fixed=False), [0.2, 0.25]).to_text())
    with pytest.raises(ValueError, match="shape"):
        fitted(fixed=True).step(old, 0.3)


@given(st.floats(0.0, 0.3), st.floats(0.0, 1.0))
def test_an_offset_lowers_evidence_of_rises_and_leaves_that_of_falls(offset: float, score: float) -> None:
    test = fitted(fixed=True, direction="both")
    state = test.initial_state()
    plain, moved = test.log_e_values(state, score), test.log_e_values(state, score, offset=offset)
    rises = np.array([*test.etas, *test.fixed_etas]) > 0.0
    assert (moved[rises] <= plain[rises] + 1e-12).all()
    np.testing.assert_array_equal(moved[~rises], plain[~rises])


@given(st.integers(0, 2**32 - 1), st.sampled_from(["up", "both"]), st.booleans())
def test_a_test_steps_to_the_same_bits_alone_and_among_others(seed: int, direction: Direction, fixed: bool) -> None:
    rng = np.random.default_rng(seed)
    tests = [
        ConformalTest.fit(
            rng.beta(2, 5, windows) * rng.integers(2),
            tolerance=float(rng.choice([0.0, 0.02, 0.5])),
            direction=direction,
            ar1=float(rng.choice([0.0, 0.37])),
            min_std=1e-3,
            sampling_variance=SamplingVariance(row_variance=float(rng.uniform(0, 0.2)), reference_rows=120.0),
        )
        for windows in rng.choice([20, 40, 90], 7).tolist()
    ]
    if fixed:
        tests = [replace(test, fixed_etas=FIXED_ETAS) for test in tests]
    together = ConformalTests.of(tests)
    alone = [test.initial_state() for test in tests]
    for _ in range(6):
        places = np.flatnonzero(rng.random(len(tests)) < 0.7).tolist() or [0]
        scores, offsets = rng.random(len(places)).tolist(), rng.normal(0.0, 0.05, len(places)).tolist()
        rows = rng.integers(1, 300, len(places)).tolist()
        after = together.at(places).step([alone[place] for place in places], scores, rows, offsets)
        for place, score, count, offset, state in zip(places, scores, rows, offsets, after, strict=True):
            alone[place] = tests[place].step(alone[place], score, count, offset=offset)
            assert state == alone[place]
