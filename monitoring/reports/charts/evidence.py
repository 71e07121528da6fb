"""Evidence over time against the threshold that the budget sets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.records import IncidentRecord, MonitorStatus
from monitoring.reports.charts.chart import Chart, Figure, axis, bounded, layout, time_axis
from monitoring.reports.sections.formatting import MONTHS, format_count, format_evidence, format_window
from monitoring.reports.sections.incidents import pages_of

HEIGHT = 360

#: Powers of ten above the threshold that are drawn: evidence far beyond an alarm says nothing more.
DECADES_ABOVE = 3

#: Evidence below a thousandth is drawn as a thousandth: nothing has happened yet.
LOWEST_DECADE = -3

#: Alarms with a label of their own; later ones are marked only.
MOST_LABELS = 6


def evidence_chart(status: MonitorStatus) -> Chart:
    """Both levels' evidence, window by window, on a log axis; pages are marked and their spans shaded."""
    zone = ZoneInfo(status.timezone)
    starts = [local(window.start, zone) for window in status.windows]
    highest = math.ceil(math.log10(max(status.page_threshold, status.notice_threshold, 10.0))) + DECADES_ABOVE
    page = [decades(window.page_log_evidence, highest + 1) for window in status.windows]
    notice = [decades(window.notice_log_evidence, highest + 1) for window in status.windows]
    names = [format_window(window.start, window.end, zone) for window in status.windows]
    texts = [
        f"{name}<br>page evidence <b>{format_evidence(window.page_log_evidence)}</b>"
        f"<br>notice evidence {format_evidence(window.notice_log_evidence)}"
        for name, window in zip(names, status.windows, strict=True)
    ]
    lowest = max(math.floor(min([0.0, *page, *notice])), LOWEST_DECADE)
    shapes, notes = thresholds(status)
    figure: Figure = {
        "data": [
            _line(starts, notice, {"color": "--notice", "width": 1.3, "dash": "dot"}),
            {**_line(starts, page, {"color": "--page", "width": 2.2}), "text": texts, "hoverinfo": "text"},
            _alarms(status, zone, highest),
        ],
        "layout": layout(
            HEIGHT,
            margin={"l": 58, "r": 104, "t": 34, "b": 40},
            xaxis=time_axis(_reach(status, zone)),
            yaxis=axis(
                range=[lowest - 0.15, highest + 0.15],
                tickmode="array",
                tickvals=list(range(lowest, highest + 1)),
                ticktext=[_power(power) for power in range(lowest, highest + 1)],
            ),
            shapes=[*_spans(status, zone), *shapes],
            annotations=[*notes, *_alarm_labels(status, zone)],
        ),
    }
    return Chart(
        name="evidence",
        title="Page and notice evidence against their thresholds",
        note=(
            "Log scale. Solid line: page evidence; dotted line: notice evidence. ◆ marks a window that raised a page; "
            f"the shading lasts until it was closed. Evidence above 10{'⁰¹²³⁴⁵⁶⁷⁸⁹'[highest]} is not drawn."
        ),
        summary=_summary(status, zone),
        height=HEIGHT,
        figure=figure,
        table=bounded(
            ("Window", "Rows", "Status", "Page evidence", "Notice evidence"),
            [
                (
                    name,
                    f"{window.rows:,}",
                    window.status,
                    format_evidence(window.page_log_evidence),
                    format_evidence(window.notice_log_evidence),
                )
                for name, window in zip(names, status.windows, strict=True)
            ],
        ),
    )


