"""Evidence over time against the threshold that the budget sets."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from monitoring.records import MonitorStatus
from monitoring.reports.charts.chart import Chart, window_table
from monitoring.reports.drawings.evidence import evidence_drawing, highest_decade
from monitoring.reports.drawings.series import LARGE, NARROW
from monitoring.reports.sections.formatting import format_evidence, format_window


def evidence_chart(status: MonitorStatus) -> Chart:
    """Both levels' evidence by window on a log axis, pages marked and shaded; nothing is drawn before a window."""
    zone = ZoneInfo(status.timezone)
    thresholds = (status.page_threshold, status.notice_threshold)
    return Chart(
        name="evidence",
        title="Page and notice evidence against their thresholds",
        note=(
            "Log scale. Thick line: page evidence; thin line: notice evidence. ◆ marks a window that raised a page; "
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
            ("Window", "Rows", "Status", "Page evidence", "Notice evidence"),
            [
                (
                    window.start,
                    (
                        format_window(window.start, window.end, zone),
                        f"{window.rows:,}",
                        window.status,
                        format_evidence(window.page_log_evidence),
                        format_evidence(window.notice_log_evidence),
                    ),
                )
                for window in status.windows
            ],
        ),
    )
