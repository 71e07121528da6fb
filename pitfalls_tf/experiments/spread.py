"""Intervals for statistics other than means: standard deviations, distances, rank correlations and proportions.

Intervals for means are in `pitfalls_tf.verdicts.paired`. For other statistics of 5 to 20 runs the percentile bootstrap
is too narrow, as it is for means. The jackknife of the logarithm with Student's quantile is not (Miller, Biometrika 61,
1974, section 4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from monitoring.baseline.metrics import ConfidenceInterval

Floats = NDArray[np.float64]

LEVEL: Final = 0.95
UNKNOWN: Final = ConfidenceInterval(low=float("nan"), high=float("nan"))


def jackknife(statistic: Callable[..., float], *values: Floats) -> tuple[float, ConfidenceInterval]:
    """Estimate a positive statistic with its 95 % interval.

    The interval is Student's interval of the jackknife pseudo-values of the logarithm. Assumes independent values and a
    smooth statistic.

    Args:
        *values: one or more paired samples, each of shape [n].

    Returns:
        Estimate and interval; the interval is unknown (NaN) with fewer than three values, or where the statistic or a
        leave-one-out statistic is 0.

    >>> estimate, interval = jackknife(standard_deviation, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    >>> round(estimate, 3), interval.low < estimate < interval.high
    (1.581, True)
    """
    count = len(values[0])
    estimate = statistic(*values) if count > 1 else float("nan")
    if count < 3 or not estimate > 0:
        return estimate, UNKNOWN
    without = np.array([statistic(*(np.delete(sample, index) for sample in values)) for index in range(count)])
    if not (without > 0).all():
        return estimate, UNKNOWN
    pseudo = count * np.log(estimate) - (count - 1) * np.log(without)
    half = float(stdtrit(count - 1, (1 + LEVEL) / 2)) * float(pseudo.std(ddof=1)) / np.sqrt(count)
    return estimate, ConfidenceInterval(
        low=float(np.exp(pseudo.mean() - half)), high=float(np.exp(pseudo.mean() + half))
    )


def standard_deviation(values: Floats) -> float:
    """Sample standard deviation."""
    return float(values.std(ddof=1))


def variance_ratio(numerator: Floats, denominator: Floats) -> float:
    """Ratio of two sample variances; NaN where the denominator does not vary."""
    below = float(denominator.var(ddof=1))
    return float(numerator.var(ddof=1)) / below if below > 0 else float("nan")


def standard_deviation_ratio(numerator: Floats, denominator: Floats) -> float:
    """Ratio of two sample standard deviations; NaN where the denominator does not vary."""
    return float(np.sqrt(variance_ratio(numerator, denominator)))


def mean_difference(values: Floats) -> float:
    """Gini's mean difference: the mean absolute difference of all pairs.

    >>> mean_difference(np.array([0.0, 1.0, 2.0]))
    1.333333333333333
    """
    count = len(values)
    return float(np.abs(values[:, None] - values).sum()) / (count * (count - 1))


def bootstrap_interval(
    statistic: Callable[[Floats], float], values: Floats, rng: np.random.Generator
) -> ConfidenceInterval:
    """Percentile interval of a statistic that is not smooth, such as worst - median, over 2,000 resamples.

    Too narrow for few values; no claim depends on it.
    """
    draws = values[rng.integers(0, len(values), size=(2_000, len(values)))]
    low, high = np.quantile([statistic(draw) for draw in draws], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return ConfidenceInterval(low=float(low), high=float(high))


def worst_minus_median(values: Floats) -> float:
    """Largest value minus the median, for scores where smaller is better."""
    return float(values.max() - np.median(values))


def kendall_tau(values: Floats, other: Floats) -> tuple[float, ConfidenceInterval]:
    """Rank correlation tau-b of paired values with its 95 % interval by Fisher's transformation.

    The variance .437 / (n - 4) is that of Fieller, Hartley and Pearson (Biometrika 44, 1957), derived for normal pairs.

    Returns:
        tau and its interval; the interval is unknown (NaN) with fewer than five pairs.

    >>> kendall_tau(np.arange(8.0), np.arange(8.0)[::-1])[0]
    -1.0
    """
    count = len(values)
    first, second = np.sign(values[:, None] - values), np.sign(other[:, None] - other)
    norm = float(np.sqrt((first**2).sum() * (second**2).sum()))
    if norm == 0:
        return float("nan"), UNKNOWN
    tau = float((first * second).sum()) / norm
    if count < 5:
        return tau, UNKNOWN
    centre = float(np.arctanh(np.clip(tau, -1 + 1e-9, 1 - 1e-9)))
    half = float(ndtri((1 + LEVEL) / 2)) * float(np.sqrt(0.437 / (count - 4)))
    return tau, ConfidenceInterval(low=float(np.tanh(centre - half)), high=float(np.tanh(centre + half)))


def proportion(successes: int, trials: int) -> tuple[float, ConfidenceInterval]:
    """Proportion of independent trials with Wilson's 95 % interval (JASA 22, 1927).

    Returns:
        Proportion and interval; NaN without trials.

    >>> estimate, interval = proportion(0, 10)
    >>> estimate, interval.low, round(interval.high, 3)
    (0.0, 0.0, 0.278)
    """
    if trials == 0:
        return float("nan"), UNKNOWN
    estimate = successes / trials
    return estimate, _wilson(estimate, trials)


def _wilson(estimate: float, trials: float) -> ConfidenceInterval:
    z = float(ndtri((1 + LEVEL) / 2))
    centre = (estimate + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * float(np.sqrt(estimate * (1 - estimate) / trials + z * z / (4 * trials * trials)))
    # At 0 and 1 an end of the interval is the estimate, which rounding would miss by the last digit.
    low, high = (0.0 if estimate == 0 else centre - half), (1.0 if estimate == 1 else centre + half)
    return ConfidenceInterval(low=max(0.0, low), high=min(1.0, high))


def clustered_proportion(
    successes: Floats, trials: Floats, *, most: float = np.inf
) -> tuple[float, ConfidenceInterval]:
    """Proportion sum(successes) / sum(trials) over independent clusters of dependent trials.

    The effective number of trials is the number of independent trials whose proportion would have the variance that the
    jackknife over clusters finds; at least the number of clusters and at most `most`. It is reduced by Student's
    quantile (Korn and Graubard, Survey Methodology 24, 1998). The interval is Wilson's of that number, which stays
    within 0 and 1 and has a width at 0 and 1.

    Args:
        successes: by cluster, shape [n], 0 <= successes <= trials.
        trials: by cluster, shape [n].

    Returns:
        Proportion and 95 % interval; the interval is unknown (NaN) with fewer than two clusters.

    >>> estimate, interval = clustered_proportion(np.array([1.0, 3.0, 0.0]), np.array([4.0, 4.0, 2.0]), most=10)
    >>> estimate, 0 < interval.low < interval.high < 1
    (0.4, True)
    """
    some = trials > 0
    successes, trials = successes[some], trials[some]
    count = len(trials)
    estimate = float(successes.sum() / trials.sum()) if count else float("nan")
    if count < 2:
        return estimate, UNKNOWN
    without = (successes.sum() - successes) / (trials.sum() - trials)
    variance = float((count - 1) / count * ((without - without.mean()) ** 2).sum())
    effective = estimate * (1 - estimate) / variance if variance > 0 else 0.0
    effective = max(float(count), min(effective, most))
    z = float(ndtri((1 + LEVEL) / 2))
    return estimate, _wilson(estimate, effective * (z / float(stdtrit(count - 1, (1 + LEVEL) / 2))) ** 2)
