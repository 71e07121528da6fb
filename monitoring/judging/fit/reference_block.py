"""The block of a reference's windows in which a loss stands out: an incident that nobody noticed, perhaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from monitoring.baseline.folder import Baseline
from monitoring.evidence.level_shift import outstanding_block
from monitoring.evidence.seasonality import fit_seasonality
from monitoring.judging.fit.baseline_sums import baseline_scorer, label_sums, mean_scores, pooled_sums
from monitoring.judging.fit.reference_fit import answers_with_slices
from monitoring.judging.window.windowing import split_by_window
from monitoring.records import WHOLE, ScoreSum, WatchKey
from monitoring.traffic.windows import Window, WindowPlan
from monitoring.watches.catalogue import Catalogue
from monitoring.watches.descriptions import is_rank


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceBlock:
    """Consecutive windows of a reference whose rows have another loss than those of all other windows.

    Attributes:
        metric: The loss, of those that are watched the one that stands out most.
        start: Of the first window.
        end: Of the last window.
        inside: The loss of its windows, in its own unit, without the seasonality.
        others: That of the other windows.
        errors: Their difference in standard errors.
    """

    metric: str
    start: datetime
    end: datetime
    windows: int
    inside: float
    others: float
    errors: float


def reference_block(baseline: Baseline, catalogue: Catalogue, plan: WindowPlan) -> ReferenceBlock | None:
    """The block of windows that stands out by a loss, rows counted in the window of their event time.

    Args:
        plan: How the reference is cut; windows in its events are left out.

    Returns:
        The block of the loss that is the most standard errors away; None where none is far enough
        (`monitoring.evidence.level_shift`), and of references without dates. Cost: a pass over the labelled rows.
    """
    if baseline.spec.rows_per_window is not None or not catalogue.task.metrics:
        return None
    windows, sums = _losses(baseline, catalogue, plan)
    blocks = [_block(name, windows, sums, catalogue, plan) for name in _metrics(catalogue)]
    return max(filter(None, blocks), key=lambda block: block.errors, default=None)


def _metrics(catalogue: Catalogue) -> list[str]:
    """The losses of all rows; ranking losses are pooled by themselves, and are left out."""
    watches = catalogue.watches.values()
    return [watch.name for watch in watches if watch.family == "performance" and not is_rank(watch.name)]


def _losses(
    baseline: Baseline, catalogue: Catalogue, plan: WindowPlan
) -> tuple[list[Window], list[Mapping[WatchKey, ScoreSum]]]:
    """The reference's windows, and the sums of the losses of their rows."""
    reference, scorer = answers_with_slices(baseline, catalogue), baseline_scorer(catalogue)
    windows: list[Window] = []
    sums: list[Mapping[WatchKey, ScoreSum]] = []
    for window, positions in split_by_window(reference.event_times, plan):
        if plan.events.at(window.start, window.end) is None:
            windows.append(window)
            sums.append(label_sums(scorer, reference.take(positions), powers=(1,))[0])
    return windows, sums


def _block(
    metric: str,
    windows: Sequence[Window],
    sums: Sequence[Mapping[WatchKey, ScoreSum]],
    catalogue: Catalogue,
    plan: WindowPlan,
) -> ReferenceBlock | None:
    """The block in which one loss stands out."""
    pooled, completed = pooled_sums(sums, WatchKey(watch=metric, slice=WHOLE), plan.min_rows)
    if not pooled:
        return None
    phases = [plan.phases(windows[place].start) for place in completed]
    by_period = {period: np.array([each[period] for each in phases], dtype=np.int64) for period in phases[0]}
    least = 0.5 / float(np.median([score_sum.rows for score_sum in pooled]))
    _, scores = fit_seasonality(mean_scores(pooled), by_period, min_std=least)
    shift = outstanding_block(scores)
    if shift is None:
        return None
    before = int(completed[shift.first - 1]) + 1 if shift.first else 0
    watch, inside = catalogue.watches[metric], scores[shift.first : shift.end]
    return ReferenceBlock(
        metric=metric,
        start=windows[before].start,
        end=windows[int(completed[shift.end - 1])].end,
        windows=int(completed[shift.end - 1]) + 1 - before,
        inside=watch.value(float(inside.mean())),
        others=watch.value(float(inside.mean()) - shift.shift),
        errors=shift.errors,
    )
