"""The change of a loss by slices: how much comes from another mix of values, how much from their own losses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from monitoring.incidents.alarm import Alarm
from monitoring.incidents.harm import excesses
from monitoring.records import SCORE_ONE, WHOLE, ScoreSum, SlicePart, Watch, WatchKey, WindowRecord
from monitoring.tasks.metrics import find_metric, mean_of_parts, part_of
from monitoring.tasks.task import loss_of
from monitoring.tasks.vector_regression import OF_NUMBER

#: The columns of the parts of losses that are means over classes, or over several predicted numbers.
CLASS: Final = "class"
NUMBER: Final = "number"

#: What is in none of a column's watched slices.
OTHERS = "other values"


def slice_parts(alarm: Alarm) -> tuple[SlicePart, ...]:
    """Decompose the change of the alarm's loss over all labelled rows, once for each sliced column.

    Rows of thin slices that wait to be evaluated count with their slice; one that is never judged is among the others.

    Returns:
        The parts in the loss's own unit, column by column; none where the alarm is not about a loss.
    """
    metric = loss_of(alarm.key.watch)
    if find_metric(metric) is None:
        return ()
    watch = alarm.baseline.watches[metric]
    judged = {key for key in alarm.baseline.losses if not key.slice or key in alarm.baseline.scores}
    before = {key: total for key, total in alarm.baseline.losses.items() if key in judged}
    after = sum_windows(alarm.windows, watch)
    for key, total in alarm.waiting.items():
        if key.watch == metric and key.slice:
            after[key] = after.get(key, ScoreSum()) + total
    columns = sorted({key.slice.partition("=")[0] for key in before if key.slice})
    return tuple(
        replace(part, mix=part.mix * watch.scale, loss=part.loss * watch.scale)
        for column in columns
        for part in decompose(
            sums_by_slice(before, metric, column), sums_by_slice(after, metric, column), metric=metric, column=column
        )
    )


def class_parts(alarm: Alarm) -> tuple[SlicePart, ...]:
    """Each class's part in the change of a loss that is a mean over classes, or each number's over numbers.

    Returns:
        The parts, largest first, which add up to the change but for rounding; none where the alarm is about something
        else.
    """
    metric = loss_of(alarm.key.watch)
    watches = {name: watch for name, watch in alarm.baseline.watches.items() if watch.family == "performance"}
    names = [name for name in watches if part_of(name) is not None and mean_of_parts(name) == metric]
    parts = []
    for name in names if not alarm.key.slice else ():
        changes = excesses(alarm, WatchKey(watch=name))
        loss = math.fsum(changes) / len(changes) / len(names) if changes else 0.0
        column = NUMBER if name.startswith(OF_NUMBER) else CLASS
        parts.append(SlicePart(metric=metric, column=column, slice=f"{column}={part_of(name)}", mix=0.0, loss=loss))
    return tuple(sorted(parts, key=lambda part: (-abs(part.total), part.slice)))


def decompose(
    before: Mapping[str, ScoreSum], after: Mapping[str, ScoreSum], *, metric: str = "", column: str = ""
) -> tuple[SlicePart, ...]:
    """Each slice's part in the change of a metric's mean: the Kitagawa-Oaxaca-Blinder decomposition.

    A slice without rows before is compared with the whole's mean there, and one without rows after with its own mean
    before.

    Returns:
        The parts, largest first; they add up to the change but for rounding. Empty where a side has no rows.

    >>> before = {"a": ScoreSum(50, 0), "b": ScoreSum(50, 50 << 32)}
    >>> after = {"a": ScoreSum(25, 0), "b": ScoreSum(75, 75 << 32)}
    >>> [(part.slice, part.mix, part.loss) for part in decompose(before, after)]
    [('a', 0.125, 0.0), ('b', 0.125, 0.0)]
    """
    first, last = (sum(side.values(), ScoreSum()) for side in (before, after))
    if not first.rows or not last.rows:
        return ()
    parts = []
    for name in sorted({*before, *after}):
        was, now = before.get(name, ScoreSum()), after.get(name, ScoreSum())
        mean = was.mean if was.rows else first.mean
        share, change = now.rows / last.rows, now.rows / last.rows - was.rows / first.rows
        loss = share * (now.mean - mean) if now.rows else 0.0
        parts.append(SlicePart(metric=metric, column=column, slice=name, mix=change * (mean - first.mean), loss=loss))
    return tuple(sorted(parts, key=lambda part: (-abs(part.total), part.slice)))


def sums_by_slice(sums: Mapping[WatchKey, ScoreSum], watch: str, column: str) -> dict[str, ScoreSum]:
    """One watch's sums by the watched slices of a column; all other rows are under `OTHERS`."""
    parts = {
        key.slice: total for key, total in sums.items() if key.watch == watch and key.slice.startswith(f"{column}=")
    }
    inside, whole = sum(parts.values(), ScoreSum()), sums.get(WatchKey(watch=watch), ScoreSum())
    rows = whole.rows - inside.rows  # below 0 where waiting rows of a slice are from before the onset
    rest = ScoreSum(rows, min(max(whole.total - inside.total, 0), max(rows, 0) * SCORE_ONE))
    return {**parts, OTHERS: rest} if rest.rows > 0 else parts


def sum_windows(windows: Sequence[WindowRecord], watch: Watch) -> dict[WatchKey, ScoreSum]:
    """A watch's sums over windows, whole and by slice, from their recorded means.

    Args:
        windows: The windows; those without a score on the whole traffic are left out, so that whole and slices are
            sums over the same rows.
    """
    sums: dict[WatchKey, ScoreSum] = {}
    for window in windows:
        scored = [score for score in window.scores if score.watch == watch.name and score.value is not None]
        if not any(score.slice == WHOLE for score in scored):
            continue
        for score in scored:
            key = WatchKey(watch=watch.name, slice=score.slice)
            total = round(((score.value or 0.0) - watch.offset) / watch.scale * score.rows * SCORE_ONE)
            sums[key] = sums.get(key, ScoreSum()) + ScoreSum(score.rows, total)
    return sums
