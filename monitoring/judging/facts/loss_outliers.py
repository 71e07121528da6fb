"""One window whose losses lie far outside the baseline's windows: a bad day, told on that day.

Evidence adds up over windows, so one bad window never reaches a threshold by itself, whatever its size. A prediction
limit for a single window says how far the next one may lie from the baseline's, at a share of the budget. One that is
not as far outside, but worse than all seen, is suspected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from monitoring.judging.facts.gross_failures import CONTRADICTED
from monitoring.judging.facts.window_limit import FEW_ROWS, WindowLimit, live_values
from monitoring.records import HIGHEST_LOSS, Finding, ScoreSum, Watch, WatchKey, WindowRecord
from monitoring.records.finding_parts import GrossRate
from monitoring.records.loss_parts import AnswerLean, HighestLoss, LossOutlier, LossProof, LossRange, OtherLoss
from monitoring.tasks.metrics import unbounded_loss
from monitoring.tasks.output_names import is_of_numbers
from monitoring.tasks.task import Floats, Task
from monitoring.watches.label_shares import ANSWERED

#: A window has so many times the loss of the worst window seen.
WORST_FACTOR = 1.2

#: Losses besides the first one that a finding names.
NAMED_LOSSES = 2

#: The kind of the finding, and what it is about.
OUTLIER = "losses far outside the baseline"
SUBJECT = "losses"

#: A window is worse than all seen if no more than this share of sound ones is as high, where they vary as the
#: baseline's do.
HIGH_SHARE = 0.01

#: Answers lie to one side of the labels if the bias is so much of the absolute error (of bounded errors more), or if
#: the share of a class among the labels is so far from what they expect.
LEAN_SHARE, LEAN_SHARE_BOUNDED = 0.5, 0.8
LEAN_POINTS = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class LossLimit:
    """How large the mean of one loss may be in one window."""

    watch: Watch
    limit: WindowLimit

    def exceeded(self, total: ScoreSum, previous_max: float, alpha: float, phases: Mapping[str, int]) -> bool:
        """Whether a window lies far outside; arguments as of `WindowLimit.exceeded`."""
        return total.mean > WORST_FACTOR * previous_max and self.limit.exceeded(total, previous_max, alpha, phases)

    def is_high(self, total: ScoreSum, previous_max: float, phases: Mapping[str, int]) -> bool:
        """Whether a window is clearly worse than all seen, and no thin one; arguments as of `WindowLimit.exceeded`."""
        is_thin = total.rows < min(self.limit.sampling.reference_rows, FEW_ROWS)
        is_worse = not is_thin and total.mean > WORST_FACTOR * previous_max
        return is_worse and self.limit.is_beyond(total, previous_max, HIGH_SHARE, phases)

    def smallest_page(self, rows: int, previous_max: float, alpha: float) -> float:
        """The mean that one window of so many rows has to exceed; arguments as of `WindowLimit.exceeded`.

        Where a window's rows are few, it has to exceed a bound besides, and this one is too low.
        """
        return max(WORST_FACTOR * previous_max, self.limit.smallest_outlier(rows, previous_max, alpha))

    def widened(self, width: float) -> LossLimit:
        """The limit of windows that vary so many times as much."""
        return replace(self, limit=self.limit.widened(width))


def loss_outlier(
    limits: Mapping[WatchKey, LossLimit],
    sums: Mapping[WatchKey, ScoreSum],
    history: Sequence[WindowRecord],
    *,
    alpha: float,
    phases: Mapping[str, int],
) -> tuple[Finding, ...]:
    """The finding of a window whose losses lie far outside, or of one whose first loss is higher than in any other.

    Returns:
        One fact, about the first such loss; where no loss lies far outside, a finding that is none, or none.
    """
    above = [
        key for key, limit in limits.items() if key in sums and sums[key].rows and sums[key].mean > limit.limit.highest
    ]
    if not above:
        return ()
    previous_maxima = _largest_seen(limits, history)
    far = [key for key in above if limits[key].exceeded(sums[key], previous_maxima[key], alpha, phases)]
    shown = next(iter(limits))  # the first is the one that people ask for
    if not far:
        is_high = shown in above and limits[shown].is_high(sums[shown], previous_maxima[shown], phases)
        return (_high(limits[shown], sums[shown], previous_maxima[shown], alpha),) if is_high else ()
    first = shown if shown in above else far[0]
    others = [key for key in far[1:] if key != first]
    parts = LossOutlier(
        loss=_range(limits[first], sums[first]),
        proof=_proof(far[0], limits[far[0]], sums, alpha),
        others=tuple(_other(limits[key], sums[key]) for key in others[:NAMED_LOSSES]),
    )
    return (Finding(kind=OUTLIER, feature=SUBJECT, fact=True, parts=parts),)


def with_unit_change(findings: Sequence[Finding], task: Task, answers: Floats) -> tuple[Finding, ...]:
    """Facts, of which those of losses say it where the window's answers [n, width] are a power of ten larger."""
    is_lost = [finding.kind in (OUTLIER, CONTRADICTED) for finding in findings]
    power = task.power_of_ten(answers) if any(is_lost) else 0
    return tuple(
        replace(finding, parts=replace(finding.parts, power_of_ten=power))
        if lost and power and isinstance(finding.parts, GrossRate | LossOutlier)
        else finding
        for finding, lost in zip(findings, is_lost, strict=True)
    )


