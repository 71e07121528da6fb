from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.records import MonitorStatus, WindowRecord
from monitoring.reports.sections.benchmark import Interval
from monitoring.reports.sections.months import loss_series, metrics_of, slice_series, weighted_interval, whole_series


def test_months_follow_the_zone_and_weigh_by_rows(status: MonitorStatus) -> None:
    series = loss_series(status)
    assert [(entry.metric, entry.slice) for entry in series[:4]] == [
        ("brier", ""),
        ("brier", "origin=EWR"),
        ("brier", "origin=JFK"),
        ("brier", "origin=LGA"),
    ]
    whole = series[0]
    assert sum(month.rows for month in whole.months) == whole.rows == 274 * 880
    assert whole.whole.mean == pytest.approx(sum(m.value.mean * m.rows for m in whole.months) / whole.rows)
    assert all(month.value.low < month.value.mean < month.value.high for month in whole.months)


def test_a_window_counts_in_the_month_in_which_it_began_in_the_deployment_s_zone(status: MonitorStatus) -> None:
    east = loss_series(replace(status, timezone="Asia/Tokyo"))[0]
    west = loss_series(replace(status, timezone="America/New_York"))[0]
    assert east.months[0].first_day == date(2013, 4, 1)
    assert west.months[0].first_day == date(2013, 3, 1)
    assert west.months[0].windows == 1


def test_few_windows_have_no_interval() -> None:
    assert weighted_interval([(0.2, 10)] * 4) == Interval(mean=0.2, low=0.2, high=0.2)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 1000)), min_size=5, max_size=30))
def test_an_interval_is_centred_at_the_rows_weighted_mean(points: list[tuple[float, int]]) -> None:
    found = weighted_interval(points)
    mean = sum(value * rows for value, rows in points) / sum(rows for _, rows in points)
    assert found.mean == pytest.approx(mean)
    assert found.high - found.mean == pytest.approx(found.mean - found.low)
    assert found.low <= found.mean <= found.high


def test_the_whole_and_the_slices_of_a_metric_are_found(status: MonitorStatus) -> None:
    series = loss_series(status)
    whole = whole_series(series, "error")
    assert whole is not None
    assert whole.slice == ""
    assert [one.slice for one in slice_series(series, "error")] == ["origin=EWR", "origin=JFK", "origin=LGA"]
    assert whole_series(series, "auc") is None


def test_metrics_of_the_users_own_come_after_the_losses(status: MonitorStatus) -> None:
    def renamed(window: WindowRecord) -> WindowRecord:
        scores = (replace(one, watch="metric:missed" if one.watch == "error" else one.watch) for one in window.scores)
        return replace(window, scores=tuple(scores))

    series = loss_series(replace(status, windows=tuple(map(renamed, status.windows))))
    assert list(dict.fromkeys(entry.metric for entry in series)) == ["brier", "metric:missed"]
    assert metrics_of(series) == ("brier", "metric:missed")
    error = whole_series(loss_series(status), "error")
    assert error is not None
    assert whole_series(series, "metric:missed") == replace(error, metric="metric:missed")


def test_losses_of_several_outputs_are_series_by_output(status: MonitorStatus) -> None:
    windows = tuple(
        replace(
            window,
            scores=tuple(replace(one, watch=f"of:{output}:{one.watch}") for one in window.scores for output in "ba"),
        )
        for window in status.windows
    )
    found = loss_series(replace(status, windows=windows))
    assert metrics_of(found) == ("of:a:brier", "of:a:error", "of:b:brier", "of:b:error")
    assert whole_series(found, "of:b:brier") is not None
