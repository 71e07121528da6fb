"""When an incident was open within the period of a report: a bar of one line's height."""

from __future__ import annotations

from datetime import datetime

from monitoring.records import IncidentRecord
from monitoring.reports.charts.drawing import Drawing, Path, Scale, box

#: Pixels of the drawing, and of the shortest bar.
WIDTH, HEIGHT = 140, 10
_LEAST = 3.0


def span_drawing(incident: IncidentRecord, since: datetime, until: datetime) -> Drawing:
    """Draw the part of a period in which an incident was open, from its window's begin.

    Args:
        incident: The incident.
        since: The begin of the period's first window, aware.
        until: The end of its last window, aware.
    """
    x = Scale(since.timestamp(), until.timestamp(), 0.0, float(WIDTH))
    end = until if incident.closed_at is None else incident.closed_at
    right = max(x(end.timestamp()), _LEAST)
    left = min(x(incident.window_start.timestamp()), right - _LEAST)
    return Drawing(
        width=WIDTH,
        height=HEIGHT,
        summary=f"Open from {incident.window_start:%Y-%m-%d}"
        + ("" if incident.closed_at is None else f" to {incident.closed_at:%Y-%m-%d}"),
        paths=(
            Path(d=box(0.0, 0.0, WIDTH, HEIGHT), style="gauge"),
            Path(d=box(left, 0.0, right - left, HEIGHT), style=f"strip-{incident.level}"),
        ),
        fit="span",
    )
