from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.records import MonitorStatus
from monitoring.reports import Benchmark
from monitoring.reports.charts.chart import LONGEST_TABLE, axis, bounded, label, layout
from monitoring.reports.page import page_charts


def test_figures_are_what_plotly_takes(status: MonitorStatus, benchmark: Benchmark) -> None:
    graph_objects = pytest.importorskip("plotly.graph_objects")
    for chart in page_charts(status, benchmark):
        text = re.sub(r'"--[a-z-]+"', '"#123456"', json.dumps(chart.figure)).replace('"inherit"', '"sans-serif"')
        drawn = graph_objects.Figure(json.loads(text))  # raises on any property that Plotly does not know
        assert len(drawn.data) >= 1, chart.name


def test_ticks_that_lie_closer_than_a_day_have_the_hour(status: MonitorStatus) -> None:
    axes = [chart.figure["layout"]["xaxis"] for chart in page_charts(status, None)]
    stops = [each["tickformatstops"] for each in axes if each.get("type") == "date"]
    assert stops
    for hours, days in stops:
        assert hours["value"].startswith("%H:%M")
        assert days["value"].startswith("%-d %b")
        assert hours["dtickrange"][1] + 1 == days["dtickrange"][0] == 86_400_000


def test_what_a_chart_sets_comes_before_what_all_share() -> None:
    assert layout(200)["hovermode"] == "x"
    assert layout(200, hovermode="closest")["hovermode"] == "closest"
    assert axis(showgrid=False)["showgrid"] is False
    assert axis()["zeroline"] is False


@given(st.text())
def test_a_label_has_no_markup_of_its_own(text: str) -> None:
    found = label(text)
    assert not {"<", ">"} & set(found)
    assert found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


@pytest.mark.parametrize(("rows", "note"), [(3, ""), (LONGEST_TABLE + 5, "The last 1,000 of 1,005 rows.")])
def test_a_long_table_keeps_its_last_rows_and_says_so(rows: int, note: str) -> None:
    table = bounded(("n",), [(str(row),) for row in range(rows)])
    assert table.note == note
    assert len(table.rows) == min(rows, LONGEST_TABLE)
    assert table.rows[-1] == (str(rows - 1),)
