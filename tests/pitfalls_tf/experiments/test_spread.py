"""Intervals for spreads, against simulation and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitfalls_tf.experiments import spread


@pytest.mark.parametrize("count", [6, 10, 20])
def test_the_jackknife_covers_ratios_of_normal_deviations(count: int) -> None:
    """Of 400 simulated experiments with a true ratio of 2, the interval misses at most one in ten."""
    rng = np.random.default_rng(count)
    missed = 0
    for _ in range(400):
        _, interval = spread.jackknife(
            spread.standard_deviation_ratio, rng.normal(0, 2, count), rng.normal(0, 1, count)
        )
        missed += not interval.low <= 2 <= interval.high
    assert missed <= 40


@pytest.mark.parametrize("count", [6, 10, 20])
def test_the_jackknife_covers_distances_of_normal_values(count: int) -> None:
    rng = np.random.default_rng(count)
    truth = 2 / np.sqrt(np.pi)
    missed = 0
    for _ in range(400):
        _, interval = spread.jackknife(spread.mean_difference, rng.normal(0, 1, count))
        missed += not interval.low <= truth <= interval.high
    assert missed <= 40


@given(st.lists(st.integers(-100, 100), min_size=2, max_size=12))
def test_distances_are_those_of_all_pairs(values: list[int]) -> None:
    pairs = [abs(one - other) for place, one in enumerate(values) for other in values[place + 1 :]]
    assert spread.mean_difference(np.array(values, dtype=np.float64)) == pytest.approx(np.mean(pairs))


def test_what_does_not_vary_has_no_interval() -> None:
    assert np.isnan(spread.jackknife(spread.standard_deviation, np.ones(8))[1].low)
    assert np.isnan(spread.jackknife(spread.standard_deviation, np.array([1.0, 2.0]))[1].low)


def test_kendall_is_scipys() -> None:
    from scipy.stats import kendalltau

    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 6, 30).astype(float), rng.integers(0, 6, 30).astype(float)
    tau, interval = spread.kendall_tau(one, other)
    assert tau == pytest.approx(kendalltau(one, other).statistic)
    assert interval.low < tau < interval.high


def test_kendall_needs_five_pairs() -> None:
    tau, interval = spread.kendall_tau(np.arange(4.0), np.arange(4.0))
    assert tau == 1
    assert np.isnan(interval.low)


@given(st.integers(1, 200).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_a_share_lies_in_its_interval(pair: tuple[int, int]) -> None:
    found, interval = spread.proportion(*pair)
    assert 0 <= interval.low <= found + 1e-12
    assert found - 1e-12 <= interval.high <= 1


@given(st.lists(st.integers(1, 9).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))), min_size=2))
def test_a_share_of_clusters_lies_in_its_interval_and_that_within_0_and_1(pairs: list[tuple[int, int]]) -> None:
    hit, of = np.array(pairs, dtype=np.float64).T
    found, interval = spread.clustered_proportion(hit, of, most=float(of.sum()))
    assert 0 <= interval.low <= found + 1e-12
    assert found - 1e-12 <= interval.high <= 1
    assert interval.low < interval.high


@pytest.mark.parametrize("together", [0.1, 0.5, 0.9])
def test_a_share_of_clusters_is_covered_however_much_they_go_together(together: float) -> None:
    """Of 400 simulated experiments of 6 pairs of domains, the interval misses at most one in twelve."""
    rng = np.random.default_rng(6)
    strength = (1 - together) / together
    missed = 0
    for _ in range(400):
        of = rng.integers(3, 12, 6)
        hit = rng.binomial(of, rng.beta(0.3 * strength, 0.7 * strength, 6)).astype(np.float64)
        _, interval = spread.clustered_proportion(hit, of.astype(np.float64), most=float(of.sum()))
        missed += not interval.low <= 0.3 <= interval.high
    assert missed <= 33


def test_a_single_cluster_has_no_interval() -> None:
    found, interval = spread.clustered_proportion(np.array([2.0, 0.0]), np.array([4.0, 0.0]))
    assert found == 0.5
    assert np.isnan(interval.low)


def test_the_bootstrap_holds_the_middle() -> None:
    values = np.arange(20.0)
    interval = spread.bootstrap_interval(spread.worst_minus_median, values, np.random.default_rng(0))
    assert interval.low <= spread.worst_minus_median(values) <= interval.high
