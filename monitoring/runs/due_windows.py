"""When windows are due beside those that have rows: followed traffic that stops, late labels, the next run."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitoring.traffic.windows import Window, WindowPlan


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
    plan: WindowPlan, *, after: datetime | None, checked_at: datetime | None, length: timedelta | None = None
) -> bool:
    """Whether the traffic is followed as it comes: the last window was judged soon after it was due.

    Args:
        checked_at: when the last run was that judged all that was due; None where there was none.
        length: how long its windows are; None: as the plan's.

    Returns:
        False for windows of rows, which are due by rows alone, and for a table of the past that is read once.
    """
    length_now = None if after is None else plan.length_at(after)
    if length_now is None or after is None or checked_at is None:
        return False
    length = length_now if length is None else length
    return checked_at <= after + plan.lateness + IN_TIME_WINDOWS * length + timedelta(days=1)


def next_due_at(plan: WindowPlan, after: datetime | None, last_row: datetime | None = None) -> datetime | None:
    """The time before which no window is due, whatever traffic comes.

    Args:
        last_row: The time of the last row, where windows after it were judged for labels alone: they put nothing off.
    """
    if after is None:
        return None
    for window in () if last_row is None else plan.windows(last_row, last_row):
        after = min(after, window.end)
    ends = (window.end for window in plan.windows(after, after))
    return next((end + plan.lateness for end in ends), None)
