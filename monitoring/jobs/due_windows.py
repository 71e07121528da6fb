"""Which windows of the traffic are due."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import RowPlan, Window, WindowPlan


def due_windows(
    traffic: TrafficSource, plan: WindowPlan | RowPlan, *, after: datetime | None, now: datetime
) -> tuple[Window, ...]:
    """The windows with traffic that are due.

    Windows without a row are among them, but for gaps that are longer than the plan's longest. Nothing after `now` is
    looked at, so that a row from the far future costs nothing.

    Args:
        traffic: the traffic.
        plan: how it is cut into windows.
        after: the windows begin then or later; None: at any time.
        now: the time.

    Returns:
        The windows, in order.
    """
    if isinstance(plan, RowPlan):
        times = traffic.event_times()
        if after is not None:
            times = times[np.searchsorted(times, as_microseconds(after)) :]
        return tuple(window for window in plan.windows(times, after) if plan.due(window, now))
    found: list[Window] = []
    for first, last in traffic.spans(plan.longest_gap):
        begin, end = first, min(last, now)
        if after is not None and (first <= after or first - after <= plan.longest_gap):
            begin = min(after, end)
        found += [w for w in plan.windows(begin, end) if plan.due(w, now) and (after is None or w.start >= after)]
    return tuple(found)
