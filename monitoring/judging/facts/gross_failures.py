"""Gross failures: what one window's own rows show beyond doubt, without waiting for evidence over windows.

A conformal e-value of R baseline windows is at most R + n + 1, so no single window reaches the threshold of a level by
itself. A day on which most values of an input are missing, or labels contradict the answers, must not wait for a second
one: it is a fact, with a stated meaning and a false-alarm share that is part of the budget.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.judging.facts.log_facts import binomial_tail
from monitoring.records import Finding, ScoreSum, WatchKey
from monitoring.records.finding_parts import GrossRate, OutsideRange
from monitoring.tasks.output_names import split_output
from monitoring.watches.integrity import ANSWERS

#: A rate is gross from this on, or from so many times that of the baseline's worst window, whichever is more; of a
#: baseline whose worst window is above a fifth, from half-way between it and 1.
GROSS_RATE = 0.2
GROSS_FACTOR = 5.0

#: Below that, a share of values is told by a notice where no window of the baseline had it: from this on, or from so
#: many times that of its worst window.
NEW_SHARE = 0.05
NEW_SHARE_FACTOR = 2.5

#: Errors are compared with those of answers that say nothing, or with this many times the baseline's worst window.
CHANCE_ERROR = 0.5
WORST_ERROR_FACTOR = 1.2

#: Of predicted numbers, the mean absolute error as a part of the largest error that is told apart: from this on it is
#: gross, or from half-way between the baseline's worst window and 1.
GROSS_ERROR = 0.8

#: The watches on that error; of a quantile it is the pinball loss, which is as large on the one side only.
ERRORS_OF_NUMBERS = ("absolute_error", "pinball_loss")

#: A number has changed its unit or meaning where its mean lies this many ranges outside the range (from the first to
#: the last of the baseline's bin edges), or below this part of its lower end, or where its standard deviation is so
#: many ranges, with most rows in the outermost bins. Sound windows have at most `OUTER_ROWS` there, the baseline 3 %.
RANGES_OUTSIDE = 3.0

#: It is not near the baseline again while that is one range, with more rows in the outermost bins than `OUTER_ROWS`.
RANGES_LASTING = 1.0
SCALED_DOWN = 0.2
MOST_ROWS = 0.5
OUTER_ROWS = 0.2

#: What such findings name where they are about no input.
ANSWERS_SUBJECT = "model answers"
LABELS_SUBJECT = "labels"

#: What of a number may lie far outside its range.
Statistic: TypeAlias = Literal["mean", "standard deviation"]

#: No input describes a column.
NO_SOURCES: Mapping[str, str] = MappingProxyType({})

#: The kinds of findings about values that are missing, and that the baseline does not have.
MISSING = "values missing"
UNSEEN = "values unseen"

#: The kinds of notices about shares of such values that no window of the baseline had.
MORE_MISSING = "more values missing"
MORE_UNSEEN = "more values unseen"

#: The kind of finding about numbers far outside the baseline's range.
OUT_OF_RANGE = "out of range"

#: The kind of finding about labels that contradict the answers.
CONTRADICTED = "labels contradict answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrossLimit:
    """From which rate on a watch's window is a gross failure.

    Attributes:
        null: The rate that a sound window is taken to have at most, in (0, 1).
        fractional: Whether a row's score may lie between 0 and 1, and is no share of rows.
    """

    rate: float
    null: float
    kind: str
    subject: str
    baseline: float
    fractional: bool = False

    def exceeded(self, total: ScoreSum, alpha: float) -> bool:
        """Whether a window's rate is gross, and no chance of its few rows: by the exact binomial tail.

        The tail of a sum of scores in [0, 1] is at most e times the binomial one (Bentkus, *On Hoeffding's
        inequalities*, 2004).

        Args:
            alpha: The largest probability of as many rows at the `null` rate.

        Returns:
            True if the rate is at least `rate` and so improbable.

        >>> limit = GrossLimit(rate=0.2, null=0.02, kind=MISSING, subject="income", baseline=0.01)
        >>> [limit.exceeded(ScoreSum(n, int(0.99 * n) << 32), 1e-5) for n in (2, 10, 100, 1_000_000)]
        [False, True, True, True]
        """
        if not total.rows or total.mean < self.rate:
            return False
        factor = math.e if self.fractional else 1.0
        return bool(factor * binomial_tail(round(total.mean * total.rows), total.rows, self.null) <= alpha)


def gross_limits(
    means: Mapping[WatchKey, NDArray[np.float64]], features: Mapping[str, str]
) -> dict[WatchKey, GrossLimit]:
    """Limits from the baseline's windows."""
    limits = {
        key: _limit(key.watch, float(scores.max()), features.get(key.watch, ""))
        for key, scores in means.items()
        if scores.size and not key.slice
    }
    return {key: limit for key, limit in limits.items() if limit is not None}


def share_limits(gross: Mapping[WatchKey, GrossLimit]) -> dict[WatchKey, GrossLimit]:
    """The limits of notices below those of gross failures: of values that are missing, and that are new."""
    kinds = {MISSING: MORE_MISSING, UNSEEN: MORE_UNSEEN}
    limits = {
        key: replace(
            limit,
            kind=kinds[limit.kind],
            rate=max(NEW_SHARE, NEW_SHARE_FACTOR * limit.baseline),
            null=max(2.0 * limit.baseline, 0.02),
        )
        for key, limit in gross.items()
        if limit.kind in kinds
    }
    return {key: limit for key, limit in limits.items() if limit.rate < gross[key].rate}


