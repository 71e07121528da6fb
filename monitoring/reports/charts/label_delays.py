"""Label delays, over all windows and over the last ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from monitoring.records import MonitorStatus
from monitoring.reports.charts.drawing import Chart, DataTable, Drawing, Label, Path, Scale, line
from monitoring.reports.charts.series import NARROW, WIDE, Size
from monitoring.reports.sections.formatting import format_duration
from monitoring.reports.sections.tables import LAST_WINDOWS, label_delay_sentence
from monitoring.watches.label_delays import arrival_curve, merged_counts

#: Shares that the axis names.
_SHARES: Final = (0.0, 0.5, 1.0)

#: Seconds after an event, and the share of labels that have arrived by then.
Curve = Sequence[tuple[int, float]]


def delays_drawing(curves: Sequence[tuple[str, Curve]], summary: str, size: Size) -> Drawing:
    """Draw label delays. `curves`: each curve's style and its points in order of time, two at least."""
    left, top, width, height = size.plot
    edges = [edge for edge, _ in curves[0][1]]
    x = Scale(math.log(edges[0]), math.log(edges[-1]), left, left + width)
    y = Scale(0.0, 1.03, top + height, top)
    marked = edges[:: max(1, -(-len(edges) // size.x_ticks))]
    bottom = top + height
    grid = "".join(f"M{left:g} {y(share):.1f}h{width:g}" for share in _SHARES)
    ticks = "".join(f"M{x(math.log(edge)):.1f} {bottom:g}v4" for edge in marked)
    paths = [Path(d=grid, style="grid"), Path(d=f"M{left:g} {bottom:g}h{width:g}{ticks}", style="axis")]
    paths += [Path(d=line([(x(math.log(edge)), y(share)) for edge, share in curve]), style=of) for of, curve in curves]
    labels = [Label(x=left - 6, y=y(share) + 4, text=f"{share:.0%}", anchor="end") for share in _SHARES]
    labels += [
        Label(x=x(math.log(edge)), y=bottom + 17, text=format_duration(edge), anchor="middle" if place else "start")
        for place, edge in enumerate(marked)
    ]
    return Drawing(
        width=size.width, height=size.height, summary=summary, paths=tuple(paths), labels=tuple(labels), fit=size.fit
    )


def arrival_charts(status: MonitorStatus) -> tuple[Chart, ...]:
    """Chart the distribution of label delays.

    Returns:
        One chart; none while no label has arrived, or where each comes with its prediction.
    """
    whole = arrival_curve(merged_counts(window.label_delays for window in status.windows))
    if len(whole) < 2:  # without label times, the event's own time stands in
        return ()
    with_labels = [window for window in status.windows if window.label_delays]
    last = arrival_curve(merged_counts(window.label_delays for window in with_labels[-LAST_WINDOWS:]))
    recent = len(with_labels) > LAST_WINDOWS
    shares = dict(last)
    curves = [("value-line", whole), *([("estimate-line", last)] if recent else [])]
    note = f"{label_delay_sentence(status)} Line: cumulative share of labels by the time since their event."
    if recent:
        note += f" Solid line: all windows; dashed line: the last {LAST_WINDOWS} with labels."
    summary = label_delay_sentence(status)
    return (
        Chart(
            name="arrivals",
            title="Label delay",
            note=note,
            drawings=tuple(delays_drawing(curves, summary, size) for size in (WIDE, NARROW)),
            table=DataTable(
                columns=("Within", "All windows", f"Last {LAST_WINDOWS} windows"),
                rows=tuple(
                    (format_duration(edge), f"{share:.1%}", f"{shares.get(edge, 1.0):.1%}") for edge, share in whole
                ),
            ),
        ),
    )
