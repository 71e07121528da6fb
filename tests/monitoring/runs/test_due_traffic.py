"""Which windows are due: all that have ended and were not judged, over gaps and in whatever order rows lie."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.sources.table_source import TableSource
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.windows import CalendarPlan, RowPlan
from tests.small_deployment import LIVE, SPEC

DAY = timedelta(days=1)
ZERO = as_microseconds(LIVE)
HOURS = st.lists(st.integers(0, 9 * 24), min_size=1, max_size=30)


def source(folder: Path, moments: list[datetime]) -> TableSource:
    """A table of rows with these event times."""
    times = pa.array([as_microseconds(moment) for moment in moments]).cast(pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"ts": times, "p": pa.array([0.5] * len(moments))}), folder / "rows.parquet")
    columns = TableColumns(event_time="ts", scores=("p",), classes=SPEC.classes)
    return TableSource(folder / "rows.parquet", columns, SPEC, labels=(folder / "log", None), clock=lambda: LIVE)


@settings(max_examples=50)
@given(HOURS, st.integers(1, 12), st.none() | st.integers(0, 10))
def test_each_row_lies_in_one_due_window_unless_it_was_judged_or_its_window_goes_on(
    hours: list[int], days: int, after: int | None
) -> None:
    moments, now = [LIVE + timedelta(hours=hour) for hour in hours], LIVE + days * DAY
    begin = None if after is None else LIVE + after * DAY
    with tempfile.TemporaryDirectory() as folder:
        traffic = source(Path(folder), moments)
        found = CalendarPlan(every="1d").due_windows(traffic, after=begin, now=now)
    assert list(found) == sorted(found)
    assert all(one.end <= two.start for one, two in pairwise(found))
    assert all(window.end <= now and (begin is None or window.start >= begin) for window in found)
    for moment in moments:
        judged = begin is not None and moment < begin
        ended = moment.replace(hour=0) + DAY <= now
        assert sum(moment in window for window in found) == (ended and not judged)


def test_windows_without_a_row_are_due_but_for_a_long_gap(tmp_path: Path) -> None:
    plan = CalendarPlan(every="1d")
    near, far = [LIVE, LIVE + 5 * DAY], [LIVE, LIVE + 2_000 * DAY]
    assert len(plan.due_windows(source(tmp_path, near), after=None, now=LIVE + 6 * DAY)) == 6
    assert len(plan.due_windows(source(tmp_path, far), after=None, now=LIVE + 2_001 * DAY)) == 2


def test_a_window_is_due_when_its_late_rows_have_had_their_time(tmp_path: Path) -> None:
    plan, traffic = CalendarPlan(every="1d", lateness=timedelta(hours=6)), source(tmp_path, [LIVE])
    assert plan.due_windows(traffic, after=None, now=LIVE + timedelta(hours=29)) == ()
    assert len(plan.due_windows(traffic, after=None, now=LIVE + timedelta(hours=30))) == 1


def test_a_row_of_the_far_future_makes_no_window(tmp_path: Path) -> None:
    traffic = source(tmp_path, [LIVE, datetime.max.replace(tzinfo=LIVE.tzinfo, month=1)])
    found = CalendarPlan(every="1d").due_windows(traffic, after=None, now=LIVE + 2 * DAY)
    assert [window.start for window in found] == [LIVE]


@pytest.mark.parametrize("after", [None, 3])
def test_windows_of_rows_go_on_where_the_last_one_ended(tmp_path: Path, after: int | None) -> None:
    moments = [LIVE + timedelta(minutes=minute) for minute in range(10)]
    begin = None if after is None else as_datetime(ZERO + (after - 1) * 60_000_000 + 1)
    found = RowPlan(rows=3).due_windows(source(tmp_path, moments[::-1]), after=begin, now=LIVE + DAY)
    assert [window.end for window in found] == [
        as_datetime(ZERO + last * 60_000_000 + 1) for last in (2, 5, 8)[0 if after is None else 1 :]
    ]
