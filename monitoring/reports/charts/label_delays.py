"""Label delays, over all windows and over the last ones."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.records import MonitorStatus
from monitoring.reports.charts.chart import Chart, Figure, axis, bounded, layout
from monitoring.reports.sections.formatting import format_duration
from monitoring.reports.sections.label_delays import LAST_WINDOWS, label_delay_sentence
from monitoring.watches.label_delays import arrival_curve, merged_counts

HEIGHT = 230


def arrival_charts(status: MonitorStatus) -> tuple[Chart, ...]:
    """Chart the distribution of label delays.

    Args:
        status: The deployment's state.

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
    lines = [_line(whole, "all windows", {"color": "--ink", "width": 2, "dash": "solid"})]
    if recent:
        lines.append(_line(last, f"last {LAST_WINDOWS} windows", {"color": "--notice", "width": 1.5, "dash": "dot"}))
    note = f"{label_delay_sentence(status)} Line: cumulative share of labels by the time since their event."
    if recent:
        note += f" Solid line: all windows; dotted line: the last {LAST_WINDOWS} with labels."
    edges = [edge for edge, _ in whole]
    return (
        Chart(
            name="arrivals",
            title="Label delay",
            note=note,
            summary=label_delay_sentence(status),
            height=HEIGHT,
            figure={
                "data": lines,
                "layout": layout(
                    HEIGHT,
                    xaxis=axis(
                        type="log",
                        showgrid=False,
                        tickmode="array",
                        tickvals=edges[:: max(len(edges) // 8, 1)],
                        ticktext=[format_duration(edge) for edge in edges[:: max(len(edges) // 8, 1)]],
                    ),
                    yaxis=axis(tickformat=".0%", range=[0, 1.03], nticks=6),
                ),
            },
            table=bounded(
                ("Within", "All windows", f"Last {LAST_WINDOWS} windows"),
                [(format_duration(edge), f"{share:.1%}", f"{shares.get(edge, 1.0):.1%}") for edge, share in whole],
            ),
        ),
    )


def _line(curve: Sequence[tuple[int, float]], name: str, line: Figure) -> Figure:
    """One arrival curve: shares of labels by seconds after their event."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [edge for edge, _ in curve],
        "y": [share for _, share in curve],
        "line": line,
        "marker": {"color": line["color"], "size": 4},
        "text": [f"{name}: <b>{share:.1%}</b> within {format_duration(edge)}" for edge, share in curve],
        "hovertemplate": "%{text}<extra></extra>",
    }
