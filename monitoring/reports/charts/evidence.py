"""Evidence over time against the threshold that the budget sets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from monitoring.records import IncidentRecord, MonitorStatus, WindowRecord
from monitoring.reports.charts.drawing import Chart, Drawing, Label, Path, Scale, box, diamond, trace, window_table
from monitoring.reports.charts.series import LARGE, NARROW, Size, axes
from monitoring.reports.sections.formatting import MONTHS, format_count, format_evidence, window_name

#: Powers of ten above the threshold that are drawn: evidence far beyond an alarm says nothing more.
DECADES_ABOVE = 3

#: Evidence below a thousandth is drawn as a thousandth: nothing has happened yet.
LOWEST_DECADE = -3

#: How many powers of ten a small axis shows between two labels.
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"

#: Pixels that the day of a page takes.
_ROOM = 84


def evidence_drawing(
    windows: Sequence[WindowRecord],
    thresholds: tuple[float, float],
    incidents: Sequence[IncidentRecord],
    size: Size,
    zone: ZoneInfo,
) -> Drawing:
    """Draw the evidence of both levels."""
    left, top, width, height = size.plot
    since, until = windows[0].start, windows[-1].end
    highest = highest_decade(thresholds)
    x = Scale(since.timestamp(), until.timestamp(), left, left + width)
    y = Scale(LOWEST_DECADE, highest, top + height, top)
    paths, labels = axes(size, (since, until), zone)
    powers = range(LOWEST_DECADE, highest + 1)
    paths.append(Path(d="".join(f"M{left:g} {y(power):.1f}h{width:g}" for power in powers), style="grid"))
    labels += [
        Label(x=left - 6, y=y(power) + 4, text=_power(power), anchor="end") for power in powers if power % 2 == 0
    ]
    shown = [incident for incident in incidents if incident.level == "page" and incident.window_start < until]
    pages = [incident for incident in shown if since <= incident.window_start]
    paths += _spans(shown, (since, until), x, (top, height))
    for level, at, lift in (("notice", thresholds[1], 12), ("page", thresholds[0], -4)):
        level_y = y(math.log10(at))
        paths.append(Path(d=f"M{left:g} {level_y:.1f}h{width:g}", style=f"{level}-threshold"))
        labels.append(Label(x=left + 4, y=level_y + lift, text=f"{level} at {at:,.0f}", style=f"{level}-text"))
    logs = (
        ("notice", [window.notice_log_evidence for window in windows]),
        ("loss", [window.loss_log_evidence for window in windows]),
        ("page", [window.page_log_evidence for window in windows]),
    )
    across = x.at(window.end for window in windows)
    for level, values in logs:
        if level == "loss" and not np.isfinite(values).any():
            continue  # of a store of before it was kept, or of a model without a loss
        points = np.column_stack([across, y.each(np.array(values) / math.log(10.0))])
        paths.append(Path(d=trace(points), style=f"{level}-evidence"))
    paths.append(Path(d="".join(_mark(page.window_end, x, y, windows, highest) for page in pages), style="page-mark"))
    labels += _alarm_labels(pages[: size.alarm_labels], x, size, zone)
    return Drawing(
        width=size.width,
        height=size.height,
        summary=_summary(windows, thresholds[0], len(pages)),
        paths=tuple(path for path in paths if path.d),
        labels=tuple(labels),
        fit=size.fit,
    )


def highest_decade(thresholds: tuple[float, float]) -> int:
    """The largest power of ten that is drawn.

    >>> highest_decade((365.0, 30.0))
    6
    """
    return math.ceil(math.log10(max(*thresholds, 10.0))) + DECADES_ABOVE


def decades(log_evidence: float, highest: int) -> float:
    """Convert evidence to a power of ten that can be drawn.

    >>> decades(-math.inf, 6), round(decades(math.log(100.0), 6), 6), decades(1e5, 6)
    (-3.0, 2.0, 6.0)
    """
    return min(max(log_evidence / math.log(10.0), float(LOWEST_DECADE)), float(highest))


def _spans(
    pages: Sequence[IncidentRecord], reach: tuple[datetime, datetime], x: Scale, down: tuple[float, float]
) -> list[Path]:
    """The time until each page was closed, as far as it is drawn."""
    top, height = down
    paths = []
    for page in pages:
        begin, end = max(page.window_start, reach[0]), min(page.closed_at or reach[1], reach[1])
        if end > begin:
            left = x(begin.timestamp())
            paths.append(Path(d=box(left, top, max(x(end.timestamp()) - left, 1.0), height), style="page-span"))
    return paths


def _alarm_labels(pages: Sequence[IncidentRecord], x: Scale, size: Size, zone: ZoneInfo) -> list[Label]:
    """The days of the first pages above the axes: in two rows where they lie close to each other."""
    labels: list[Label] = []
    row, before = 0, -math.inf
    for page in pages:
        day, place = page.window_start.astimezone(zone), x(page.window_end.timestamp())
        row = 1 - row if place - before < _ROOM else 0
        before = place
        anchor = "end" if place + _ROOM > size.width else "start"
        text = f"page {day.day} {MONTHS[day.month - 1]}"
        labels.append(Label(x=place, y=size.top - 8 - 14 * row, text=text, style="page-text", anchor=anchor))
    return labels


def _mark(at: datetime, x: Scale, y: Scale, windows: Sequence[WindowRecord], highest: int) -> str:
    log_evidence = next((window.page_log_evidence for window in windows if window.end == at), 0.0)
    return diamond(x(at.timestamp()), y(decades(log_evidence, highest)), 5.5)


def _power(power: int) -> str:
    if -2 <= power <= 3:
        return f"{10.0**power:,.{max(-power, 0)}f}"
    return "10" + ("⁻" if power < 0 else "") + "".join(_RAISED[int(digit)] for digit in str(abs(power)))


def _summary(windows: Sequence[WindowRecord], threshold: float, pages: int) -> str:
    last = windows[-1].page_log_evidence
    return (
        f"Evidence of both levels and of the losses over {format_count(len(windows), 'window')} on a log scale. Page "
        f"evidence is {format_evidence(last)} after the last one; its threshold is {threshold:,.0f}. "
        f"{format_count(pages, 'page')} raised."
    )


def evidence_chart(status: MonitorStatus) -> Chart:
    """Both levels' evidence by window on a log axis, pages marked and shaded; nothing is drawn before a window."""
    zone = ZoneInfo(status.timezone)
    thresholds = (status.page_threshold, status.notice_threshold)
    return Chart(
        name="evidence",
        title="Page and notice evidence against their thresholds",
        note=(
            "Log scale. Thick line: evidence of what pages. Thin line of its colour: evidence that a loss has risen, "
            "for whatever reason; above the page threshold harm is suspected. Blue line: notice evidence. ◆ marks a "
            "window that raised a page; "
            f"the shading lasts until it was closed. Evidence above 10{'⁰¹²³⁴⁵⁶⁷⁸⁹'[highest_decade(thresholds)]} is "
            "not drawn."
        ),
        drawings=tuple(
            evidence_drawing(status.windows, thresholds, status.incidents, size, zone)
            for size in (LARGE, NARROW)
            if status.windows
        ),
        table=window_table(
            status,
            ("Window", "Rows", "Status", "Page evidence", "Loss evidence", "Notice evidence"),
            [
                (
                    window.start,
                    (
                        window_name(window, zone),
                        f"{window.rows:,}",
                        window.status,
                        format_evidence(window.page_log_evidence),
                        format_evidence(window.loss_log_evidence),
                        format_evidence(window.notice_log_evidence),
                    ),
                )
                for window in status.windows
            ],
        ),
    )
