"""Plans of comparisons: what simulated comparisons do, and numbers that are the smallest."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.verdicts.paired import Floats, Resampling, Variances, interval
from pitfalls_tf.verdicts.power import POWER, Needed, plan_comparison, possible_variances, power
from pitfalls_tf.verdicts.scores import PairedScores, PairedSetup
from pitfalls_tf.verdicts.verdict import outcome_of

SMALLEST = 0.005
ALIKE = Variances(between_domains=0.0, between_seeds=2e-5, within=2e-4)
DIFFERENT = Variances(between_domains=4e-4, between_seeds=2e-5, within=2e-4)


def drawn(of: Variances, domains: int, seeds: int, rng: np.random.Generator) -> Floats:
    gains: Floats = np.sqrt(of.within) * rng.normal(size=(domains, seeds))
    gains += np.sqrt(of.between_seeds) * rng.normal(size=(1, seeds))
    gains += np.sqrt(of.between_domains or 0.0) * rng.normal(size=(domains, 1))
    return gains


def pairs(gains: Floats) -> PairedScores:
    setups = [
        PairedSetup(setup=name, origin="", values=values, fingerprint="")
        for name, values in (("a", 0.9 + gains), ("b", np.full_like(gains, 0.9)))
    ]
    return PairedScores(
        metric="auc",
        larger_is_better=True,
        domains=tuple(map(str, range(len(gains)))),
        seeds=tuple(range(gains.shape[1])),
        a=setups[0],
        b=setups[1],
        left_out=(),
    )


@pytest.mark.parametrize(("of", "domains", "seeds"), [(ALIKE, 6, 6), (DIFFERENT, 12, 6), (DIFFERENT, 25, 3)])
def test_power_is_the_share_of_simulated_comparisons_that_are_better(of: Variances, domains: int, seeds: int) -> None:
    rng = np.random.default_rng(5)
    resampling = Resampling.draw(domains, seeds, rng)
    intervals = [interval(0.02 + drawn(of, domains, seeds, rng), resampling) for _ in range(300)]
    found = np.mean([outcome_of(each, SMALLEST) == "better" for each in intervals])
    said = power(of, domains, seeds, 0.02, smallest=SMALLEST)
    assert found - 0.08 <= said <= found + 0.15  # intervals are stretched where resampled means have long tails


def test_a_plan_names_the_smallest_numbers_with_the_power() -> None:
    plan = plan_comparison(pairs(drawn(DIFFERENT, 10, 6, np.random.default_rng(1))), 0.02, smallest=SMALLEST)
    assert plan.power < POWER
    assert plan.power_interval.low <= plan.power <= plan.power_interval.high
    assert list(plan.domains) == [6, 12, 24]
    numbers = [needed.number for needed in plan.domains.values()]
    assert all(number is not None and number > 10 for number in numbers)
    assert numbers == sorted(numbers, key=lambda number: -(number or 0))
    for needed in plan.domains.values():
        assert needed.low is not None
        assert needed.number is not None
        assert needed.low <= needed.number
        assert needed.high is None or needed.number <= needed.high


def test_domains_that_differ_cannot_be_replaced_by_seeds_and_more_runs_know_more() -> None:
    few = plan_comparison(pairs(drawn(DIFFERENT, 5, 4, np.random.default_rng(2))), 0.02, smallest=SMALLEST)
    many = plan_comparison(pairs(drawn(DIFFERENT, 80, 10, np.random.default_rng(2))), 0.02, smallest=SMALLEST)
    assert few.seeds == Needed(number=None, low=None, high=None)
    narrow, wide = many.domains[10], few.domains[4]
    assert narrow.low is not None
    assert narrow.high is not None
    assert wide.low is not None
    assert wide.high is None or wide.high / wide.low > narrow.high / narrow.low


def test_one_domain_is_planned_by_seeds_alone() -> None:
    plan = plan_comparison(pairs(drawn(ALIKE, 1, 5, np.random.default_rng(3))), 0.02, smallest=SMALLEST)
    assert plan.domains == {}
    assert plan.seeds.number is not None


def test_possible_variances_are_around_those_that_were_found() -> None:
    possible = possible_variances(DIFFERENT, 40, 20)
    assert np.median([each.between_domains for each in possible]) == pytest.approx(4e-4, rel=0.15)
    assert np.median([each.within for each in possible]) == pytest.approx(2e-4, rel=0.05)


@pytest.mark.parametrize(("difference", "smallest"), [(0.005, 0.005), (0.01, -0.1), (float("nan"), 0.005)])
def test_what_cannot_be_planned_is_refused(difference: float, smallest: float) -> None:
    with pytest.raises(BadInput, match="not possible"):
        plan_comparison(pairs(drawn(ALIKE, 3, 3, np.random.default_rng(4))), difference, smallest=smallest)
