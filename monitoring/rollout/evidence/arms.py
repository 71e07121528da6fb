"""The comparison of two versions of which each answers other rows, as in a split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from monitoring.records import SCORE_ONE, MissingLabels
from monitoring.rollout.evidence.between_days import bounds_over_days, days_needed, dispersion_of
from monitoring.rollout.evidence.confidence_sequence import DifferenceInterval, interval, log_e_value
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.evidence.terms import CANNOT_TELL, Rules
from monitoring.rollout.evidence.verdict import MISSING, Comparison, rows_ahead, word_of

#: Golden-section steps in which the smallest evidence of harm is found.
_STEPS = 40
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def unit_sums(values: NDArray[np.float64], units: NDArray[np.int64]) -> PairedSums:
    """The sums over units of the mean of a measure over each unit's rows.

    Requests of one user are one assignment, and are no independent evidence of what the version does.

    >>> sums = unit_sums(np.array([1.0, 0.0, np.nan, 1.0]), np.array([0, 0, 1, 1]))
    >>> sums.rows, sums.total / 2**32, sums.unknown / 2**32
    (2, 1.0, 0.5)

    Args:
        values: A measure in [-1, 1] of each row, NaN where its label did not come, [n].
        units: Which unit each row belongs to, as codes from 0 on, [n].

    Returns:
        The sums. A row without a label counts as 0, and its share of its unit as unknown.
    """
    if not values.size:
        return PairedSums()
    has_value = ~np.isnan(values)
    rows = np.bincount(units)
    some = rows > 0
    means = np.bincount(units, weights=np.where(has_value, values, 0.0))[some] / rows[some]
    missing = np.bincount(units, weights=~has_value)[some] / rows[some]
    sums = PairedSums.of(means)
    return replace(
        sums,
        labelled=int(np.count_nonzero(missing < 1.0)),
        missing=int(np.count_nonzero(missing > 0.0)),
        unknown=int(np.rint(missing * SCORE_ONE).astype(np.int64).sum()),
    )


def compare_arms(champion: Sequence[PairedSums], candidate: Sequence[PairedSums], rules: Rules) -> Comparison:
    """The comparison of a measure by the days so far.

    Each version's mean has an interval of its own, of half the budget, valid at every look whatever the delay of its
    labels; both hold with all of it, and the difference lies between theirs (Lindon & Kallus, *Design-based
    anytime-valid inference with delayed outcomes and staggered entry*, 2026: the difference itself is a martingale in
    no filtration). It is no narrower than that of days like these, by each day's difference.

    >>> rng = np.random.default_rng(0)
    >>> good, bad = ([PairedSums.of(rng.binomial(1, p, 1000).astype(float)) for _ in range(20)] for p in (0.1, 0.2))
    >>> compare_arms(good, bad, Rules(margin=0.01)).word, compare_arms(bad, good, Rules(margin=0.01)).word
    ('worse', 'better')
    """
    sides = (PairedSums.merged(champion), PairedSums.merged(candidate))
    sums, there = sides[0] + sides[1], all(side.rows for side in sides)
    by_units = {missing: _difference(*sides, rules, missing) for missing in MISSING}
    by_day = {missing: _day_differences(champion, candidate, missing) for missing in MISSING}
    intervals = {}
    for missing in MISSING:
        low, high = bounds_over_days(*by_day[missing], rules.alpha)
        widening = sum(side.unknown_share for side in sides) if missing == "bounded" else 0.0
        of_days = DifferenceInterval(low=max(low - widening, -1.0), high=min(high + widening, 1.0), mean=0.0)
        intervals[missing] = by_units[missing].widened(of_days).scaled(rules.scale)
    decides = intervals[rules.missing]
    word = word_of(decides, rules.margin) if there else CANNOT_TELL
    count, needed = by_day["bounded"][0].size, None
    if word == CANNOT_TELL and count:
        widening = sum(side.unknown_share for side in sides) if rules.missing == "bounded" else 0.0
        total = days_needed(
            *by_day[rules.missing],
            distance=abs(abs(decides.mean) - rules.margin) / rules.scale - widening,
            half_width=by_units[rules.missing].half_width - widening,
            alpha=rules.alpha,
        )
        needed = rows_ahead(sums.rows, count, total)
    return Comparison(
        word=word,
        interval=decides,
        at_random=intervals["at random"],
        margin=rules.margin,
        log_harm=_log_harm(*sides, rules.margin / rules.scale) if there else 0.0,
        dispersion=max(dispersion_of(champion), dispersion_of(candidate)),
        days=count,
        sums=sums,
        needed_rows=needed,
        by_rows=by_units["at random"].scaled(rules.scale),
    )


def _difference(ours: PairedSums, theirs: PairedSums, rules: Rules, missing: MissingLabels) -> DifferenceInterval:
    """The interval of the difference of the units seen; `ours` are the champion's."""
    first, second = (interval(sums, alpha=rules.alpha / 2.0, missing=missing) for sums in (ours, theirs))
    return DifferenceInterval(
        low=max(second.low - first.high, -1.0), high=min(second.high - first.low, 1.0), mean=second.mean - first.mean
    )


def _day_differences(
    champion: Sequence[PairedSums], candidate: Sequence[PairedSums], missing: MissingLabels
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each day on which both versions have units the difference of their means times its weight, and the weight.

    The weight is what the variance of a difference of two means is inversely proportional to.
    """
    ours, theirs = (
        np.array(
            [(day.total, day.weight if missing == "bounded" else day.known_weight) for day in days], dtype=np.float64
        ).reshape(-1, 2)
        / SCORE_ONE
        for days in (champion, candidate)
    )
    both = (ours[:, 1] > 0.0) & (theirs[:, 1] > 0.0)
    (first, n), (second, m) = ours[both].T, theirs[both].T
    weights = n * m / (n + m)
    return weights * (second / m - first / n), weights


def _log_harm(champion: PairedSums, candidate: PairedSums, margin: float) -> float:
    """The log of an e-value against "the candidate's mean is not larger than the champion's by more than the margin".

    If that is true then for the champion's own mean m, the e-values against "the candidate's is at most m + margin" and
    "the champion's is at least m" both have expectation 1 at most, and so has their mean; it is at least the smallest
    such mean over all m, which is convex in m.
    """

    def log_mean(mean: float) -> float:
        against = log_e_value(candidate, mean + margin, rising=True)
        beside = log_e_value(champion, mean, rising=False)
        return float(np.logaddexp(against, beside)) - math.log(2.0)

    low, high = -1.0, 1.0
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if log_mean(left) <= log_mean(right):
            high = right
        else:
            low = left
    return log_mean((low + high) / 2.0)
