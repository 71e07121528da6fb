"""Splits rows into windows, in the same way for the baseline and for live traffic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.tasks.label_codes import has_label
from monitoring.timestamps import as_datetime, as_microseconds, duration_microseconds
from monitoring.traffic.windows import RowPlan, Window, WindowPlan

Whole = NDArray[np.int64]


def split_by_window(times: Whole, plan: WindowPlan | RowPlan) -> Iterator[tuple[Window, Whole]]:
    """Split rows by their event times. `times`: event times in microseconds, in any order, int64 [n]."""
    ordered = np.sort(times)
    if isinstance(plan, RowPlan):
        yield from assign_rows(times, plan.windows(ordered))
        return
    for first, last in contiguous_spans(ordered, plan.longest_gap):
        yield from assign_rows(times, plan.windows(first, last))


def assign_rows(times: Whole, windows: Iterable[Window]) -> Iterator[tuple[Window, Whole]]:
    """Assign rows to given windows."""
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    for window in windows:
        first, last = np.searchsorted(ordered, [as_microseconds(window.start), as_microseconds(window.end)])
        yield window, order[first:last]


def split_by_label_arrival(predictions: Predictions, plan: WindowPlan | RowPlan) -> Iterator[tuple[Window, Whole]]:
    """Split labelled predictions by the time at which their labels arrived.

    Args:
        plan: How the time axis is cut. Windows of a number of rows are those of the answered rows, however many labels
            arrive in each.
    """
    labelled = np.flatnonzero(has_label(predictions.labels))
    times = predictions.label_times[labelled]
    arrivals = split_by_window(times, plan)
    if isinstance(plan, RowPlan):
        arrivals = assign_rows(times, plan.windows(np.sort(predictions.event_times)))
    for window, positions in arrivals:
        yield window, labelled[positions]


def contiguous_spans(ordered: Whole, longest_gap: timedelta) -> tuple[tuple[datetime, datetime], ...]:
    """Group times between which no gap is longer than `longest_gap`.

    >>> [(a.microsecond, b.microsecond) for a, b in contiguous_spans(np.array([1, 2, 9]), timedelta(microseconds=5))]
    [(1, 2), (9, 9)]

    Args:
        ordered: Times in microseconds, sorted, int64 [n].
    """
    if ordered.size == 0:
        return ()
    cuts = np.flatnonzero(np.diff(ordered) > duration_microseconds(longest_gap)) + 1
    firsts = ordered[np.concatenate([[0], cuts])]
    lasts = ordered[np.concatenate([cuts - 1, [ordered.size - 1]])]
    return tuple((as_datetime(first), as_datetime(last)) for first, last in zip(firsts, lasts, strict=True))
