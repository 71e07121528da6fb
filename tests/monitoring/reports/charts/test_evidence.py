from __future__ import annotations

from collections.abc import Callable

from monitoring.records import MonitorStatus
from monitoring.reports.charts.evidence import evidence_chart


def test_evidence_is_drawn_for_two_widths_with_thresholds_and_the_days_of_pages(status: MonitorStatus) -> None:
    chart = evidence_chart(status)
    large, narrow = chart.drawings
    assert (large.fit, narrow.fit) == ("wide", "narrow")
    assert {"page at 365", "notice at 30", "page 23 Apr", "page 7 Dec"} <= {label.text for label in large.labels}
    assert "page 23 Apr" not in {label.text for label in narrow.labels}
    assert "2 pages raised" in large.summary
    assert "Evidence above 10⁶ is not drawn." in chart.note


def test_its_table_has_both_levels(status: MonitorStatus) -> None:
    table = evidence_chart(status).table
    assert table.columns == ("Window", "Rows", "Status", "Page evidence", "Notice evidence")
    assert table.rows[0][:4] == ("23 Apr 2013", "920", "page", "450")


def test_without_windows_nothing_is_drawn(status_of: Callable[..., MonitorStatus]) -> None:
    chart = evidence_chart(status_of(windows=0, incidents=False))
    assert (chart.drawings, chart.table.rows) == ((), ())
