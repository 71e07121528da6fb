"""Intervals for the mean difference of days to come, by how much the days seen differ from each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, stdtrit

from monitoring.records import SCORE_ONE, MissingLabels
from monitoring.rollout.evidence.confidence_sequence import DifferenceInterval
from monitoring.rollout.evidence.dependence import log_evidence, whitened
from monitoring.rollout.evidence.paired_sums import PairedSums

#: Days count as differing from each other by more than their rows explain where so much variance has a smaller chance
#: than this if they do not.
DISPERSION_LEVEL = 0.1

#: Fewer days show nothing of a weekend.
LEAST_DAYS = 7

#: The difference counts as changing with a day's rows where chance has a smaller share in so steep a slope.
SLOPE_LEVEL = 0.01

#: A bound is looked for within so many standard deviations of days, by dividing what is left into so many parts, so
#: often.
_REACHES, _PARTS, _ROUNDS = 100.0, 64, 4

#: Days of evidence that are looked ahead at most.
_FURTHEST = 10_000

#: So many standard deviations are about half the width of an interval by rows.
_DEVIATIONS = 3.0

#: After so many days what is added by one no longer changes.
_SETTLED = 64


def days_interval(
    days: Sequence[PairedSums], *, alpha: float, missing: MissingLabels = "bounded"
) -> DifferenceInterval:
    """The interval for the mean difference of days like these; either bound is wrong at any look with about `alpha`.

    Rows of one day have the day in common: a version may be better on one day and worse on the next, and rows show
    that no better the more there are of them. Here a day is one observation, of its total less the mean times its
    weight. Assumed is that such observations are normal, alike, and hang together by one of `DEPENDENCE`; heavy tails
    make it rarer to be wrong.

    >>> rng = np.random.default_rng(0)
    >>> days = [PairedSums.of(rng.choice([-1.0, 0.0, 1.0], 1000, p=[0.05, 0.94, 0.01])) for _ in range(14)]
    >>> interval = days_interval(days, alpha=0.05)
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.072, -0.006)
    >>> days_interval(days[:3], alpha=0.05).low
    -1.0

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
    """The bounds of the mean, from the totals and the weights of n days, [n] each; -1 and 1 before `least_days`."""
    if totals.size < least_days(alpha):
        return -1.0, 1.0
    days = whitened(np.stack([totals, weights, np.ones_like(totals)], axis=1))
    forms = np.matmul(days.transpose(0, 2, 1), days)
    both, cross, square, total, weight, unit = (
        forms[:, i, j] for i, j in ((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2))
    )
    count = np.array(totals.size)

    def is_rejected(means: NDArray[np.float64]) -> NDArray[np.bool_]:
        mean = means[..., None]
        squares = both - 2.0 * mean * cross + mean**2 * square
        evidence = log_evidence(count, squares, total - mean * weight, unit)
        return np.asarray(evidence >= math.log(0.5 / alpha))

    centres = cross / square
    inside = np.array([centres.min(), centres.max()])
    reach = _REACHES * np.sqrt(np.maximum(both / square - centres**2, 0.0)).max()
    outside = inside + np.array([-reach, reach])
    if reach > 0.0 and not is_rejected(outside).all():
        return -1.0, 1.0
    for _ in range(_ROUNDS):  # the last means that are rejected on the way from outside to the middle
        edges = np.linspace(outside, inside, _PARTS + 1, axis=1)
        rejected = is_rejected(edges[:, 1:-1])
        first = np.where(rejected.all(axis=1), _PARTS - 1, rejected.argmin(axis=1))
        outside, inside = edges[[0, 1], first], edges[[0, 1], first + 1]
    low, high = by_volume(totals, weights)
    return min(float(outside[0]), low), max(float(outside[1]), high)


def by_volume(totals: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, float]:
    """Between what the mean lies on the days of the fewest and of the most rows, if it changes with them.

    A version that is better on small days and worse on large ones is neither on days to come until it is known how
    many of each they are.

    >>> volumes = np.array([1.0, 2.0, 4.0, 8.0, 1.0, 2.0, 4.0, 8.0])
    >>> means = np.array([-0.03, -0.01, 0.01, 0.03, -0.031, -0.012, 0.009, 0.028])
    >>> [round(bound, 2) for bound in by_volume(means * volumes, volumes)]
    [-0.03, 0.03]
    >>> by_volume(means, np.ones(8))
    (inf, -inf)

    Args:
        totals: Of each day, [n].
        weights: Of each day, above 0, [n].

    Returns:
        The lower and the upper end of a line through the days' means by the logarithm of their rows; infinite ones,
        which bound nothing, where its slope is not significant at `SLOPE_LEVEL`.
    """
    nothing = math.inf, -math.inf
    volumes, means = np.log(weights), totals / weights
    if totals.size < LEAST_DAYS or np.ptp(volumes) < 1e-9:
        return nothing
    x, y = volumes - volumes.mean(), means - means.mean()
    slope = float(x @ y / (x @ x))
    freedom = totals.size - 2
    error = math.sqrt(float(((y - slope * x) ** 2).sum()) / freedom / float(x @ x))
    if abs(slope) <= error * stdtrit(freedom, 1.0 - SLOPE_LEVEL / 2.0):
        return nothing
    ends = float(means.mean()) + slope * np.array([x.min(), x.max()])
    return float(ends.min()), float(ends.max())


def beyond(of_days: NDArray[np.floating[Any]], alpha: float) -> NDArray[np.bool_]:
    """By which day it is rejected, by how days differ, that a mean is 0 or less; of equal weights, [n, days]."""
    values = np.asarray(of_days, dtype=np.float64)
    days, ones = whitened(values.T), whitened(np.ones((values.shape[1], 1)))
    squares, along, unit = (
        (first * second).cumsum(axis=1).T for first, second in ((days, days), (days, ones), (ones, ones))
    )
    count = np.arange(1, values.shape[1] + 1)
    evidence = log_evidence(count, squares, along, unit)
    enough = count >= least_days(alpha)
    return np.asarray(enough & (values.cumsum(axis=1) > 0.0) & (evidence >= math.log(0.5 / alpha)))


@cache
def least_days(alpha: float) -> int:
    """How many days it takes at least before they show how much days differ: a week, 10 days at 1 in 10,000."""
    unit = _of_ones()
    evidence = log_evidence(np.arange(1, _FURTHEST + 1), unit, unit, unit)
    return max(int(np.argmax(evidence >= math.log(0.5 / alpha))) + 1, LEAST_DAYS)


@cache
def _of_ones() -> NDArray[np.float64]:
    """The sum of squares of so many whitened ones, [days, dependence]."""
    return np.asarray((whitened(np.ones((_FURTHEST, 1)))[..., 0] ** 2).cumsum(axis=1).T)


@cache
def _of_noise() -> NDArray[np.float64]:
    """The mean square of a whitened day where days are independent, [dependence]."""
    return np.asarray((whitened(np.eye(_SETTLED))[:, -1] ** 2).sum(axis=1))


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
    ahead = np.arange(max(count + 1, least_days(alpha)), _FURTHEST + 1)
    # Independent days, at a distance from what is to be rejected.
    variance = max(between, within) ** 2
    unit = _of_ones()[ahead - 1]
    squares = unit * distance**2 + ahead[:, None] * _of_noise() * variance
    by_days = log_evidence(ahead, squares, unit * distance, unit) >= math.log(0.5 / alpha)
    fits = np.flatnonzero(by_days & (half_width * np.sqrt(count / ahead) <= distance))
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
