"""Which windows of the traffic are due."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import RowPlan, Window, WindowPlan


def due_windows(
    traffic: TrafficSource, plan: WindowPlan | RowPlan, *, after: datetime | None, now: datetime, followed: bool = False
) -> tuple[Window, ...]:
    """The windows with traffic that are due.

    Windows without a row are among them, but for gaps that are longer than the plan's longest; and those after the last
    row where the traffic was followed as it came, so that traffic that stops is noticed. Nothing after `now` is looked
    at, so that a row from the far future costs nothing.

    Args:
        after: the windows begin then or later; None: at any time.
    """
    if isinstance(plan, RowPlan):
        times = traffic.event_times()
        if after is not None:
            times = times[np.searchsorted(times, as_microseconds(after)) :]
        return tuple(window for window in plan.windows(times, after) if plan.due(window, now))
    windows: list[Window] = []
    for first, last in traffic.spans(plan.longest_gap):
        begin, end = first, min(last + plan.longest_gap if followed else last, now)
        if after is not None and (first <= after or first - after <= plan.longest_gap):
            begin = min(after, end)
        windows += [w for w in plan.windows(begin, end) if plan.due(w, now) and (after is None or w.start >= after)]
    return tuple(dict.fromkeys(windows))


def windows_of_labels(
    plan: WindowPlan, *, after: datetime, until: datetime | None, now: datetime
) -> tuple[Window, ...]:
    """The windows that are due in which labels arrive after the traffic has ended.

    Args:
        until: the time of the last such label; None: there is none.
    """
    if until is None or until < after:
        return ()
    return tuple(window for window in plan.windows(after, until) if window.start >= after and plan.due(window, now))


#: A window counts as judged in time within so many windows after it was due, and a day.
IN_TIME_WINDOWS = 3


def is_followed(
    plan: WindowPlan | RowPlan, *, after: datetime | None, checked_at: datetime | None, length: timedelta | None = None
) -> bool:
    """Whether the traffic is followed as it comes: the last window was judged soon after it was due.

    Args:
        checked_at: when the last run was that judged all that was due; None where there was none.
        length: how long its windows are; None: as the plan's.

    Returns:
        False for windows of rows, which are due by rows alone, and for a table of the past that is read once.
    """
    if isinstance(plan, RowPlan) or after is None or checked_at is None:
        return False
    [window] = plan.windows(after, after)
    length = window.end - window.start if length is None else length
    return checked_at <= after + plan.lateness + IN_TIME_WINDOWS * length + timedelta(days=1)


def next_due_at(
    plan: WindowPlan | RowPlan, after: datetime | None, last_row: datetime | None = None
) -> datetime | None:
    """The time before which no window is due, whatever traffic comes.

    Args:
        last_row: The time of the last row, where windows after it were judged for labels alone: they put nothing off.
    """
    if isinstance(plan, RowPlan) or after is None:
        return None
    if last_row is not None:
        [window] = plan.windows(last_row, last_row)
        after = min(after, window.end)
    [window] = plan.windows(after, after)
    return window.end + plan.lateness
