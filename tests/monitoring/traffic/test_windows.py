"""Windows tile the time axis, as the calendar of a place does."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.windows import CalendarPlan, RowPlan, Window, WindowPlan, contiguous_spans, parse_duration

NEW_YORK = ZoneInfo("America/New_York")
# Ordinary changes of clocks; half an hour of one; changes at midnight; a whole day left out (Apia, 30 December 2011).
PLACES = [
    "UTC",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Pacific/Apia",
]
LENGTHS = ["15m", "30m", "1h", "2h", "6h", "12h", "1d", "3d", "7d"]

moments = st.integers(0, 47 * 365 * 86400).map(lambda seconds: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(0, seconds))


def local(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=NEW_YORK).astimezone(UTC)  # type: ignore[arg-type,misc]  # year, month, day, hour


@given(st.sampled_from(LENGTHS), st.sampled_from(PLACES), moments, st.timedeltas(timedelta(0), timedelta(days=20)))
@example("1d", "Pacific/Apia", datetime(2011, 12, 29, 12, tzinfo=UTC), timedelta(days=3))
@example("6h", "America/Havana", datetime(2023, 11, 5, 4, 30, tzinfo=UTC), timedelta(days=1))
def test_windows_leave_no_gap_and_do_not_overlap(every: str, place: str, first: datetime, span: timedelta) -> None:
    last = first + span
    windows = CalendarPlan(every=every, timezone=place).windows(first, last)
    assert first in windows[0]
    assert last in windows[-1]
    assert all(one.end == other.start for one, other in pairwise(windows))
    assert all(window.start < window.end for window in windows)
    assert all(window.start.tzinfo is UTC and window.end.tzinfo is UTC for window in windows)


@given(st.sampled_from(LENGTHS), st.sampled_from(PLACES), moments, st.timedeltas(timedelta(0), timedelta(days=9)))
def test_an_instant_is_in_the_same_window_whatever_is_asked_for(
    every: str, place: str, first: datetime, span: timedelta
) -> None:
    plan = CalendarPlan(every=every, timezone=place)
    [alone] = plan.windows(first + span, first + span)
    assert [window for window in plan.windows(first, first + 2 * span) if first + span in window] == [alone]


@given(st.sampled_from(LENGTHS), st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]), moments)
def test_windows_begin_at_multiples_of_their_length_on_the_local_clock(every: str, place: str, first: datetime) -> None:
    length = min(parse_duration(every), timedelta(days=1))
    for window in CalendarPlan(every=every, timezone=place).windows(first, first + 3 * length):
        start = window.start.astimezone(ZoneInfo(place))
        since_midnight = timedelta(hours=start.hour, minutes=start.minute, seconds=start.second)
        # Two o'clock in the night that has none begins at three.
        assert since_midnight % length == timedelta(0) or (every == "2h" and start.hour == 3)


@pytest.mark.parametrize(("day", "hours"), [(date(2013, 3, 10), 23), (date(2013, 11, 3), 25), (date(2013, 7, 1), 24)])
def test_days_have_as_many_hours_as_the_place_gives_them(day: date, hours: int) -> None:
    noon = datetime.combine(day, time(12), tzinfo=NEW_YORK)
    [window] = CalendarPlan(every="1d", timezone="America/New_York").windows(noon, noon)
    assert window.end - window.start == timedelta(hours=hours)
    assert window.start == datetime.combine(day, time(0), tzinfo=NEW_YORK)
    for every, count in [("1h", hours), ("15m", 4 * hours), ("6h", 4)]:
        plan = CalendarPlan(every=every, timezone="America/New_York")
        windows = plan.windows(window.start, window.end - timedelta(microseconds=1))
        assert len(windows) == count
        assert (windows[0].start, windows[-1].end) == (window.start, window.end)
        if every != "6h":
            assert {each.end - each.start for each in windows} == {parse_duration(every)}


def test_six_hours_keep_to_the_clock_when_it_is_changed() -> None:
    plan = CalendarPlan(every="6h", timezone="America/New_York")
    first, second, *_ = plan.windows(local(2013, 3, 10, 1), local(2013, 3, 10, 12))
    assert (first.start, first.end) == (local(2013, 3, 10, 0), local(2013, 3, 10, 6))
    assert first.end - first.start == timedelta(hours=5)
    assert second.end - second.start == timedelta(hours=6)


def test_weeks_begin_on_monday_and_other_multiples_on_the_same_count() -> None:
    [week] = CalendarPlan(every="7d").windows(datetime(2013, 4, 3, tzinfo=UTC), datetime(2013, 4, 3, tzinfo=UTC))
    assert week == Window(start=datetime(2013, 4, 1, tzinfo=UTC), end=datetime(2013, 4, 8, tzinfo=UTC))
    fortnights = CalendarPlan(every="14d").windows(datetime(2013, 4, 3, tzinfo=UTC), datetime(2013, 5, 3, tzinfo=UTC))
    assert all(window.start.weekday() == 0 for window in fortnights)


@pytest.mark.parametrize("place", ["UTC", "Asia/Kolkata", "America/New_York"])
@pytest.mark.parametrize("every", ["6h", "1d", "7d"])
def test_the_ends_of_the_calendar_are_no_error(every: str, place: str) -> None:
    plan = CalendarPlan(every=every, timezone=place)
    first, last = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
    for moment in (first, last):
        assert len(plan.windows(moment, moment)) <= 1
    for inside in (first + timedelta(days=30), last - timedelta(days=30)):
        [window] = plan.windows(inside, inside)
        assert inside in window


def test_windows_need_not_come_in_utc_and_none_are_needed_for_nothing() -> None:
    plan = CalendarPlan(every="1d")
    tokyo = datetime(2013, 4, 2, 3, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert plan.windows(tokyo, tokyo)[0].start == datetime(2013, 4, 1, tzinfo=UTC)
    assert plan.windows(tokyo, tokyo - timedelta(microseconds=1)) == ()


@pytest.mark.parametrize(
    ("text", "length"),
    [("90s", timedelta(seconds=90)), ("30m", timedelta(minutes=30)), ("6h", timedelta(hours=6)), ("1d", timedelta(1))],
)
def test_durations_are_a_number_and_a_unit(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@given(st.text(max_size=8).filter(lambda text: not (text[:-1].isdigit() and text[-1:] in "smhd")))
@example("")
@example("0d")
@example("-1d")
@example("1.5h")
@example("1 d")
@example("1w")
@example("٣d")
@example("99999999d")
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(BadInput, match="Not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("every", "timezone", "said"),
    [
        ("5h", "UTC", "'5h'"),
        ("36h", "UTC", "'36h'"),
        ("7s", "UTC", "'7s'; expected whole days"),
        ("day", "UTC", "Not a duration"),
        ("1d", "Mars/Olympus", "Mars/Olympus"),
        ("1d", "", "no such time zone"),
        ("1d", "../etc/passwd", "no such time zone"),
    ],
)
def test_plans_that_fit_no_calendar_are_refused(every: str, timezone: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        CalendarPlan(every=every, timezone=timezone)


def test_a_window_has_two_aware_ends_in_order() -> None:
    start = datetime(2013, 4, 1, tzinfo=UTC)
    with pytest.raises(BadInput, match="Not a window"):
        Window(start=start, end=start)
    with pytest.raises(BadInput, match="Not a window"):
        Window(start=start, end=datetime(2013, 4, 2, tzinfo=UTC).replace(tzinfo=None))


@given(st.lists(st.integers(0, 1000), max_size=40), st.integers(0, 300))
def test_spans_hold_every_time_and_are_further_apart_than_the_gap(offsets: list[int], gap: int) -> None:
    spans = contiguous_spans(np.sort(np.array(offsets, dtype=np.int64)), timedelta(microseconds=gap))
    assert all(any(first <= as_datetime(time) <= last for first, last in spans) for time in offsets)
    assert all(later - earlier > timedelta(microseconds=gap) for (_, earlier), (later, _) in pairwise(spans))


@pytest.mark.parametrize("plan", [CalendarPlan(every="6h"), RowPlan(rows=3)])
@given(days=st.lists(st.integers(0, 3_000), max_size=12))
def test_a_row_is_in_one_window_at_most_and_in_one_by_the_calendar(plan: WindowPlan, days: list[int]) -> None:
    begin = datetime(2013, 4, 1, tzinfo=UTC)
    times = sorted(begin + timedelta(days=day) for day in days)
    windows = plan.cut(np.array([as_microseconds(time) for time in times], dtype=np.int64))
    counts = [sum(time in window for window in windows) for time in times]
    assert set(counts) <= ({1} if plan.rows is None else {0, 1})
    assert list(windows) == sorted(windows)


def test_windows_of_rows_have_no_length_before_their_rows_are_there() -> None:
    noon = datetime(2013, 3, 10, 12, tzinfo=UTC)
    by_rows: WindowPlan = RowPlan(rows=3)
    assert (by_rows.windows(noon, noon), by_rows.length_at(noon)) == ((), None)
    assert CalendarPlan(every="1d", timezone="America/New_York").length_at(noon) == timedelta(hours=23)
