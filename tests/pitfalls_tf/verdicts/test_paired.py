"""The interval of a mean gain: invariances, special cases and variance components."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from pitfalls_tf.verdicts.paired import (
    NOMINAL_COVERAGE,
    Resampling,
    Variances,
    half_width,
    interval,
    interval_these_domains,
    probability_of_improvement,
    variances,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Gains = NDArray[np.float64]

SHAPES = st.tuples(st.integers(1, 6), st.integers(2, 9))
GAINS = SHAPES.flatmap(lambda shape: arrays(np.float64, shape, elements=st.floats(-1, 1, width=32)))


def drawn(gains: Gains) -> Resampling:
    domains, seeds = gains.shape
    return Resampling.draw(domains, seeds, np.random.default_rng(7))


@settings(max_examples=30)
@given(GAINS, st.floats(-2, 2), st.floats(0.01, 10))
def test_the_interval_shifts_and_scales_with_the_gains(gains: Gains, shift: float, scale: float) -> None:
    before, after = interval(gains, drawn(gains)), interval(scale * gains + shift, drawn(gains))
    assert after.low == pytest.approx(scale * before.low + shift, abs=1e-6)
    assert after.high == pytest.approx(scale * before.high + shift, abs=1e-6)


@settings(max_examples=30)
@given(GAINS)
def test_exchanging_the_setups_mirrors_interval_and_probability(gains: Gains) -> None:
    one, other = interval(gains, drawn(gains)), interval(-gains, drawn(gains))
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)
    assert probability_of_improvement(gains, drawn(gains))[0] == pytest.approx(
        1 - probability_of_improvement(-gains, drawn(gains))[0]
    )


@settings(max_examples=30)
@given(GAINS)
def test_the_interval_contains_the_mean_and_is_at_least_as_wide_as_for_these_domains(gains: Gains) -> None:
    found = interval(gains, drawn(gains))
    assert found.low <= gains.mean() + 1e-12
    assert found.high >= gains.mean() - 1e-12
    domains, seeds = gains.shape
    these = Variances(between_domains=None, between_seeds=float(gains.mean(axis=0).var(ddof=1)), within=0.0)
    assert half_width(variances(gains), domains, seeds) >= half_width(these, 1, seeds) - 1e-9


def test_one_domain_has_students_interval(rng: np.random.Generator) -> None:
    gains = rng.normal(size=(1, 12))
    student = stats.t.interval(NOMINAL_COVERAGE, 11, loc=gains.mean(), scale=stats.sem(gains[0]))
    half = half_width(variances(gains), 1, 12)
    assert (gains.mean() - half, gains.mean() + half) == pytest.approx(student)


def test_domains_that_do_not_vary_with_the_seed_have_students_interval_over_domains() -> None:
    gains = np.repeat([[0.1], [0.3], [0.2], [0.6]], 5, axis=1)
    student = stats.t.interval(NOMINAL_COVERAGE, 3, loc=0.3, scale=stats.sem(gains[:, 0]))
    half = half_width(variances(gains), 4, 5)
    assert (0.3 - half, 0.3 + half) == pytest.approx(student)
    these = interval_these_domains(gains, drawn(gains))
    assert (these.low, these.high) == pytest.approx((0.3, 0.3))


def test_variance_components_are_recovered() -> None:
    rng = np.random.default_rng(3)
    gains = rng.normal(0, 3, (400, 1)) + rng.normal(0, 2, (1, 400)) + rng.normal(0, 1, (400, 400))
    found = variances(gains)
    assert found.between_domains == pytest.approx(9, rel=0.2)
    assert found.between_seeds == pytest.approx(4, rel=0.2)
    assert found.within == pytest.approx(1, rel=0.02)


@given(st.floats(0, 4), st.floats(0, 4), st.floats(0, 4), st.integers(2, 8), st.integers(2, 40))
def test_more_seeds_never_widen_the_interval_and_domains_bound_it_below(
    between_domains: float, between_seeds: float, within: float, domains: int, seeds: int
) -> None:
    made = Variances(between_domains=between_domains, between_seeds=between_seeds, within=within)
    assert half_width(made, domains, seeds + 1) <= half_width(made, domains, seeds) + 1e-12
    floor = stats.t.ppf((1 + NOMINAL_COVERAGE) / 2, domains - 1) * np.sqrt(between_domains / domains)
    assert half_width(made, domains, 100_000) >= floor - 1e-9


def test_a_long_tail_stretches_its_own_side() -> None:
    gains = np.array([[0.0] * 19 + [1.0]])
    found = interval(gains, drawn(gains))
    assert found.high - gains.mean() > 1.05 * (gains.mean() - found.low)


def test_ties_count_half() -> None:
    gains = np.array([[1.0, 0.0, -1.0, 2.0]])
    value, found = probability_of_improvement(gains, drawn(gains))
    assert value == pytest.approx(2.5 / 4)
    assert found.low < value < found.high
