"""Splits rows into windows, in the same way for the baseline and for live traffic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.tasks.label_codes import has_label
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import Window, WindowPlan

Whole = NDArray[np.int64]


def split_by_window(times: Whole, plan: WindowPlan) -> Iterator[tuple[Window, Whole]]:
    """Split rows by their event times. `times`: event times in microseconds, in any order, int64 [n]."""
    yield from assign_rows(times, plan.cut(np.sort(times)))


def assign_rows(times: Whole, windows: Iterable[Window]) -> Iterator[tuple[Window, Whole]]:
    """Assign rows to given windows."""
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    for window in windows:
        first, last = np.searchsorted(ordered, [as_microseconds(window.start), as_microseconds(window.end)])
        yield window, order[first:last]


def split_by_label_arrival(predictions: Predictions, plan: WindowPlan) -> Iterator[tuple[Window, Whole]]:
    """Split labelled predictions by the time at which their labels arrived.

    Args:
        plan: How the time axis is cut. Windows of a number of rows are those of the answered rows, however many labels
            arrive in each.
    """
    labelled = np.flatnonzero(has_label(predictions.labels))
    times = predictions.label_times[labelled]
    windows = plan.cut_arrivals(np.sort(predictions.event_times), np.sort(times))
    for window, positions in assign_rows(times, windows):
        yield window, labelled[positions]
