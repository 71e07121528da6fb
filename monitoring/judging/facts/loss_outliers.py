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
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import Floats, Task
from monitoring.watches.descriptions import format_value, lower_first, watch_title

#: A window has so many times the loss of the worst window seen.
WORST_FACTOR = 1.2

#: Losses besides the first one that a message names.
NAMED_LOSSES = 2

#: The kind of the finding, and what it is about.
OUTLIER = "losses far outside the baseline"
SUBJECT = "losses"

#: A window is worse than all seen if no more than this share of sound ones is as high, where they vary as the
#: baseline's do.
HIGH_SHARE = 0.01


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
    parts = [_range(limits[first], sums[first]), _proof(far[0], limits[far[0]], sums, alpha)]
    others = [key for key in far[1:] if key != first]
    if others:
        named = ", ".join(
            f"{lower_first(watch_title(key.watch))} {_value(limits[key], sums[key].mean)} "
            f"(at most {_value(limits[key], limits[key].limit.highest)} in the baseline)"
            for key in others[:NAMED_LOSSES]
        )
        parts.append(f"Besides: {named}.")
    message = " ".join(parts)
    return (Finding(kind=OUTLIER, feature=SUBJECT, message=message, fact=True),)


def with_unit_change(findings: Sequence[Finding], task: Task, answers: Floats) -> tuple[Finding, ...]:
    """Facts, of which those of losses say it where the window's answers [n, width] are a power of ten larger."""
    is_lost = [finding.kind in (OUTLIER, CONTRADICTED) for finding in findings]
    power = task.power_of_ten(answers) if any(is_lost) and isinstance(task, Regression) else 0
    factor = f"{10**power:,} times" if power > 0 else f"1/{10**-power:,} of"
    text = f" The answers are about {factor} the baseline's: a change of unit?" if power else ""
    return tuple(
        replace(finding, message=f"{finding.message}{text}") if lost else finding
        for finding, lost in zip(findings, is_lost, strict=True)
    )


def _largest_seen(limits: Mapping[WatchKey, LossLimit], history: Sequence[WindowRecord]) -> dict[WatchKey, float]:
    """The largest score of each loss in the baseline's windows, and in live ones in which no page was open."""
    live = live_values(limits, history)
    return {
        key: max([limit.limit.highest, *((value - limit.watch.offset) / limit.watch.scale for value in live[key])])
        for key, limit in limits.items()
    }


def _high(limit: LossLimit, total: ScoreSum, previous_max: float, alpha: float) -> Finding:
    """That a window is worse than all seen, and from where on one window pages."""
    page = limit.smallest_page(total.rows, previous_max, alpha)
    message = (
        f"{_range(limit, total)} One window of so many rows pages above {_value(limit, page)}: check the labels of its "
        "rows, then their inputs."
    )
    return Finding(kind=HIGHEST_LOSS, feature=SUBJECT, message=message)


def _range(limit: LossLimit, total: ScoreSum) -> str:
    """A loss in the window, and where the baseline's windows lie."""
    return (
        f"{watch_title(limit.watch.name)} {_value(limit, total.mean)} in this window ({total.rows:,} labelled rows); "
        f"the baseline's {limit.limit.windows} windows lie between {_value(limit, limit.limit.lowest)} and "
        f"{_value(limit, limit.limit.highest)}."
    )


def _proof(key: WatchKey, limit: LossLimit, sums: Mapping[WatchKey, ScoreSum], alpha: float) -> str:
    """From where on a window is a page, and what was to be expected of its rows where that is known."""
    total, name = sums[key], lower_first(watch_title(limit.watch.name))
    largest = 1.0 / (1.0 + math.exp(-limit.limit.largest(total.rows, alpha)))
    page = f"By how the baseline's windows vary, chance does not bring the {name} above {_value(limit, largest)}"
    gap = sums.get(WatchKey(watch=f"surprise_{key.watch}"))
    if gap is None or not gap.rows or gap.rows != total.rows:
        return f"{page}; this window has {_value(limit, total.mean)}."
    expected = limit.watch.value(total.mean) - limit.watch.scale * (2.0 * gap.mean - 1.0)
    return (
        f"{page}; this window has {_value(limit, total.mean)}, and the model's answers let expect "
        f"{format_value(limit.watch.name, expected)}."
    )


def _value(limit: LossLimit, score: float) -> str:
    return format_value(limit.watch.name, limit.watch.value(score))
