"""How many domains and seeds find a wanted gain, by how gains varied in runs that exist.

For normal gains, the mean and the mean squares of domains, of seeds and of the remainder are independent, and a mean
square is its expectation times a chi-square over its degrees of freedom (Searle, Casella and McCulloch, Variance
Components, 1992, chapter 4). So a comparison is simulated by three numbers. Between which values the variances may lie
is told by dividing the mean squares of the runs by such draws (generalised pivots: Weerahandi, JASA 88, 1993).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import gammaincinv, ndtr

from monitoring.baseline.metrics import ConfidenceInterval
from monitoring.errors import BadInput
from pitfalls_tf.verdicts.paired import COVERAGE, Floats, Variances, half_widths, variances
from pitfalls_tf.verdicts.verdict import AFFORDABLE_SEEDS

if TYPE_CHECKING:
    from pitfalls_tf.verdicts.scores import PairedScores

POWER: Final = 0.9
#: Domains beyond which a plan does not look.
AFFORDABLE_DOMAINS: Final = 1_000
#: Simulated comparisons, and draws of what the variances may be.
COMPARISONS: Final = 1_000
DRAWS: Final = 200
#: The numbers of seeds for which domains are counted, as multiples of those of the runs.
MULTIPLES: Final = (1, 2, 4)
_SEED: Final = 2021  # fixed: the same scores give the same plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """A number of seeds or domains, and between which numbers it lies; None: more than is affordable."""

    number: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPlan:
    """What a comparison needs to call a true gain *better* in `POWER` of all cases.

    Attributes:
        difference: The true gain, in units of the metric.
        smallest: Smallest difference that matters, which the whole interval has to exceed.
        power: Share of comparisons of as many domains and seeds as there are that call it better.
        power_interval: Its interval, as the runs know the variances only so well.
        seeds: Seeds that are needed with these domains.
        domains: Domains that are needed, by number of seeds; none for runs in one domain, which tell nothing of others.
    """

    difference: float
    smallest: float
    power: float
    power_interval: ConfidenceInterval
    seeds: Needed
    domains: dict[int, Needed]


def plan_comparison(pairs: PairedScores, difference: float, *, smallest: float) -> ComparisonPlan:
    """Plan a comparison by runs of its two setups.

    Args:
        pairs: Their scores; domains and seeds are a sample of those that will be used.

    Raises:
        BadInput: The difference is not above the smallest one that matters, or there are fewer than two seeds.
    """
    domains, seeds = pairs.gains.shape
    if not difference > smallest >= 0 or seeds < 2:
        raise BadInput(
            "Such a plan is not possible.",
            got=f"a difference of {difference:g}, a smallest one that matters of {smallest:g}, {seeds} paired seeds",
            expected="a difference above the smallest one, and 2 seeds or more",
            fix="Pass a larger --plan, a smaller --smallest, or train more seeds.",
        )

    found = variances(pairs.gains)
    every = (found, *possible_variances(found, domains, seeds))

    def find(of: Variances, domains: int, seeds: int) -> float:
        return power(of, domains, seeds, difference, smallest=smallest)

    def domains_with(count: int) -> Needed:
        return _needed(AFFORDABLE_DOMAINS, every, lambda of, number: find(of, number, count))

    powers = [find(of, domains, seeds) for of in every]
    low, high = np.quantile(powers[1:], _TAILS)
    return ComparisonPlan(
        difference=difference,
        smallest=smallest,
        power=powers[0],
        power_interval=ConfidenceInterval(low=float(low), high=float(high)),
        seeds=_needed(AFFORDABLE_SEEDS, every, lambda of, count: find(of, domains, count)),
        domains={seeds * each: domains_with(seeds * each) for each in MULTIPLES} if domains > 1 else {},
    )


def power(of: Variances, domains: int, seeds: int, difference: float, *, smallest: float) -> float:
    """Share of comparisons with normal gains that call a true gain of `difference` better. Cost: some 50 microseconds.

    >>> alike = Variances(between_domains=0.0, between_seeds=1e-5, within=1e-4)
    >>> round(power(alike, 10, 6, 0.02, smallest=0.005), 2)
    1.0
    """
    of_seeds = of.between_seeds + of.within / domains
    seeds_drawn = of_seeds * _mean_squares(seeds - 1, 0)
    if of.between_domains is None:
        half = half_widths(None, seeds_drawn, seeds_drawn, domains, seeds)
        error = np.sqrt(of_seeds / seeds)
    else:
        of_domains = of.between_domains + of.within / seeds
        within = of.within * _mean_squares((domains - 1) * (seeds - 1), 1)
        half = half_widths(
            np.maximum(of_domains * _mean_squares(domains - 1, 2), within / seeds),  # as `variances` has them
            np.maximum(seeds_drawn, within / domains),
            within,
            domains,
            seeds,
        )
        error = np.sqrt(of_domains / domains + of.between_seeds / seeds)
    return float(ndtr((difference - smallest - half) / max(error, 1e-12)).mean())


def possible_variances(found: Variances, domains: int, seeds: int) -> list[Variances]:
    """Variances that may have given those that were found in so many domains and seeds, `DRAWS` of them."""
    of_seeds = (found.between_seeds + found.within / domains) / _mean_squares(seeds - 1, 3)[:DRAWS]
    if found.between_domains is None:
        return [Variances(between_domains=None, between_seeds=float(each), within=0.0) for each in of_seeds]
    of_domains = (found.between_domains + found.within / seeds) / _mean_squares(domains - 1, 4)[:DRAWS]
    within = found.within / _mean_squares((domains - 1) * (seeds - 1), 5)[:DRAWS]
    return [
        Variances(
            between_domains=max(0.0, float(of_domain - each / seeds)),
            between_seeds=max(0.0, float(of_seed - each / domains)),
            within=float(each),
        )
        for of_domain, of_seed, each in zip(of_domains, of_seeds, within, strict=True)
    ]


_TAILS: Final = ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2)


@lru_cache(maxsize=4096)
def _mean_squares(freedom: int, number: int) -> Floats:
    """Draws of a mean square whose expectation is 1, [COMPARISONS]; `number`: which of several independent ones."""
    levels = np.random.default_rng((_SEED, number)).random(COMPARISONS)
    drawn: Floats = gammaincinv(freedom / 2, levels) * 2 / freedom
    return drawn


def _needed(most: int, every: Sequence[Variances], power_with: Callable[[Variances, int], float]) -> Needed:
    """The smallest number by the first variances, and its interval by the others."""
    numbers = [_fewest(most, partial(power_with, of)) for of in every]
    low, high = np.quantile(numbers[1:], _TAILS, method="nearest").tolist()
    return Needed(number=_affordable(numbers[0], most), low=_affordable(low, most), high=_affordable(high, most))


def _fewest(most: int, power_with: Callable[[int], float]) -> int:
    """The smallest number from 2 on with a power of `POWER`; one more than `most` if there is none."""
    if power_with(most) < POWER:
        return most + 1
    low, high = 1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_with(middle) >= POWER else (middle, high)
    return high


def _affordable(number: int, most: int) -> int | None:
    return number if number <= most else None
