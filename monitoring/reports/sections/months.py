"""The deployment's losses over all its windows, and by calendar month."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from monitoring.records import WHOLE, MonitorStatus
from monitoring.reports.sections.benchmark import Interval
from monitoring.tasks.metrics import is_custom
from monitoring.tasks.output_names import split_output

#: The losses that a benchmark and a deployment are compared by, in this order.
LOSSES = (
    "brier",
    "error",
    "macro_brier",
    "hamming_error",
    "absolute_error",
    "squared_error",
    "percentage_error",
    "pinball_loss",
    "bias",
    "ndcg_loss",
    "recall_loss",
    "reciprocal_rank_loss",
    "cost",
)

#: The first of these that was scored is drawn window by window; of several outputs that of each.
DRAWN = ("brier", "error", "macro_brier", "absolute_error", "pinball_loss", "ndcg_loss", "recall_loss")

#: Where a row may have several classes: the loss of each that is shown too, of so many classes at most, worst first.
CLASS_LOSS = "class_brier:"
MAX_CLASSES = 12

#: Fewer windows than this have no interval.
FEWEST_WINDOWS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One metric over the windows that began in one calendar month: rows-weighted mean and 95 % interval by window."""

    first_day: date
    windows: int
    rows: int
    value: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSeries:
    """One metric of the deployment on the whole traffic or on one slice: over everything, and month by month."""

    metric: str
    slice: str
    rows: int
    whole: Interval
    months: tuple[Month, ...]


def loss_series(status: MonitorStatus) -> tuple[SliceSeries, ...]:
    """Aggregate every loss on the whole traffic and on each slice.

    A window counts in the month in which it began, in the deployment's time zone, by the rows it scored; windows
    without a score are left out. Cost: one pass over all score records.

    Returns:
        By loss: the whole traffic, then slices by name; of several outputs by output; then metrics of the user's own,
        and the worst classes, where a row may have several.
    """
    zone = ZoneInfo(status.timezone)
    by_slice: dict[tuple[str, str], list[tuple[date, float, int]]] = {}
    for window in status.windows:
        month = window.start.astimezone(zone).date().replace(day=1)
        for score in window.scores:
            if (
                (split_output(score.watch)[1] in LOSSES or score.watch.startswith(CLASS_LOSS) or is_custom(score.watch))
                and score.value is not None
                and score.rows > 0
            ):
                by_slice.setdefault((score.watch, score.slice), []).append((month, score.value, score.rows))
    ordered = sorted((key for key in by_slice if key[0] in LOSSES), key=lambda key: (LOSSES.index(key[0]), key[1]))
    ordered += sorted((key for key in by_slice if split_output(key[0])[0]), key=_in_output)
    ordered += sorted(key for key in by_slice if is_custom(key[0]))
    of_classes = [_series(*key, points) for key, points in sorted(by_slice.items()) if key[0].startswith(CLASS_LOSS)]
    worst = sorted(of_classes, key=lambda entry: -entry.whole.mean)[:MAX_CLASSES]
    return (*(_series(metric, part, by_slice[metric, part]) for metric, part in ordered), *worst)


def _in_output(key: tuple[str, str]) -> tuple[str, int, str]:
    """The place of a loss of one output of several, on a slice."""
    output, metric = split_output(key[0])
    return output, LOSSES.index(metric), key[1]


def metrics_of(series: Sequence[SliceSeries]) -> tuple[str, ...]:
    """The losses of some series: those of `LOSSES` in their order, then others in that of the series."""
    there = tuple(dict.fromkeys(entry.metric for entry in series))
    return (*(metric for metric in LOSSES if metric in there), *(metric for metric in there if metric not in LOSSES))


def _series(metric: str, part: str, points: list[tuple[date, float, int]]) -> SliceSeries:
    months = []
    for first_day in sorted({month for month, _, _ in points}):
        inside = [(value, rows) for month, value, rows in points if month == first_day]
        months.append(
            Month(
                first_day=first_day,
                windows=len(inside),
                rows=sum(rows for _, rows in inside),
                value=weighted_interval(inside),
            )
        )
    everything = [(value, rows) for _, value, rows in points]
    return SliceSeries(
        metric=metric,
        slice=part,
        rows=sum(rows for _, rows in everything),
        whole=weighted_interval(everything),
        months=tuple(months),
    )


def weighted_interval(points: Sequence[tuple[float, int]]) -> Interval:
    """The rows-weighted mean over windows, and its 95 % interval with windows as the sampling units.

    Rows of one window are correlated, so the variance is the ratio estimator's linearised one over windows. Source:
    Cochran, *Sampling Techniques* (1977), §6.4.

    >>> weighted_interval([(0.1, 100), (0.4, 200)])
    Interval(mean=0.3, low=0.3, high=0.3)
    """
    rows = sum(weight for _, weight in points)
    mean = sum(value * weight for value, weight in points) / rows
    count = len(points)
    if count < FEWEST_WINDOWS:
        return Interval(mean=mean, low=mean, high=mean)
    squares = sum((weight * (value - mean)) ** 2 for value, weight in points)
    half = 1.96 * math.sqrt(squares * count / (count - 1)) / rows
    return Interval(mean=mean, low=mean - half, high=mean + half)


def whole_series(series: Sequence[SliceSeries], metric: str) -> SliceSeries | None:
    """The series of one metric on the whole traffic, if there is one."""
    return next((entry for entry in series if entry.metric == metric and entry.slice == WHOLE), None)


def slice_series(series: Sequence[SliceSeries], metric: str) -> tuple[SliceSeries, ...]:
    """The series of one metric on each slice."""
    return tuple(entry for entry in series if entry.metric == metric and entry.slice != WHOLE)
