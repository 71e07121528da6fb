from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitoring.dashboard.view.charts import (
    evidence_chart,
    labels_chart,
    loss_charts,
    pages_within,
    watch_chart,
    window_address,
)
from monitoring.dashboard.view.history import DeploymentHistory
from monitoring.records import WatchKey


def test_the_loss_has_a_chart_for_each_width_and_a_table_that_leads_to_windows(history: DeploymentHistory) -> None:
    (chart,) = loss_charts(history, "/d/shop/1")
    assert chart is not None
    assert [drawing.fit for drawing in chart.drawings] == ["wide", "narrow"]
    assert chart.title == "Brier score by window"
    assert chart.table is not None
    assert chart.table.rows[0][0].href == "/d/shop/1/windows/2013-05-10T00:00:00Z"
    assert len(chart.table.rows) == len(history.windows)


def test_a_slice_has_a_chart_of_its_own(history: DeploymentHistory) -> None:
    chart = watch_chart(history, WatchKey(watch="brier", slice="origin=EWR"), "/d/shop/1")
    assert chart is not None
    assert chart.title == "Brier score at origin = EWR by window"
    assert watch_chart(history, WatchKey(watch="brier", slice="origin=XXX"), "/d/shop/1") is None


def test_pages_of_other_times_are_not_drawn(history: DeploymentHistory) -> None:
    assert len(pages_within(history)) == 1
    later = replace(history, windows=history.windows[-3:])
    assert pages_within(later) == ()


def test_the_table_of_the_evidence_has_every_window(history: DeploymentHistory) -> None:
    chart = evidence_chart(history, "/d/shop/1")
    assert chart is not None
    assert chart.table is not None
    assert [row[1].text for row in chart.table.rows] == [one.status for one in reversed(history.windows)]
    assert evidence_chart(replace(history, windows=()), "/d/shop/1") is None


def test_the_address_of_a_window_is_its_start() -> None:
    start = datetime(2013, 4, 1, 6, 30, tzinfo=UTC)
    assert window_address(start, "/d/a/1") == "/d/a/1/windows/2013-04-01T06:30:00Z"
    fine = start + timedelta(microseconds=5)
    assert datetime.fromisoformat(window_address(fine, "").rpartition("/")[2]) == fine


def test_label_arrivals_have_the_share_of_those_due_unless_each_comes_with_its_row(history: DeploymentHistory) -> None:
    half = tuple(replace(one, labels=one.labels_due // 2) for one in history.windows)
    chart = labels_chart(replace(history, windows=half, table_rows=5), "/d/shop/1")
    assert chart is not None
    assert chart.table is not None
    assert (len(chart.table.rows), chart.table.total) == (5, len(half))
    newest = half[-1]
    assert [one.value for one in chart.table.rows[0]] == [
        newest.start,
        newest.labels,
        newest.labels_due,
        newest.labels / newest.labels_due,
    ]
    inline = tuple(replace(one, labels=one.labels_due) for one in history.windows)
    assert labels_chart(replace(history, windows=inline), "") is None
    assert labels_chart(replace(history, windows=()), "") is None
