"""Cutting rows into windows, the same way for the baseline and for live traffic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.predictions import NO_LABEL, Predictions
from monitoring.timestamps import as_datetime, as_microseconds, duration_microseconds
from monitoring.traffic.windows import RowPlan, Window, WindowPlan


def split_by_window(times: NDArray[np.int64], plan: WindowPlan | RowPlan) -> Iterator[tuple[Window, NDArray[np.int64]]]:
    """Each window that spans `times` (int64 microseconds, any order) with its rows' positions.

    Empty ones are included, but for stretches without a row that are longer than the plan's longest gap.
    """
    ordered = np.sort(times)
    if isinstance(plan, RowPlan):
        yield from assign_rows(times, plan.windows(ordered))
        return
    for first, last in contiguous_spans(ordered, plan.longest_gap):
        yield from assign_rows(times, plan.windows(first, last))


def assign_rows(times: NDArray[np.int64], windows: Iterable[Window]) -> Iterator[tuple[Window, NDArray[np.int64]]]:
    """Each window with the positions of the rows that lie in it; `times` in any order."""
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    for window in windows:
        first, last = np.searchsorted(ordered, [as_microseconds(window.start), as_microseconds(window.end)])
        yield window, order[first:last]


def split_by_label_arrival(
    predictions: Predictions, plan: WindowPlan | RowPlan
) -> Iterator[tuple[Window, NDArray[np.int64]]]:
    """Each window with the positions of the labelled predictions whose labels arrived in it."""
    known = np.flatnonzero(predictions.labels != NO_LABEL)
    times = predictions.label_times[known]
    arrived = split_by_window(times, plan)
    if isinstance(plan, RowPlan):  # labels fall into the windows of the rows, however many arrive in each
        arrived = assign_rows(times, plan.windows(np.sort(predictions.event_times)))
    for window, places in arrived:
        yield window, known[places]


def contiguous_spans(ordered: NDArray[np.int64], longest_gap: timedelta) -> tuple[tuple[datetime, datetime], ...]:
    """The first and last of each group of moments (sorted, microseconds) between which no gap is longer than that.

    >>> [(a.microsecond, b.microsecond) for a, b in contiguous_spans(np.array([1, 2, 9]), timedelta(microseconds=5))]
    [(1, 2), (9, 9)]
    """
    if ordered.size == 0:
        return ()
    cuts = np.flatnonzero(np.diff(ordered) > duration_microseconds(longest_gap)) + 1
    firsts = ordered[np.concatenate([[0], cuts])]
    lasts = ordered[np.concatenate([cuts - 1, [ordered.size - 1]])]
    return tuple((as_datetime(int(first)), as_datetime(int(last))) for first, last in zip(firsts, lasts, strict=True))
