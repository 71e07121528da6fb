"""Label delays, over all windows and over the last ones."""

from __future__ import annotations

from monitoring.records import MonitorStatus
from monitoring.reports.charts.chart import Chart, DataTable
from monitoring.reports.drawings.delays import delays_drawing
from monitoring.reports.drawings.series import NARROW, WIDE
from monitoring.reports.sections.formatting import format_duration
from monitoring.reports.sections.label_delays import LAST_WINDOWS, label_delay_sentence
from monitoring.watches.label_delays import arrival_curve, merged_counts


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
