from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitoring.records import MonitorStatus
from monitoring.reports.charts.evidence import LOWEST_DECADE, decades, evidence_chart, incident_span, local


def test_evidence_is_drawn_on_a_log_scale_with_threshold_alarms_and_spans(status: MonitorStatus) -> None:
    figure = evidence_chart(status).figure
    layout = figure["layout"]
    lines = [shape["y0"] for shape in layout["shapes"] if shape["type"] == "line"]
    spans = [(shape["x0"], shape["x1"]) for shape in layout["shapes"] if shape["type"] == "rect"]
    assert lines == pytest.approx([2.5623, 1.4771], abs=1e-4)
    assert spans == [
        ("2013-04-23T00:00:00", "2013-09-03T06:00:00"),
        ("2013-12-07T00:00:00", "2014-01-01T00:00:00"),
    ]
    assert [note["text"] for note in layout["annotations"]] == [
        "page at 365",
        "notice at 30",
        "<b>page</b> 23 Apr",
        "<b>page</b> 7 Dec",
    ]
    assert figure["data"][2]["y"][0] == pytest.approx(2.6532, abs=1e-4)
    assert max(figure["data"][1]["y"]) == 7.0  # 10¹² is drawn as leaving the top


def test_the_summary_names_the_threshold_and_the_windows_that_reached_it(
    status: MonitorStatus, status_of: Callable[..., MonitorStatus]
) -> None:
    assert evidence_chart(status).summary == (
        "Evidence of both levels over 275 windows on a log scale. Page evidence reached its threshold 365 in the "
        "window 23 Apr 2013, 7 Dec 2013."
    )
    quiet = evidence_chart(status_of(windows=20, incidents=False)).summary
    assert "Page evidence never reached its threshold 365; the highest was " in quiet


def test_without_windows_only_the_thresholds_are_drawn(status_of: Callable[..., MonitorStatus]) -> None:
    chart = evidence_chart(status_of(windows=0, incidents=False))
    assert chart.table.rows == ()
    assert [shape["type"] for shape in chart.figure["layout"]["shapes"]] == ["line", "line"]


@pytest.mark.parametrize(
    ("log_evidence", "power"),
    [(-math.inf, float(LOWEST_DECADE)), (0.0, 0.0), (math.log(1e4), 4.0), (math.inf, 6.0)],
)
def test_evidence_is_a_power_of_ten_within_what_is_drawn(log_evidence: float, power: float) -> None:
    assert decades(log_evidence, 6) == pytest.approx(power)


def test_an_open_incident_lasts_to_the_last_window_and_no_span_ends_before_its_window(status: MonitorStatus) -> None:
    first, second = (incident for incident in status.incidents if incident.level == "page")
    assert incident_span(status, second) == (second.window_start, status.windows[-1].end)
    early = replace(first, closed_at=first.window_start + timedelta(hours=1))
    assert incident_span(status, early) == (first.window_start, first.window_end)


def test_times_are_those_of_a_clock_in_the_zone() -> None:
    assert local(datetime(2013, 7, 1, 3, tzinfo=UTC), ZoneInfo("America/New_York")) == "2013-06-30T23:00:00"