def with_lean(
    findings: Sequence[Finding],
    sums: Mapping[WatchKey, ScoreSum],
    watches: Mapping[str, Watch],
    measured: Mapping[str, float],
) -> tuple[Finding, ...]:
    """Facts, of which that of losses has errors as they are, and to which side of the labels the answers lie.

    Args:
        measured: The metrics that are shown, by name: theirs are not bounded as losses are.
    """
    return tuple(
        replace(finding, parts=_with_lean(finding.parts, sums, watches, measured))
        if isinstance(finding.parts, LossOutlier)
        else finding
        for finding in findings
    )


def _with_lean(
    parts: LossOutlier, sums: Mapping[WatchKey, ScoreSum], watches: Mapping[str, Watch], measured: Mapping[str, float]
) -> LossOutlier:
    value = unbounded_loss(parts.loss.watch, parts.loss.value, measured)
    is_bounded = value > parts.loss.value
    lean = _lean(parts.loss, sums, watches, is_bounded=is_bounded)
    return replace(parts, loss=replace(parts.loss, value=value), lean=lean)


def _lean(
    loss: LossRange, sums: Mapping[WatchKey, ScoreSum], watches: Mapping[str, Watch], *, is_bounded: bool
) -> AnswerLean | None:
    """The bias, if it is most of the absolute error; or the class whose share the answers miss most, if by far."""
    bias = sums.get(WatchKey(watch="bias"))
    if bias is not None and bias.rows:
        value = watches["bias"].value(bias.mean)
        share = LEAN_SHARE_BOUNDED if is_bounded else LEAN_SHARE
        is_most = loss.watch == "absolute_error" and abs(value) >= share * loss.value
        return AnswerLean(watch="bias", answers=value, is_bounded=is_bounded) if is_most else None
    shares = [
        AnswerLean(watch=name, answers=answered.mean, labels=sums[WatchKey(watch=name)].mean)
        for name, watch in watches.items()
        if watch.family == "labels"
        and not is_of_numbers(name)
        and (answered := sums.get(WatchKey(watch=f"{ANSWERED}{name}")))
    ]
    most = max(shares, key=lambda share: abs(share.answers - share.labels), default=None)
    return most if most is not None and abs(most.answers - most.labels) >= LEAN_POINTS else None


def _largest_seen(limits: Mapping[WatchKey, LossLimit], history: Sequence[WindowRecord]) -> dict[WatchKey, float]:
    """The largest score of each loss in the baseline's windows, and in live ones in which no page was open."""
    live = live_values(limits, history)
    return {
        key: max([limit.limit.highest, *((value - limit.watch.offset) / limit.watch.scale for value in live[key])])
        for key, limit in limits.items()
    }


def _high(limit: LossLimit, total: ScoreSum, previous_max: float, alpha: float) -> Finding:
    """That a window is worse than all seen, and from where on one window pages."""
    page = limit.watch.value(limit.smallest_page(total.rows, previous_max, alpha))
    return Finding(kind=HIGHEST_LOSS, feature=SUBJECT, parts=HighestLoss(loss=_range(limit, total), page=page))


def _range(limit: LossLimit, total: ScoreSum) -> LossRange:
    """A loss in the window, and where the baseline's windows lie."""
    return LossRange(
        watch=limit.watch.name,
        value=limit.watch.value(total.mean),
        rows=total.rows,
        windows=limit.limit.windows,
        low=limit.watch.value(limit.limit.lowest),
        high=limit.watch.value(limit.limit.highest),
    )


def _other(limit: LossLimit, total: ScoreSum) -> OtherLoss:
    high = limit.watch.value(limit.limit.highest)
    return OtherLoss(watch=limit.watch.name, value=limit.watch.value(total.mean), high=high)


def _proof(key: WatchKey, limit: LossLimit, sums: Mapping[WatchKey, ScoreSum], alpha: float) -> LossProof:
    """How rarely a sound window is so far outside, and what was to be expected of its rows where that is known."""
    total, gap = sums[key], sums.get(WatchKey(watch=f"surprise_{key.watch}"))
    value, expected = limit.watch.value(total.mean), None
    if gap is not None and gap.rows and gap.rows == total.rows:
        expected = value - limit.watch.scale * (2.0 * gap.mean - 1.0)
    largest = 1.0 / (1.0 + math.exp(-limit.limit.largest(total.rows, alpha)))
    return LossProof(
        watch=limit.watch.name, one_in=1.0 / alpha, largest=limit.watch.value(largest), value=value, expected=expected
    )
