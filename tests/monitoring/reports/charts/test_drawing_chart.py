from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from monitoring.records import MonitorStatus
from monitoring.reports import Benchmark
from monitoring.reports.charts.drawing import NEWEST, window_table
from monitoring.reports.page import page_charts


def rows(status: MonitorStatus) -> list[tuple[datetime, tuple[str, ...]]]:
    return [(window.start, (str(place),)) for place, window in enumerate(status.windows)]


def test_every_chart_says_in_words_what_it_shows(status: MonitorStatus, benchmark: Benchmark) -> None:
    for chart in page_charts(status, benchmark):
        assert chart.drawings, chart.name
        assert all(len(drawing.summary) > 40 for drawing in chart.drawings), chart.name
        assert len({drawing.fit for drawing in chart.drawings}) == len(chart.drawings)


def test_a_long_table_has_the_newest_windows_and_those_of_incidents(status: MonitorStatus) -> None:
    table = window_table(status, ("n",), rows(status))
    assert [cells[0] for cells in table.rows[:2]] == ["22", "36"]
    assert len(table.rows) == 2 + NEWEST
    assert table.rows[-1] == ("274",)
    assert table.note == (
        "The newest 60 of 275 windows, and the newest 60 that opened an incident; `pitfalls monitor export` has all."
    )


@pytest.mark.parametrize("count", [0, 1, NEWEST])
def test_a_short_table_is_whole_and_says_nothing(status: MonitorStatus, count: int) -> None:
    table = window_table(status, ("n",), rows(status)[:count])
    assert (len(table.rows), table.note) == (count, "")


def test_many_incidents_do_not_fill_a_table(status: MonitorStatus) -> None:
    incident = status.incidents[0]
    everywhere = tuple(
        replace(incident, number=place + 1, window_start=window.start) for place, window in enumerate(status.windows)
    )
    assert len(window_table(replace(status, incidents=everywhere), ("n",), rows(status)).rows) == 2 * NEWEST
