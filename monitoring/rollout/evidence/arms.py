"""The comparison of two versions of which each answers other rows, as in a split."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from monitoring.records import SCORE_ONE
from monitoring.rollout.evidence.confidence_sequence import (
    DifferenceInterval,
    dispersion_of,
    interval,
    tempered_log_e_value,
)
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.evidence.verdict import CANNOT_TELL, Comparison, Rules, word_of

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
    """The comparison of a measure by the windows so far.

    Each version's mean has an interval of its own, of half the budget, valid at every look whatever the delay of its
    labels; both hold with all of it, and the difference lies between theirs (Lindon & Kallus, *Design-based
    anytime-valid inference with delayed outcomes and staggered entry*, 2026: the difference itself is a martingale in
    no filtration).

    >>> rng = np.random.default_rng(0)
    >>> good, bad = ([PairedSums.of(rng.binomial(1, p, 1000).astype(float)) for _ in range(20)] for p in (0.1, 0.2))
    >>> compare_arms(good, bad, Rules(margin=0.01)).word, compare_arms(bad, good, Rules(margin=0.01)).word
    ('worse', 'better')

    Args:
        champion: Its sums in each window, by `unit_sums`.

    Returns:
        The comparison; its sums are of both versions' units. Without units of both it can't tell.
    """
    sides = [(PairedSums.merged(windows), dispersion_of(windows)) for windows in (champion, candidate)]
    intervals = {
        missing: _difference(sides, rules, missing).scaled(rules.scale) for missing in ("bounded", "at random")
    }
    decides, sums = intervals[rules.missing], sides[0][0] + sides[1][0]
    there = all(side.rows for side, _ in sides)
    word = word_of(decides, rules.margin) if there else CANNOT_TELL
    return Comparison(
        word=word,
        interval=decides,
        at_random=intervals["at random"],
        margin=rules.margin,
        log_harm=_log_harm(sides, rules.margin / rules.scale) if there else 0.0,
        dispersion=max(dispersion for _, dispersion in sides),
        sums=sums,
        needed_rows=_needed(sums, decides, rules) if word == CANNOT_TELL and there else None,
    )


def arm_looks(champion: Sequence[PairedSums], candidate: Sequence[PairedSums], rules: Rules) -> Iterator[Comparison]:
    """The comparison after each window, as it was known then.

    Yields:
        One for each window.
    """
    for number in range(1, len(champion) + 1):
        yield compare_arms(champion[:number], candidate[:number], rules)


def _difference(sides: Sequence[tuple[PairedSums, float]], rules: Rules, missing: str) -> DifferenceInterval:
    ours, theirs = (
        interval(sums, alpha=rules.alpha / 2.0, dispersion=dispersion, missing=missing)  # type: ignore[arg-type]
        for sums, dispersion in reversed(sides)
    )
    return DifferenceInterval(
        low=max(ours.low - theirs.high, -1.0), high=min(ours.high - theirs.low, 1.0), mean=ours.mean - theirs.mean
    )


def _log_harm(sides: Sequence[tuple[PairedSums, float]], margin: float) -> float:
    """The log of an e-value against "the candidate's mean is not larger than the champion's by more than the margin".

    If that is true then for the champion's own mean m, the e-values against "the candidate's is at most m + margin" and
    "the champion's is at least m" both have expectation 1 at most, and so has their mean; it is at least the smallest
    such mean over all m, which is convex in m.
    """
    (champion, first), (candidate, second) = sides
    return min(_smallest_mean(champion, candidate, margin, tempers) for tempers in {(1.0, 1.0), (first, second)})


def _smallest_mean(champion: PairedSums, candidate: PairedSums, margin: float, tempers: tuple[float, float]) -> float:
    """The smallest log of the mean of both e-values, over the champion's mean."""

    def log_mean(mean: float) -> float:
        against = tempered_log_e_value(candidate, mean + margin, rising=True, dispersion=tempers[1])
        beside = tempered_log_e_value(champion, mean, rising=False, dispersion=tempers[0])
        return float(np.logaddexp(against, beside)) - math.log(2.0)

    low, high = -1.0, 1.0
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if log_mean(left) <= log_mean(right):
            high = right
        else:
            low = left
    return log_mean((low + high) / 2.0)


def _needed(sums: PairedSums, interval: DifferenceInterval, rules: Rules) -> int | None:
    """Units until the interval, which narrows as their square root, fits into the region of its mean; None: never."""
    widening = 2.0 * sums.unknown_share * rules.scale if rules.missing == "bounded" else 0.0
    distance = abs(abs(interval.mean) - rules.margin) - widening
    if distance <= 0.0:
        return None
    width = interval.half_width - widening
    return max(math.ceil(sums.rows * ((width / distance) ** 2 - 1.0)), 1)
