"""Timelines drawn from clean windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import microseconds
from monitoring.drills.clean_windows import CleanWindow
from monitoring.drills.timeline import Timeline, draw_timeline, lead_length
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import CalendarPlan, RowPlan, Window
from tests.small_deployment import FIRST, Days, table_of

DAILY = CalendarPlan(every="1d")
START = datetime(2013, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def clean() -> tuple[CleanWindow, ...]:
    rows = table_of(Days(days=28, start=FIRST))
    return tuple(
        CleanWindow(
            window=Window(start=FIRST + timedelta(days=day), end=FIRST + timedelta(days=day + 1)),
            rows=rows.slice(60 * day, 60),
        )
        for day in range(28)
    )


def drawn(clean: tuple[CleanWindow, ...], seed: int = 0) -> Timeline:
    return draw_timeline(clean, DAILY, start=START, sizes=(7, 14), rng=np.random.default_rng(seed))


def test_windows_follow_each_other_and_have_the_rows_of_the_same_day_of_the_week(
    clean: tuple[CleanWindow, ...],
) -> None:
    found = drawn(clean)
    assert (found.lead, found.planted_at, found.end) == (7, START + timedelta(days=7), START + timedelta(days=21))
    of_day = {one.rows["temp"].to_pylist()[0]: one.window.start.weekday() for one in clean}
    for one in found.windows:
        assert of_day[one.rows["temp"].to_pylist()[0]] == one.window.start.weekday()
        times = microseconds(one.rows["event_time"])
        assert as_microseconds(one.window.start) <= times[0] <= times[-1] < as_microseconds(one.window.end)
    assert len(set(found.changed(lambda rows, _window: rows)["prediction_id"].to_pylist())) == 21 * 60


def test_labels_come_as_late_as_they_came(clean: tuple[CleanWindow, ...]) -> None:
    rows = drawn(clean).before
    known = rows.filter(rows["label"].is_valid())
    assert 0 < known.num_rows < rows.num_rows
    assert known["label_time"].null_count == 0
    delays = microseconds(known["label_time"]) - microseconds(known["event_time"])
    assert set(delays.tolist()) == {2 * 3_600_000_000}


def test_draws_depend_on_the_seed_alone(clean: tuple[CleanWindow, ...]) -> None:
    assert drawn(clean).before.equals(drawn(clean).before)
    assert not drawn(clean).before.equals(drawn(clean, seed=1).before)


def test_a_change_begins_with_the_fault(clean: tuple[CleanWindow, ...]) -> None:
    found = drawn(clean)
    rows = found.changed(lambda rows, _window: rows.slice(0, 1))
    assert rows.num_rows == 7 * 60 + 14
    assert rows.slice(0, 420).equals(found.before)


def test_columns_may_change_their_type_with_the_fault(clean: tuple[CleanWindow, ...]) -> None:
    def nothing(rows: pa.Table, _window: int) -> pa.Table:
        return rows.set_column(rows.column_names.index("label"), "label", pa.nulls(rows.num_rows))

    assert drawn(clean).changed(nothing)["label"].null_count > 14 * 60


def test_a_short_day_keeps_all_its_rows(clean: tuple[CleanWindow, ...]) -> None:
    plan = CalendarPlan(every="1d", timezone="America/New_York")
    start = datetime(2013, 3, 9, 5, tzinfo=UTC)
    found = draw_timeline(clean, plan, start=start, sizes=(1, 1), rng=np.random.default_rng(0))
    assert found.windows[1].window.end - found.windows[1].window.start == timedelta(hours=23)
    assert [one.rows.num_rows for one in found.windows] == [60, 60]


def test_windows_of_rows_are_as_long_as_those_they_are_drawn_from(clean: tuple[CleanWindow, ...]) -> None:
    found = draw_timeline(clean, RowPlan(rows=60), start=START, sizes=(2, 3), rng=np.random.default_rng(0))
    assert len(found.windows) == 5
    assert found.end == START + timedelta(days=5)


def test_windows_of_a_reference_without_dates_are_as_long_as_the_plan_has_them(clean: tuple[CleanWindow, ...]) -> None:
    start = datetime(1970, 1, 1, tzinfo=UTC)
    short = Window(start=start, end=start + timedelta(microseconds=60))
    times = pa.array(range(60), pa.int64()).cast(pa.timestamp("us", "UTC"))
    place = clean[0].rows.column_names.index("event_time")
    undated = CleanWindow(window=short, rows=clean[0].rows.set_column(place, "event_time", times))
    found = draw_timeline([undated], DAILY, start=START, sizes=(2, 2), rng=np.random.default_rng(0))
    assert found.end == START + timedelta(days=4)
    assert [one.rows.num_rows for one in found.windows] == [60] * 4


def test_a_burn_in_is_over_before_the_fault() -> None:
    burn_in = timedelta(days=10)
    assert lead_length(DAILY, burn_in, start=START, least=28) == lead_length(DAILY, None, start=START, least=28) == 28
    assert lead_length(CalendarPlan(every="6h"), burn_in, start=START, least=28) == 40
    assert lead_length(RowPlan(rows=60), burn_in, start=START, least=28) == 28
