"""Intervals for how much runs differ: standard deviations, distances, ranks and shares, from few seeds.

Means have `pitfalls_tf.verdicts.paired`. For what is no mean, the bootstrap is too narrow with 5 to 20 runs, as it is
there; the jackknife on a logarithm with Student's quantile is not (Miller, Biometrika 61, 1974, section 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtri, stdtrit

from monitoring.baseline.metrics import ConfidenceInterval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEVEL: Final = 0.95
UNKNOWN: Final = ConfidenceInterval(low=float("nan"), high=float("nan"))


def jackknife(statistic: Callable[..., float], *values: Floats) -> tuple[float, ConfidenceInterval]:
    """A positive statistic of one or more paired samples, each [n], and the 95 % interval of what it estimates.

    The interval is Student's, of the pseudo-values of the logarithm. Unknown, NaN, with fewer than three values or
    where a statistic is 0. Assumes independent values, and a smooth statistic.

    >>> found, interval = jackknife(deviation, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    >>> round(found, 3), interval.low < found < interval.high
    (1.581, True)
    """
    count = len(values[0])
    estimate = statistic(*values) if count > 1 else float("nan")
    if count < 3 or not estimate > 0:
        return estimate, UNKNOWN
    without = np.array([statistic(*(np.delete(sample, place) for sample in values)) for place in range(count)])
    if not (without > 0).all():
        return estimate, UNKNOWN
    pseudo = count * np.log(estimate) - (count - 1) * np.log(without)
    half = float(stdtrit(count - 1, (1 + LEVEL) / 2)) * float(pseudo.std(ddof=1)) / np.sqrt(count)
    return estimate, ConfidenceInterval(
        low=float(np.exp(pseudo.mean() - half)), high=float(np.exp(pseudo.mean() + half))
    )


def deviation(values: Floats) -> float:
    """Sample standard deviation."""
    return float(values.std(ddof=1))


def variance_ratio(of: Floats, to: Floats) -> float:
    """Sample variance of the one over that of the other; NaN where the other does not vary."""
    below = float(to.var(ddof=1))
    return float(of.var(ddof=1)) / below if below > 0 else float("nan")


def deviation_ratio(of: Floats, to: Floats) -> float:
    """Standard deviation of the one over that of the other."""
    return float(np.sqrt(variance_ratio(of, to)))


def apart(values: Floats) -> float:
    """Mean absolute difference between two of the values (Gini's); does not grow with their number.

    >>> apart(np.array([0.0, 1.0, 2.0]))
    1.333333333333333
    """
    count = len(values)
    return float(np.abs(values[:, None] - values).sum()) / (count * (count - 1))


def bootstrapped(statistic: Callable[[Floats], float], values: Floats, rng: np.random.Generator) -> ConfidenceInterval:
    """Percentile interval over 2,000 resamples of the values, for what is not smooth, such as worst - median.

    Too narrow for few values: no claim rests on it.
    """
    draws = values[rng.integers(0, len(values), size=(2_000, len(values)))]
    low, high = np.quantile([statistic(draw) for draw in draws], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return ConfidenceInterval(low=float(low), high=float(high))


def worst_minus_median(values: Floats) -> float:
    """Of values that are better when smaller."""
    return float(values.max() - np.median(values))


def kendall(one: Floats, other: Floats) -> tuple[float, ConfidenceInterval]:
    """Rank correlation tau-b of pairs, and its 95 % interval by Fisher's transformation.

    The variance .437 / (n - 4) is that of Fieller, Hartley and Pearson (Biometrika 44, 1957), made for normal pairs;
    unknown with fewer than five.

    >>> kendall(np.arange(8.0), np.arange(8.0)[::-1])[0]
    -1.0
    """
    count = len(one)
    first, second = np.sign(one[:, None] - one), np.sign(other[:, None] - other)
    norm = float(np.sqrt((first**2).sum() * (second**2).sum()))
    if norm == 0:
        return float("nan"), UNKNOWN
    tau = float((first * second).sum()) / norm
    if count < 5:
        return tau, UNKNOWN
    centre = float(np.arctanh(np.clip(tau, -1 + 1e-9, 1 - 1e-9)))
    half = float(ndtri((1 + LEVEL) / 2)) * float(np.sqrt(0.437 / (count - 4)))
    return tau, ConfidenceInterval(low=float(np.tanh(centre - half)), high=float(np.tanh(centre + half)))


def share(count: int, of: int) -> tuple[float, ConfidenceInterval]:
    """A share of independent cases, with Wilson's interval (JASA 22, 1927).

    >>> found, interval = share(0, 10)
    >>> found, interval.low, round(interval.high, 3)
    (0.0, 0.0, 0.278)
    """
    if of == 0:
        return float("nan"), UNKNOWN
    found = count / of
    return found, _wilson(found, of)


def _wilson(found: float, of: float) -> ConfidenceInterval:
    z = float(ndtri((1 + LEVEL) / 2))
    centre = (found + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * float(np.sqrt(found * (1 - found) / of + z * z / (4 * of * of)))
    return ConfidenceInterval(low=max(0.0, centre - half), high=min(1.0, centre + half))


def clustered_share(hit: Floats, of: Floats, *, most: float = np.inf) -> tuple[float, ConfidenceInterval]:
    """The share sum(hit) / sum(of), 0 <= hit <= of, of what comes in independent clusters [n].

    What is in one cluster may go together, so there are fewer independent cases than cases: as many as would give a
    share the variance that the jackknife over clusters finds, no fewer than there are clusters and at most `most`,
    their number where they can be counted; and that again reduced by Student's quantile (Korn and Graubard, Survey
    Methodology 24, 1998). Of so many, Wilson's interval, which stays within 0 and 1, and has a width at 0 and 1 too.
    Unknown with fewer than two clusters.

    >>> found, interval = clustered_share(np.array([1.0, 3.0, 0.0]), np.array([4.0, 4.0, 2.0]), most=10)
    >>> found, 0 < interval.low < interval.high < 1
    (0.4, True)
    """
    there = of > 0
    hit, of = hit[there], of[there]
    count = len(of)
    found = float(hit.sum() / of.sum()) if count else float("nan")
    if count < 2:
        return found, UNKNOWN
    without = (hit.sum() - hit) / (of.sum() - of)
    variance = float((count - 1) / count * ((without - without.mean()) ** 2).sum())
    effective = found * (1 - found) / variance if variance > 0 else 0.0
    effective = max(float(count), min(effective, most))
    z = float(ndtri((1 + LEVEL) / 2))
    return found, _wilson(found, effective * (z / float(stdtrit(count - 1, (1 + LEVEL) / 2))) ** 2)
