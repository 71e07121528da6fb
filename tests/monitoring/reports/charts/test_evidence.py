from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from monitoring.records import MonitorStatus
from monitoring.reports.charts.evidence import LOWEST_DECADE, decades, evidence_chart, evidence_drawing
from monitoring.reports.charts.series import LARGE, WIDE

ZONE = ZoneInfo("UTC")


def test_a_page_is_marked_and_shaded(status: MonitorStatus) -> None:
    drawing = evidence_drawing(status.windows, (365.0, 30.0), status.incidents, WIDE, ZONE)
    styles = [path.style for path in drawing.paths]
    assert styles.count("page-span") == 2
    assert {"page-mark", "page-evidence", "notice-evidence", "page-threshold", "notice-threshold"} <= {*styles}
    assert {"page at 365", "notice at 30", "100", "10⁴"} <= {label.text for label in drawing.labels}
    assert "2 pages raised" in drawing.summary


def test_a_page_of_before_the_first_window_shown_is_shaded_until_it_closed(status: MonitorStatus) -> None:
    page = next(one for one in status.incidents if one.level == "page")
    later = [one for one in status.windows if one.start > page.window_start]
    for closed_at, spans in ((None, 1), (later[3].end, 1), (later[0].start, 0)):
        closed = replace(page, closed_at=closed_at)
        styles = [path.style for path in evidence_drawing(later, (365.0, 30.0), (closed,), WIDE, ZONE).paths]
        assert (styles.count("page-span"), styles.count("page-mark")) == (spans, 0)


def test_without_a_page_there_is_no_mark(status: MonitorStatus) -> None:
    drawing = evidence_drawing(status.windows[:20], (365.0, 30.0), (), WIDE, ZONE)
    assert not {path.style for path in drawing.paths} & {"page-mark", "page-span"}
    assert "no page raised" in drawing.summary


def test_evidence_of_losses_is_drawn_where_there_is_some(status: MonitorStatus) -> None:
    without = [replace(window, loss_log_evidence=-math.inf) for window in status.windows]
    some = [*without[:-1], replace(without[-1], loss_log_evidence=2.0)]
    for windows, count in ((without, 0), (some, 1)):
        styles = [path.style for path in evidence_drawing(windows, (365.0, 30.0), (), WIDE, ZONE).paths]
        assert styles.count("loss-evidence") == count


def test_a_large_drawing_names_the_days_of_its_pages_in_two_rows_where_they_are_close(status: MonitorStatus) -> None:
    page = status.incidents[0]
    close = replace(page, window_start=status.windows[24].start, window_end=status.windows[24].end)
    late = replace(page, window_start=status.windows[-1].start, window_end=status.windows[-1].end)
    drawing = evidence_drawing(status.windows, (365.0, 30.0), (page, close, late), LARGE, ZONE)
    first, second, last = (label for label in drawing.labels if re.fullmatch("page [0-9]+ [A-Z][a-z]+", label.text))
    assert (first.text, second.text, last.text) == ("page 23 Apr", "page 25 Apr", "page 31 Dec")
    assert second.y < first.y == last.y
    assert (first.anchor, last.anchor) == ("start", "end")


@pytest.mark.parametrize(
    ("log_evidence", "power"), [(-math.inf, float(LOWEST_DECADE)), (0.0, 0.0), (math.log(1e4), 4.0), (math.inf, 6.0)]
)
def test_evidence_is_a_power_of_ten_within_what_is_drawn(log_evidence: float, power: float) -> None:
    assert decades(log_evidence, 6) == pytest.approx(power)


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
    assert table.columns == ("Window", "Rows", "Status", "Page evidence", "Loss evidence", "Notice evidence")
    assert table.rows[0][:4] == ("23 Apr 2013", "920", "page", "450")


def test_without_windows_nothing_is_drawn(status_of: Callable[..., MonitorStatus]) -> None:
    chart = evidence_chart(status_of(windows=0, incidents=False))
    assert (chart.drawings, chart.table.rows) == ((), ())
