from __future__ import annotations

import math
from dataclasses import replace

import pytest

from monitoring.records import MeasuredMetric, MonitorStatus
from monitoring.reports.results_table import TABLES, results_table
from monitoring.sentences.incident_text import incident_text


def test_scores_have_a_row_for_each_watch_in_each_window(status: MonitorStatus) -> None:
    found = results_table(status)
    assert found.num_rows == sum(len(window.scores) for window in status.windows) > 1_000
    row = next(
        one for one in found.to_pylist() if one["watch"] == "brier" and not one["slice"] and one["value"] is not None
    )
    known = next(one for one in status.baseline if one.watch == "brier" and not one.slice)
    assert (row["model"], row["baseline"], row["threshold"]) == ("flights", known.mean, 365.0)
    assert row["effect"] == pytest.approx((row["value"] - known.mean) / known.deviation)
    assert str(found.schema.field("window_start").type) == "timestamp[us, tz=UTC]"
    evidence = found["evidence"].to_pylist()
    assert all(math.isfinite(value) and value >= 0.0 for value in evidence)


def test_windows_and_incidents_have_a_row_each(status: MonitorStatus) -> None:
    windows, incidents = (results_table(status, name) for name in ("windows", "incidents"))
    assert windows["rows"].to_pylist() == [window.rows for window in status.windows]
    assert incidents["message"].to_pylist() == [incident_text(one).message for one in status.incidents]
    assert incidents["closed_at"].to_pylist() == [one.closed_at for one in status.incidents]


def test_metrics_stand_beside_the_benchmark(status: MonitorStatus) -> None:
    auc = MeasuredMetric(metric="auc", rows=9, value=0.7, low=0.6, high=0.8)
    windows = (replace(status.windows[0], measured=(auc, replace(auc, metric="f1"))), *status.windows[1:])
    found = results_table(replace(status, windows=windows, measured=(replace(auc, value=0.75),)), "metrics").to_pylist()
    assert [(row["metric"], row["value"], row["high"], row["benchmark"]) for row in found] == [
        ("auc", 0.7, 0.8, 0.75),
        ("f1", 0.7, 0.8, None),
    ]
    assert found[0]["window_start"] == status.windows[0].start


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_nothing_has_its_columns(name: str, status: MonitorStatus) -> None:
    empty = results_table(replace(status, windows=(), incidents=()), name)
    assert empty.num_rows == 0
    assert empty.schema == results_table(status, name).schema
