"""The smallest detectable rise of each loss as a table: one row a metric, one column a horizon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitoring.records import BURN_IN, LABELS_STOPPED, WHOLE, BaselineScore, MonitorStatus, Sensitivity, WindowRecord
from monitoring.reports.sections.formatting import format_count
from monitoring.sentences.finding_text import finding_text
from monitoring.tasks.metrics import find_metric
from monitoring.tasks.task import MATERIAL
from monitoring.watches.descriptions import (
    NOTHING,
    format_amount,
    format_change,
    lower_first,
    metric_title,
    slice_title,
)

#: A loss that was evaluated in none of the last windows, this many, is not watched.
RECENT_WINDOWS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityTable:
    """`horizons` in windows, ascending; each row is a metric with its slice, and one cell per horizon."""

    horizons: tuple[int, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def sensitivity_rows(sensitivity: tuple[Sensitivity, ...]) -> SensitivityTable:
    """Tabulate the smallest detectable rises.

    >>> found = Sensitivity(metric="brier", slice="", windows=30, rise=0.047)
    >>> missed = Sensitivity(metric="brier", slice="", windows=7, rise=None)
    >>> sensitivity_rows((found, missed)).rows
    (('Brier score', ('not within 7', '+0.047')),)
    """
    horizons = tuple(sorted({entry.windows for entry in sensitivity}))
    rises = {(entry.metric, entry.slice, entry.windows): entry.rise for entry in sensitivity}
    rows = []
    for metric, part in dict.fromkeys((entry.metric, entry.slice) for entry in sensitivity):
        name = metric_title(metric) + (f" at {slice_title(part)}" if part else "")
        cells = []
        for horizon in horizons:
            if (metric, part, horizon) not in rises:
                cells.append(NOTHING)
                continue
            rise = rises[metric, part, horizon]
            cells.append(f"not within {horizon}" if rise is None else format_change(metric, rise))
        rows.append((name, tuple(cells)))
    return SensitivityTable(horizons=horizons, rows=tuple(rows))


def detectable_rise(sensitivity: tuple[Sensitivity, ...]) -> str:
    """The smallest rise of each loss on the whole traffic that is detected within the middle horizon.

    Returns:
        A sentence; empty where nothing was simulated for the whole traffic.
    """
    whole = within_middle(sensitivity)
    if not whole:
        return ""
    within = format_count(whole[0].windows, "window")
    return f"Smallest rise detected within {within}: {smallest_rises(sensitivity)}."


def smallest_rises(sensitivity: Sequence[Sensitivity]) -> str:
    """The losses of the whole traffic, each with the smallest rise that is detected within the middle horizon.

    >>> smallest_rises([Sensitivity(metric="error", slice="", windows=30, rise=0.226)])
    'error rate +22.6 points'
    """
    return ", ".join(
        f"{lower_first(metric_title(entry.metric))} {smallest_rise(entry)}" for entry in within_middle(sensitivity)
    )


def within_middle(sensitivity: Sequence[Sensitivity]) -> list[Sensitivity]:
    """What is detected on the whole traffic within the middle one of the horizons."""
    whole = [entry for entry in sensitivity if not entry.slice]
    horizons = sorted({entry.windows for entry in whole})
    return [entry for entry in whole if entry.windows == horizons[len(horizons) // 2]]


def smallest_rise(entry: Sensitivity) -> str:
    """The smallest rise that is detected, in the metric's own unit.

    >>> smallest_rise(Sensitivity(metric="error", slice="", windows=30, rise=0.226))
    '+22.6 points'
    """
    return "no rise" if entry.rise is None else format_change(entry.metric, entry.rise)


def unnoticed(sensitivity: Sequence[Sensitivity], baseline: Sequence[BaselineScore]) -> str:
    """Say what rise is not noticed though it would be harm whatever explains it, of the first such loss.

    >>> loss = BaselineScore(
    ...     level="page", watch="material_error", slice="", mean=0.2, deviation=0.05, tolerance=0.1, windows=90
    ... )
    >>> found = Sensitivity(metric="error", slice="", windows=30, rise=0.226)
    >>> unnoticed([found], [loss]), unnoticed([replace(found, rise=0.09)], [loss])
    ('would not notice within 30 windows that the error rate rose by less than 22.6 points', '')

    Args:
        baseline: The watches in the baseline, whose material rises have a tolerance.

    Returns:
        A clause; empty where every material rise is noticed within the middle horizon.
    """
    material = {
        score.watch.removeprefix(MATERIAL): score.tolerance for score in baseline if score.watch.startswith(MATERIAL)
    }
    for entry in within_middle(sensitivity):
        if entry.metric in material and (entry.rise is None or entry.rise > material[entry.metric]):
            least = "" if entry.rise is None else f" by less than {format_amount(entry.metric, entry.rise)}"
            windows = format_count(entry.windows, "window")
            return f"would not notice within {windows} that the {lower_first(metric_title(entry.metric))} rose{least}"
    return ""


def detectable(status: MonitorStatus) -> tuple[Sensitivity, ...]:
    """The smallest detectable rises that hold now: none is detected while no label counts.

    Returns:
        What was simulated, with `rise` None in every entry where no loss was evaluated lately.
    """
    if not unwatched_losses(status):
        return status.sensitivity
    return tuple(replace(entry, rise=None) for entry in status.sensitivity)


def watches_no_loss(baseline: Sequence[BaselineScore]) -> bool:
    """Whether no loss is known of the model, or none of the reference: none is compared with its baseline."""
    return bool(baseline) and not any(find_metric(score.watch) for score in baseline)


def unwatched_losses(status: MonitorStatus) -> str:
    """What `unwatched_losses_of` says of a deployment."""
    return unwatched_losses_of(status.windows, status.baseline, status.sensitivity)


def unwatched_losses_of(
    windows: Sequence[WindowRecord], baseline: Sequence[BaselineScore], sensitivity: Sequence[Sensitivity]
) -> str:
    """Say that no loss was evaluated lately, or that none may page yet, so that no rise of one would be detected.

    Returns:
        A sentence; empty where a loss on the whole traffic was evaluated in one of the last `RECENT_WINDOWS` and there
        is no burn-in, and where nothing was judged or simulated.
    """
    if watches_no_loss(baseline):
        return "No rise of a loss would be detected: no loss is watched."
    last = {finding.kind: finding for window in windows[-1:] for finding in window.findings}
    if LABELS_STOPPED in last:
        return f"No rise of a loss would be detected. {finding_text(last[LABELS_STOPPED])}"
    burn_in = last.get(BURN_IN)
    if burn_in is not None:
        until = lower_first(burn_in.message.partition(":")[0])
        return f"No rise of a loss would be detected: {until}, in which nothing pages but facts."
    losses, recent = {entry.metric for entry in sensitivity}, windows[-RECENT_WINDOWS:]
    if not losses or not recent:
        return ""
    scores = (score for window in recent for score in window.scores if score.slice == WHOLE)
    if any(score.watch in losses and score.value is not None for score in scores):
        return ""
    return (
        f"No rise of a loss would be detected: no label has counted in the last {format_count(len(recent), 'window')} "
        f"({sum(window.labels for window in recent):,} arrived)."
    )