def wall_clock(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock in `zone` shows, without an offset: the time axis of every chart."""
    return moment.astimezone(zone).replace(tzinfo=None)


def local(moment: datetime, zone: ZoneInfo) -> str:
    """`wall_clock` as Plotly reads it."""
    return wall_clock(moment, zone).isoformat()


def decades(log_evidence: float, highest: int) -> float:
    """Convert evidence to a power of ten that can be drawn.

    Args:
        log_evidence: Its natural logarithm.
        highest: The largest power that is drawn.

    Returns:
        A power between `LOWEST_DECADE` and `highest`.

    >>> decades(-math.inf, 6), round(decades(math.log(100.0), 6), 6), decades(1e5, 6)
    (-3.0, 2.0, 6.0)
    """
    return min(max(log_evidence / math.log(10.0), float(LOWEST_DECADE)), float(highest))


def incident_span(status: MonitorStatus, incident: IncidentRecord) -> tuple[datetime, datetime]:
    """From the window that alarmed to the incident's closing, or to the last window."""
    end = status.windows[-1].end if status.windows else incident.window_end
    closed = min(incident.closed_at or end, end)
    return incident.window_start, max(closed, incident.window_end)


def thresholds(status: MonitorStatus) -> tuple[list[Figure], list[Figure]]:
    """The line at which each level alarms, and its label."""
    shapes, notes = [], []
    for level, at, dash, width in (
        ("page", status.page_threshold, "dash", 1.6),
        ("notice", status.notice_threshold, "dot", 1.0),
    ):
        height = math.log10(at)
        line = {"color": f"--{level}", "width": width, "dash": dash}
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height, "line": line})
        notes.append(
            {
                "text": f"{level} at {at:,.0f}",
                "xref": "paper",
                "x": 1.008,
                "xanchor": "left",
                "y": height,
                "yanchor": "middle",
                "showarrow": False,
                "font": {"color": f"--{level}", "size": 12},
            }
        )
    return shapes, notes


def _line(x: Sequence[str], y: Sequence[float], line: Figure) -> Figure:
    return {"type": "scatter", "mode": "lines", "x": list(x), "y": list(y), "line": line, "hoverinfo": "skip"}


def _spans(status: MonitorStatus, zone: ZoneInfo) -> list[Figure]:
    spans = []
    for incident in pages_of(status):
        start, end = incident_span(status, incident)
        spans.append(
            {
                "type": "rect",
                "x0": local(start, zone),
                "x1": local(end, zone),
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "layer": "below",
                "fillcolor": "--page-band",
                "line": {"width": 0},
            }
        )
    return spans


def _alarms(status: MonitorStatus, zone: ZoneInfo, highest: int) -> Figure:
    evidence = {window.start: window.page_log_evidence for window in status.windows}
    at_least = math.log(status.page_threshold)
    pages = pages_of(status)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [local(page.window_start, zone) for page in pages],
        "y": [decades(max(evidence.get(page.window_start, at_least), at_least), highest) for page in pages],
        "marker": {"color": "--page", "size": 11, "symbol": "diamond", "line": {"color": "--paper", "width": 1.5}},
        "hoverinfo": "skip",
    }


def _alarm_labels(status: MonitorStatus, zone: ZoneInfo) -> list[Figure]:
    labels: list[Figure] = []
    length = (status.windows[-1].end - status.windows[0].start) if status.windows else timedelta(0)
    row, before = 0, None
    for page in pages_of(status)[:MOST_LABELS]:
        day = page.window_start.astimezone(zone)
        row = 1 - row if before is not None and page.window_start - before < 0.1 * length else 0
        before = page.window_start
        labels.append(
            {
                "text": f"<b>page</b> {day.day} {MONTHS[day.month - 1]}",
                "x": local(page.window_start, zone),
                "xanchor": "left",
                "yref": "paper",
                "y": 1.0,
                "yanchor": "bottom",
                "yshift": 14 * row,
                "showarrow": False,
                "font": {"color": "--page", "size": 12},
            }
        )
    return labels


def _reach(status: MonitorStatus, zone: ZoneInfo) -> list[str] | None:
    if not status.windows:
        return None
    return [local(status.windows[0].start, zone), local(status.windows[-1].end, zone)]


def _power(power: int) -> str:
    if -2 <= power <= 3:
        return f"{10.0**power:,.{max(-power, 0)}f}"
    return f"10<sup>{power}</sup>"


def _summary(status: MonitorStatus, zone: ZoneInfo) -> str:
    pages = pages_of(status)
    words = f"Evidence of both levels over {format_count(len(status.windows), 'window')} on a log scale."
    if not pages:
        top = max((window.page_log_evidence for window in status.windows), default=-math.inf)
        return (
            f"{words} Page evidence never reached its threshold {status.page_threshold:,.0f}; the highest was "
            f"{format_evidence(top)}."
        )
    dates = ", ".join(format_window(page.window_start, page.window_end, zone) for page in pages)
    return f"{words} Page evidence reached its threshold {status.page_threshold:,.0f} in the window {dates}."
