"""Intervals for the mean difference of days to come, by how much the days seen differ from each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from monitoring.records import SCORE_ONE, MissingLabels
from monitoring.rollout.evidence.confidence_sequence import DifferenceInterval
from monitoring.rollout.evidence.paired_sums import PairedSums

#: Days count as differing from each other by more than their rows explain where so much variance has a smaller chance
#: than this if they do not.
DISPERSION_LEVEL = 0.1

#: Days of evidence that are looked ahead at most.
_FURTHEST = 10_000

#: So many standard deviations are about half the width of an interval by rows.
_DEVIATIONS = 3.0


def days_interval(
    days: Sequence[PairedSums], *, alpha: float, missing: MissingLabels = "bounded"
) -> DifferenceInterval:
    """The interval for the mean difference of days like these; either bound is wrong at any look with about `alpha`.

    Rows of one day have the day in common: a version may be better on one day and worse on the next, and rows show
    that no better the more there are of them. Here a day is one observation, of its total less the mean times its
    weight. See `most_ratio` for what is assumed.

    >>> rng = np.random.default_rng(0)
    >>> days = [PairedSums.of(rng.choice([-1.0, 0.0, 1.0], 1000, p=[0.05, 0.94, 0.01])) for _ in range(14)]
    >>> interval = days_interval(days, alpha=0.05)
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.047, -0.033)
    >>> days_interval(days[:3], alpha=0.05).low
    -1.0

    Args:
        days: The sums of each day.
        alpha: As of `monitoring.rollout.evidence.confidence_sequence.interval`, as is `missing`.

    Returns:
        The interval within [-1, 1]: all of that before there are `least_days`.
    """
    sums = PairedSums.merged(days)
    totals, weights = day_columns(days, missing)
    low, high = bounds_over_days(totals, weights, alpha)
    widening = sums.unknown_share if missing == "bounded" else 0.0
    mean = float(totals.sum() / weights.sum()) if totals.size else 0.0
    return DifferenceInterval(low=max(low - widening, -1.0), high=min(high + widening, 1.0), mean=mean)


def bounds_over_days(totals: NDArray[np.float64], weights: NDArray[np.float64], alpha: float) -> tuple[float, float]:
    """The bounds of the mean, from the totals and the weights of n days, [n] each."""
    ratio = float(most_ratio(totals.size, alpha)) if totals.size else 1.0
    total, weight = totals.sum(), weights.sum()
    # All means m with (T - m W)^2 < ratio * sum (t - m w)^2.
    square = weight**2 - ratio * (weights**2).sum()
    if square <= 0.0:
        return -1.0, 1.0
    middle = total * weight - ratio * (totals * weights).sum()
    rest = total**2 - ratio * (totals**2).sum()
    root = math.sqrt(max(middle**2 - square * rest, 0.0))
    return float((middle - root) / square), float((middle + root) / square)


def most_ratio(days: NDArray[np.int64] | int, alpha: float) -> NDArray[np.float64]:
    """How large the square of a sum of n days may be over the sum of their squares, at any look, if their mean is 0.

    The likelihood ratio of normal observations of unknown variance, with a standard normal prior of the mean in
    standard deviations, is a test martingale of what does not depend on the scale: Wang & Ramdas, *Anytime-valid
    t-tests and confidence sequences for Gaussian means with unknown variance* (2024). By symmetry each side is wrong
    half as often as both, so both have twice alpha. Assumed is that days are alike normal and independent draws; heavy
    tails make it rarer to be wrong.

    >>> [round(float(most_ratio(n, 0.05)) / n, 2) for n in (3, 4, 7, 30)]
    [1.15, 0.99, 0.7, 0.24]

    Returns:
        The largest ratio that is not rejected, of each number; where it is n or more nothing can be.
    """
    count = np.asarray(days, dtype=np.float64)
    left = ((2.0 * alpha) ** 2 / (count + 1.0)) ** (1.0 / count)
    return np.asarray((count + 1.0) * (1.0 - left))


def least_days(alpha: float) -> int:
    """How many days it takes at least before they show how much days differ: 4 at 1 in 20, 6 at 1 in 100."""
    return next(count for count in range(2, _FURTHEST) if most_ratio(count, alpha) < count)


def days_needed(
    totals: NDArray[np.float64], weights: NDArray[np.float64], *, distance: float, half_width: float, alpha: float
) -> int | None:
    """About how many days it takes altogether until an interval reaches no further than a distance from its mean.

    Args:
        totals: Of each day so far, [n].
        weights: Of each day, [n].
        distance: In units of x.
        half_width: Of the interval by rows so far, which narrows as their square root.

    Returns:
        The days; None where there is none yet, or for more than can be looked ahead.
    """
    count = totals.size
    if not count or distance <= 0.0:
        return None
    mean = totals.sum() / weights.sum()
    between = math.sqrt(float((weights * (totals / weights - mean) ** 2).sum() / weights.sum()))
    within = half_width * math.sqrt(count) / _DEVIATIONS
    ahead = np.arange(max(count + 1, least_days(alpha)), _FURTHEST)
    ratio = most_ratio(ahead, alpha)
    by_days = max(between, within) * np.sqrt(ratio / (ahead - ratio))
    fits = np.flatnonzero(np.maximum(by_days, half_width * np.sqrt(count / ahead)) <= distance)
    return int(ahead[fits[0]]) if fits.size else None


def dispersion_of(days: Sequence[PairedSums]) -> float:
    """By how much the differences of days vary more than their rows explain: the Pearson statistic of a dispersion.

    The statistic is 1 on average where days differ by their rows alone, and counts as 1 unless it is significant at
    `DISPERSION_LEVEL`. Source: McCullagh & Nelder, *Generalized linear models* (1989), section 4.5.

    >>> alike = [PairedSums.of(np.array([1.0, -1.0, 0.0, 0.0])) for _ in range(9)]
    >>> days = [PairedSums.of(np.full(50, sign)) for sign in (1.0, -1.0) * 5]
    >>> dispersion_of(alike), round(dispersion_of(days))
    (1.0, 56)
    """
    columns = [(day.weight, day.total, day.squares) for day in days if day.weight]
    if len(columns) < 2:
        return 1.0
    weights, totals, squares = np.array(columns, dtype=np.float64).T / SCORE_ONE
    mean = totals.sum() / weights.sum()
    variance = squares.sum() / weights.sum() - mean**2
    if variance <= 0.0:
        return 1.0
    statistic = float(((totals - weights * mean) ** 2 / (weights * variance)).sum())
    freedom = len(columns) - 1
    if chdtrc(freedom, statistic) >= DISPERSION_LEVEL:
        return 1.0
    return max(statistic / freedom, 1.0)


def day_columns(days: Sequence[PairedSums], missing: MissingLabels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The totals and weights of the days that have any, [n] each."""
    weights = [float(day.weight) if missing == "bounded" else day.known_weight for day in days]
    both = [(day.total, weight) for day, weight in zip(days, weights, strict=True) if weight > 0]
    totals, day_weights = np.array(both, dtype=np.float64).reshape(-1, 2).T / SCORE_ONE
    return totals, day_weights
