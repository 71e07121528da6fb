"""Intervals for the mean difference of days to come, by how much the days seen differ from each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from monitoring.records import SCORE_ONE, MissingLabels
from monitoring.rollout.evidence.confidence_sequence import DifferenceInterval
from monitoring.rollout.evidence.paired_sums import PairedSums

#: Days count as differing from each other by more than their rows explain where so much variance has a smaller chance
#: than this if they do not.
DISPERSION_LEVEL = 0.1

#: Which shares of a day's difference may last to the next day: none, or two fifths.
LASTING = np.array([0.0, 0.4])

#: A bound is looked for within so many standard deviations of days, by dividing what is left into so many parts, so
#: often.
_REACHES, _PARTS, _ROUNDS = 30.0, 64, 4

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
    weight. Assumed is that such observations are normal, alike, and either independent or with `LASTING` of a day's
    difference still there on the next; heavy tails make it rarer to be wrong.

    >>> rng = np.random.default_rng(0)
    >>> days = [PairedSums.of(rng.choice([-1.0, 0.0, 1.0], 1000, p=[0.05, 0.94, 0.01])) for _ in range(14)]
    >>> interval = days_interval(days, alpha=0.05)
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.05, -0.029)
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
    ones = np.ones_like(totals)
    both, cross, square = _form(totals, totals), _form(totals, weights), _form(weights, weights)
    total, weight, unit = _form(totals, ones), _form(weights, ones), _form(ones, ones)

    def is_rejected(means: NDArray[np.float64]) -> NDArray[np.bool_]:
        mean = means[..., None]
        squares = both - 2.0 * mean * cross + mean**2 * square
        evidence = _log_evidence(totals.size, squares, total - mean * weight, unit)
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
    return float(outside[0]), float(outside[1])


def _form(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of the products of two series of days, [n] each, once what lasts from the day before is taken out.

    Returns:
        The sum for each of `LASTING`, [lasting].
    """
    products, ends = first @ second, first[0] * second[0] + first[-1] * second[-1]
    shifted = first[1:] @ second[:-1] + first[:-1] @ second[1:]
    return np.asarray(products - LASTING * shifted + LASTING**2 * (products - ends))


def _log_evidence(
    days: NDArray[np.int64] | int, squares: NDArray[np.float64], along: NDArray[np.float64], unit: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The log of the evidence against a mean of 0 of days, however much of `LASTING` lasts. Returns the log, [...].

    Without a mean, and with a standard normal one in standard deviations of days, the likelihood of normal days of
    unknown variance is a function of three forms. The evidence is the mean of the latter over the largest of the
    former, so it is below that of a test martingale whichever of them is true: Wang & Ramdas, *Anytime-valid t-tests
    and confidence sequences for Gaussian means with unknown variance* (2024), and Wasserman, Ramdas & Balakrishnan,
    *Universal inference* (2020). By symmetry each side is wrong half as often as both.

    Args:
        days: How many, [...].
        squares: `_form` of days and days, [..., lasting].
    """
    count = np.asarray(days, dtype=np.float64)[..., None]
    least = np.finfo(np.float64).tiny
    none = 0.5 * np.log(1.0 - LASTING**2) - 0.5 * count * np.log(np.maximum(squares, least))
    prior = unit / (1.0 - LASTING**2)
    part = along**2 / (np.maximum(squares, least) * unit) * (prior / (1.0 + prior))
    some = none - 0.5 * np.log1p(prior) - 0.5 * count * np.log1p(-np.minimum(part, prior / (1.0 + prior)))
    return np.asarray(np.logaddexp.reduce(some, axis=-1) - math.log(LASTING.size) - none.max(axis=-1))


def beyond(of_days: NDArray[np.floating[Any]], alpha: float) -> NDArray[np.bool_]:
    """By which day it is rejected, by how days differ, that a mean is 0 or less; of equal weights, [n, days]."""
    values = np.asarray(of_days, dtype=np.float64)[..., None]
    count = np.arange(1, values.shape[1] + 1)
    squares, total, first = (values**2).cumsum(axis=1), values.cumsum(axis=1), values[:, :1]
    shifted = np.zeros_like(values)
    shifted[:, 1:] = (values[:, 1:] * values[:, :-1]).cumsum(axis=1)
    # On the first day its first and its last are the same, and what is taken out of it is its own share.
    inner, unit_inner = squares - first**2 - values**2, (count - 2.0)[:, None]
    forms = squares - 2.0 * LASTING * shifted + LASTING**2 * inner
    along = total - LASTING * (2.0 * total - first - values) + LASTING**2 * (total - first - values)
    unit = count[:, None] - 2.0 * LASTING * (count - 1.0)[:, None] + LASTING**2 * unit_inner
    evidence = _log_evidence(count, forms, along, unit)
    enough = count >= least_days(alpha)
    return np.asarray(enough & (total[..., 0] > 0.0) & (evidence >= math.log(0.5 / alpha)))


@cache
def least_days(alpha: float) -> int:
    """How many days it takes at least before they show how much days differ: 6 at 1 in 20, 7 at 1 in 100."""
    for count in range(2, _FURTHEST):
        ones = np.ones(count)
        unit = _form(ones, ones)
        if _log_evidence(count, unit, unit, unit) >= math.log(0.5 / alpha):
            return count
    return _FURTHEST


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
    # Days without any that lasts, at a distance from what is to be rejected.
    variance = max(between, within) ** 2
    unit = ahead[:, None] * (1.0 - LASTING) ** 2
    squares = unit * distance**2 + ahead[:, None] * (1.0 + LASTING**2) * variance
    by_days = _log_evidence(ahead, squares, unit * distance, unit) >= math.log(0.5 / alpha)
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
