"""Intervals by how days differ: equal versions whose days differ are told apart no more often than promised."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from monitoring.rollout.evidence.between_days import (
    beyond,
    bounds_over_days,
    by_volume,
    days_interval,
    days_needed,
    dispersion_of,
    least_days,
)
from monitoring.rollout.evidence.confidence_sequence import interval
from monitoring.rollout.evidence.paired_sums import PairedSums

ALPHA = 0.05


def rows(rng: np.random.Generator, count: int, better: float, worse: float) -> np.ndarray:
    """Differences of 0/1 losses, on so many of which the candidate is right alone, or wrong alone."""
    return rng.choice([-1.0, 0.0, 1.0], count, p=[better, 1.0 - better - worse, worse])


@pytest.mark.parametrize(("tails", "lasting"), [(None, 0.0), (3, 0.0), (None, 0.5), (None, 0.7), (None, 0.9)])
def test_days_with_a_difference_of_their_own_are_told_apart_no_more_often_than_promised(
    tails: int | None, lasting: float
) -> None:
    rng, streams = np.random.default_rng(1), 2_000
    draws = rng.normal(size=(streams, 40)) if tails is None else rng.standard_t(tails, (streams, 40))
    for day in range(1, 40):
        draws[:, day] = lasting * draws[:, day - 1] + math.sqrt(1.0 - lasting**2) * draws[:, day]
    low, high = (beyond(sign * draws, ALPHA).any(axis=1).sum() for sign in (1.0, -1.0))
    assert max(low, high) <= binom.ppf(0.999, streams, ALPHA)


def test_days_that_have_a_trait_in_common_for_a_week_or_four_are_no_verdict() -> None:
    rng, streams = np.random.default_rng(5), 1_000
    weeks = np.repeat(rng.normal(size=(streams, 10)), 7, axis=1)[:, 3:63]
    cycles = np.cos(2.0 * np.pi * (np.arange(60) / 28.0 + rng.random((streams, 1))))
    for days in (weeks, cycles):
        noisy = days + 0.4 * rng.normal(size=days.shape)
        assert beyond(noisy, ALPHA).any(axis=1).sum() <= binom.ppf(0.999, streams, ALPHA)


def test_a_difference_that_falls_with_a_days_rows_is_no_verdict() -> None:
    rng = np.random.default_rng(9)
    weights = np.exp(rng.normal(size=40))
    means = 0.02 * (np.log(weights) - 1.0) + 0.002 * rng.normal(size=40)
    low, high = bounds_over_days(means * weights, weights, ALPHA)
    assert low < -0.02 < 0.01 < high
    assert by_volume(means * weights, np.full(40, 2.0)) == (math.inf, -math.inf)


def test_bounds_are_where_a_mean_of_zero_is_no_longer_rejected() -> None:
    rng = np.random.default_rng(4)
    days = rng.normal(0.7, 1.0, (20, 25))
    rejected = beyond(days, ALPHA)
    bounds = np.array(
        [[bounds_over_days(row[:count], np.ones(count), ALPHA)[0] > 0.0 for count in range(1, 26)] for row in days]
    )
    assert not (bounds & ~rejected).any()
    assert (bounds == rejected).mean() > 0.99  # means beyond one that is rejected are not all
    assert rejected.any()


def test_what_lasts_to_the_next_day_widens_the_bounds_and_turns_do_not() -> None:
    lasting = np.repeat([1.0, -1.0, 1.0, -1.0, 1.0, -1.0], 3)
    turning = np.array([1.0, -1.0] * 9)
    widths = [np.ptp(bounds_over_days(days, np.ones(18), ALPHA)) for days in (lasting, turning)]
    assert widths[0] > 1.3 * widths[1]


def test_rows_alone_tell_equal_versions_apart_whose_days_differ() -> None:
    rng = np.random.default_rng(7)
    wrong, by_rows = 0, 0
    for _ in range(100):
        days = []
        for _ in range(30):
            lean = rng.normal(0.0, 0.03)
            days.append(PairedSums.of(rows(rng, 2_000, 0.08 - lean / 2, 0.08 + lean / 2)))
        by_rows += interval(PairedSums.merged(days), alpha=ALPHA).high < 0.0
        wrong += days_interval(days, alpha=ALPHA).high < 0.0
    assert by_rows > 10  # right for the days seen, wrong for days like them
    assert wrong <= 5


@given(st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=30), st.floats(0.1, 10.0), st.floats(-0.5, 0.5))
@settings(max_examples=50, deadline=None)
def test_bounds_follow_the_unit_of_weights_and_the_place_of_days(days: list[float], unit: float, shift: float) -> None:
    totals, weights = np.array(days), np.ones(len(days))
    low, high = bounds_over_days(totals, weights, ALPHA)
    if (low, high) == (-1.0, 1.0):
        assert len(days) < least_days(ALPHA)
        return
    assert low <= totals.mean() + 1e-9
    assert high >= totals.mean() - 1e-9
    scaled, moved = (
        bounds_over_days(totals * unit, weights * unit, ALPHA),
        bounds_over_days(totals + shift, weights, ALPHA),
    )
    assert scaled == pytest.approx((low, high), abs=1e-6)
    assert moved == pytest.approx((low + shift, high + shift), abs=1e-6)


def test_a_day_with_most_of_the_rows_leaves_few_days() -> None:
    totals = np.array([0.1, 0.2, 0.15, 0.12, 0.18, 0.11, 0.16])
    even = bounds_over_days(totals, np.ones(7), ALPHA)
    assert -1.0 < even[0] < even[1] < 1.0
    weights = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 50.0])
    assert bounds_over_days(totals * weights, weights, ALPHA) == (-1.0, 1.0)


def test_before_so_many_days_nothing_is_known_of_others() -> None:
    assert [least_days(alpha) for alpha in (0.2, 0.05, 0.01)] == [7, 7, 7]
    days = [PairedSums.of(np.array([-1.0] * 50 + [0.0] * 50))] * 6
    assert (days_interval(days, alpha=ALPHA).low, days_interval(days, alpha=ALPHA).high) == (-1.0, 1.0)
    assert days_interval([*days, days[0]], alpha=ALPHA).high == pytest.approx(-0.5)  # days that are all the same
    assert days_interval([], alpha=ALPHA).high == 1.0


def test_days_without_a_label_widen_it_as_rows_do() -> None:
    rng = np.random.default_rng(2)
    days = [rows(rng, 500, 0.06, 0.02) for _ in range(30)]
    gone = [np.where((day != 0.0) & (rng.random(500) < 0.25), np.nan, day) for day in days]
    sums = [PairedSums.of(part, np.abs(day)) for part, day in zip(gone, days, strict=True)]
    bounded, at_random = days_interval(sums, alpha=ALPHA), days_interval(sums, alpha=ALPHA, missing="at random")
    assert bounded.high - bounded.low > 2.0 * PairedSums.merged(sums).unknown_share
    assert at_random.half_width < bounded.half_width


def test_days_that_are_needed_are_about_those_that_it_takes() -> None:
    rng = np.random.default_rng(3)
    totals = rng.normal(0.02, 0.02, 200)
    wanted = days_needed(totals[:6], np.ones(6), distance=0.01, half_width=0.001, alpha=ALPHA)
    assert wanted is not None
    taken = next(
        count for count in range(6, 200) if np.ptp(bounds_over_days(totals[:count], np.ones(count), ALPHA)) < 0.02
    )
    assert 0.3 * taken <= wanted <= 3.0 * taken
    by_rows = days_needed(totals[:6], np.ones(6), distance=0.01, half_width=0.2, alpha=ALPHA)
    assert by_rows is not None
    assert by_rows >= 6 * 400
    assert days_needed(np.zeros(0), np.zeros(0), distance=0.1, half_width=1.0, alpha=ALPHA) is None


def test_windows_that_differ_by_their_rows_alone_have_no_dispersion() -> None:
    rng = np.random.default_rng(6)
    found = [dispersion_of([PairedSums.of(rows(rng, 500, 0.03, 0.03)) for _ in range(30)]) for _ in range(60)]
    assert np.mean(np.array(found) == 1.0) > 0.8
    assert max(found) < 2.5


@given(st.lists(st.integers(0, 50), max_size=8))
def test_dispersion_is_a_number_from_one_on(counts: list[int]) -> None:
    rng = np.random.default_rng(8)
    found = dispersion_of([PairedSums.of(rows(rng, count, 0.2, 0.2)) for count in counts])
    assert math.isfinite(found)
    assert found >= 1.0
