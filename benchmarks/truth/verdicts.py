"""Error rates of verdicts and coverage of their intervals, with and without a true difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from pitfalls_tf.verdicts.paired import COVERAGE, NOMINAL_COVERAGE, Resampling, interval, interval_these_domains
from pitfalls_tf.verdicts.verdict import SMALLEST_DIFFERENCE, outcome_of

SEED = 20_210_405

SCALE = 0.01  # of the largest variance component, in units of the metric: twice the smallest difference that matters

Floats = NDArray[np.float64]
Distribution = Callable[[np.random.Generator, tuple[int, ...]], Floats]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Normal."""
    return rng.normal(size=shape)


def uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Lighter tails than normal."""
    return rng.uniform(-np.sqrt(3), np.sqrt(3), size=shape)


def heavy(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Student's t with 3 degrees of freedom."""
    drawn: Floats = rng.standard_t(3, size=shape) / np.sqrt(3)
    return drawn


def collapse(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """One seed in twenty deviates by ten standard deviations, equally often in either setup."""
    drawn: Floats = rng.normal(size=shape) + (rng.random(shape) < 0.05) * rng.choice([-10.0, 10.0], size=shape)
    return drawn


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Centred Gamma(2): the same mean, another shape."""
    drawn: Floats = (rng.gamma(2.0, size=shape) - 2.0) / np.sqrt(2.0)
    return drawn


def two_point(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Plus or minus one with little noise: training ends in one of two states."""
    return rng.choice([-1.0, 1.0], size=shape) + 0.1 * rng.normal(size=shape)


DISTRIBUTIONS: dict[str, Distribution] = {
    "normal": normal,
    "uniform": uniform,
    "t(3)": heavy,
    "collapsing seeds": collapse,
    "skewed": skewed,
    "two-point": two_point,
}
#: Standard deviations between domains, between seeds (common to all domains), and of the remainder.
VARIANCE_DIVISIONS = {
    "seeds, each domain alone": (0.0, 0.0, 1.0),
    "seeds, in all domains": (0.0, 1.0, 0.2),
    "domains": (1.0, 0.0, 0.5),
    "all alike": (1.0, 1.0, 1.0),
    "mostly seeds": (0.3, 0.3, 1.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Numbers of domains, seeds and comparisons."""

    domains: tuple[int, ...]
    seeds: tuple[int, ...]
    count: int


FULL = Sizes(domains=(1, 2, 3, 6, 12), seeds=(5, 10, 20, 50), count=1_000)
QUICK = Sizes(domains=(1, 3), seeds=(5, 20), count=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """Error rates of simulated comparisons.

    Attributes:
        outside: share of intervals that miss the truth.
        claimed: share with the outcome better or worse.
        missed: share of intervals for these domains that miss the truth.
    """

    outside: float
    claimed: float
    missed: float


def simulate(
    distribution: Distribution,
    spread: tuple[float, float, float],
    shape: tuple[int, int],
    rng: np.random.Generator,
    *,
    count: int,
) -> ErrorRates:
    """Simulate comparisons of gains [domains, seeds] with expectation 0; domain means are always normal."""
    between_domains, between_seeds, within = spread
    domains, seeds = shape
    resampling = Resampling.draw(domains, seeds, rng)
    outside = claimed = missed = 0
    for _ in range(count):
        of_domains = between_domains * rng.normal(size=(domains, 1)) if domains > 1 else np.zeros((1, 1))
        gains = of_domains + between_seeds * distribution(rng, (1, seeds)) + within * distribution(rng, shape)
        estimate = interval(SCALE * gains, resampling)
        outside += not estimate.low <= 0.0 <= estimate.high
        claimed += outcome_of(estimate, SMALLEST_DIFFERENCE) != "inconclusive"
        here = interval_these_domains(SCALE * gains, resampling)
        missed += not here.low <= SCALE * float(of_domains.mean()) <= here.high
    return ErrorRates(outside=outside / count, claimed=claimed / count, missed=missed / count)


def null_table(rng: np.random.Generator, *, sizes: Sizes) -> Table:
    """Table of the worst division of variance for each distribution and size."""
    rows: list[tuple[Cell, ...]] = []
    for name, distribution in DISTRIBUTIONS.items():
        for domains in sizes.domains:
            for seeds in sizes.seeds:
                by_spread = {
                    spread: simulate(distribution, values, (domains, seeds), rng, count=sizes.count)
                    for spread, values in VARIANCE_DIVISIONS.items()
                }
                worst = max(by_spread, key=lambda spread: by_spread[spread].outside)
                rows.append(
                    (
                        name,
                        domains,
                        seeds,
                        max(outcome.claimed for outcome in by_spread.values()),
                        1.0 - by_spread[worst].outside,
                        worst,
                        1.0 - max(outcome.missed for outcome in by_spread.values()),
                    )
                )
    return Table(
        title="No difference: the worst of five ways to divide the variance",
        columns=(
            "distribution of gains",
            "domains",
            "seeds",
            "better or worse",
            "coverage",
            "worst division",
            "coverage, these domains",
        ),
        rows=tuple(rows),
        note=(
            f"{sizes.count:,} comparisons for each of {len(VARIANCE_DIVISIONS)} divisions. Smallest difference that"
            f" matters {SMALLEST_DIFFERENCE:g}, standard deviations {SCALE:g}. Coverage: of zero by the interval,"
            f" {COVERAGE:.0%} promised, with quantiles at {NOMINAL_COVERAGE:.0%}; one minus it is the error rate if"
            " any difference mattered."
        ),
    )


def power_table(rng: np.random.Generator, *, sizes: Sizes) -> Table:
    """Table of the power for a true gain, with equal variances of seeds and domains."""
    rows: list[tuple[Cell, ...]] = []
    for domains in sizes.domains:
        for seeds in sizes.seeds:
            resampling = Resampling.draw(domains, seeds, rng)
            gains = rng.normal(size=(sizes.count, domains, seeds)) + 0.5 * rng.normal(size=(sizes.count, 1, seeds))
            gains += 0.5 * rng.normal(size=(sizes.count, domains, 1)) if domains > 1 else 0.0
            intervals = [interval(SCALE * values, resampling) for values in gains]
            shares = [
                sum(interval.low + true > SMALLEST_DIFFERENCE for interval in intervals) / sizes.count
                for true in (0.01, 0.02, 0.04)
            ]
            width = float(np.median([interval.high - interval.low for interval in intervals]))
            rows.append((domains, seeds, width, *shares))
    return Table(
        title="A true gain: share of comparisons that are better",
        columns=("domains", "seeds", "median width", "gain .01", "gain .02", "gain .04"),
        rows=tuple(rows),
        note=(
            f"{sizes.count:,} comparisons; standard deviations: of a seed in a domain {SCALE:g}, of a seed in all "
            f"domains and of a domain {SCALE / 2:g} each. Smallest difference that matters {SMALLEST_DIFFERENCE:g}."
        ),
    )


def measure(settings: Settings) -> Result:
    """Measure both tables. Cost: five minutes on two idle cores."""
    rng = np.random.default_rng(SEED)
    null = null_table(rng, sizes=QUICK if settings.quick else FULL)
    power = power_table(rng, sizes=QUICK if settings.quick else FULL)
    return Result(tables=(null, power), remarks=tuple(worse(null)))


def worse(table: Table) -> list[str]:
    """Figures that are worse than promised."""
    problems = []
    for distribution, domains, seeds, claimed, covered, where, here in table.rows:
        size = f"{distribution}, {domains} domains, {seeds} seeds"
        assert isinstance(claimed, float)
        assert isinstance(covered, float)
        assert isinstance(here, float)
        if claimed > 1.0 - COVERAGE:
            problems.append(
                f"ERROR RATE EXCEEDED: {size}: better or worse in {claimed:.1%} of comparisons without difference."
            )
        if covered < COVERAGE:
            problems.append(f"Coverage below {COVERAGE:.0%}: {size}, {where}: {covered:.1%}.")
        if here < COVERAGE:
            problems.append(f"Coverage below {COVERAGE:.0%} of these domains: {size}: {here:.1%}.")
    return problems