def gross_findings(
    limits: Mapping[WatchKey, GrossLimit], sums: Mapping[WatchKey, ScoreSum], alpha: float
) -> tuple[Finding, ...]:
    """The gross failures of one window.

    Args:
        alpha: The probability of each finding if the window's true rate is that of the limit's `null`.
    """
    return tuple(
        Finding(kind=limit.kind, feature=limit.subject, fact=True, parts=_parts(limit, sums[key], key.watch))
        for key, limit in limits.items()
        if key in sums and limit.exceeded(sums[key], alpha)
    )


def _limit(watch: str, worst: float, feature: str) -> GrossLimit | None:
    loss = split_output(watch)[1]
    if loss == "error":
        null = max(CHANCE_ERROR, min(WORST_ERROR_FACTOR * worst, 0.99))
        return GrossLimit(rate=null, null=null, kind=CONTRADICTED, subject=LABELS_SUBJECT, baseline=worst)
    if loss in ERRORS_OF_NUMBERS:
        rate = max(GROSS_ERROR, (1.0 + worst) / 2.0)
        null = (worst + rate) / 2.0
        return GrossLimit(
            rate=rate, null=null, kind=CONTRADICTED, subject=LABELS_SUBJECT, baseline=worst, fractional=True
        )
    kind = "unusable answers" if watch == ANSWERS.name else ""
    if watch.startswith("missing:"):
        kind = MISSING
    elif watch.startswith("unseen:"):
        kind = UNSEEN
    if not kind:
        return None
    rate = max(GROSS_RATE, GROSS_FACTOR * worst) if worst < GROSS_RATE else (1.0 + worst) / 2.0
    rate = min(rate, (1.0 + worst) / 2.0)
    return GrossLimit(
        rate=rate,
        null=min(max(2.0 * worst, 0.02), (worst + rate) / 2.0),
        kind=kind,
        subject=feature or ANSWERS_SUBJECT,
        baseline=worst,
    )


def _parts(limit: GrossLimit, total: ScoreSum, watch: str) -> GrossRate:
    of: Literal["labels", "errors", "answers", "missing", "unseen"]
    if limit.fractional:
        of = "errors"
    elif limit.subject == LABELS_SUBJECT:
        of = "labels"
    elif limit.subject == ANSWERS_SUBJECT:
        of = "answers"
    else:
        of = "missing" if limit.kind in (MISSING, MORE_MISSING) else "unseen"
    return GrossRate(of=of, output=split_output(watch)[0], rate=total.mean, rows=total.rows, worst=limit.baseline)


def range_findings(
    bins: Sequence[Bins], window: Profile, *, alpha: float, sources: Mapping[str, str] = NO_SOURCES
) -> tuple[Finding, ...]:
    """Numbers whose values lie far outside the baseline's range, as after a change of unit.

    Args:
        alpha: The largest probability of as many rows in the outermost bins, if `OUTER_ROWS` of them belong there.
    """
    found = (
        range_finding(feature_bins, now, alpha, sources.get(feature_bins.feature))
        for feature_bins, now in zip(bins, window.features, strict=True)
    )
    return tuple(finding for finding in found if finding is not None)


def range_finding(bins: Bins, now: FeatureCounts, alpha: float, source: str | None = None) -> Finding | None:
    """As `range_findings`, of one input; None where its values do not lie far outside."""
    if bins.edges is None or len(bins.edges) < 2 or not now.moments.finite:
        return None
    for statistic, rows in _far_outside(bins.edges, now, RANGES_OUTSIDE):
        if rows > MOST_ROWS * now.present and binomial_tail(rows, now.present, OUTER_ROWS) <= alpha:
            parts = OutsideRange(
                statistic=statistic,
                value=now.moments.mean if statistic == "mean" else now.moments.std,
                rows=now.present,
                low=bins.edges[0],
                high=bins.edges[-1],
                source=source,
            )
            return Finding(kind=OUT_OF_RANGE, feature=bins.feature, fact=True, parts=parts)
    return None


def outside_inputs(bins: Sequence[Bins], window: Profile) -> frozenset[str]:
    """The numbers whose values are not near the baseline again after they were far outside its range."""
    return frozenset(
        each.feature
        for each, now in zip(bins, window.features, strict=True)
        if each.edges is not None and len(each.edges) > 1 and now.moments.finite
        if any(rows > OUTER_ROWS * now.present for _, rows in _far_outside(each.edges, now, RANGES_LASTING))
    )


def _far_outside(edges: Sequence[float], now: FeatureCounts, ranges: float) -> list[tuple[Statistic, int]]:
    """What lies so many ranges outside the range of a number, with the rows in the outermost bins concerned."""
    low, high = edges[0], edges[-1]
    mean, std, far = now.moments.mean, now.moments.std, ranges * (high - low)
    departures: list[tuple[Statistic, int]] = []
    if mean > high + far:
        departures.append(("mean", now.counts[-1]))
    is_scaled = 0.0 <= mean < SCALED_DOWN * low
    is_negative = low > 0.0 and mean < min(2.0 * low - high, 0.0)  # a range below the lowest: no cold week
    if mean < low - far or is_scaled or is_negative:
        departures.append(("mean", now.counts[0]))
    if std > far:
        departures.append(("standard deviation", now.counts[0] + now.counts[-1]))
    return departures
