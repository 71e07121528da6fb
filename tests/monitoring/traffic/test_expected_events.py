from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.traffic.expected_events import NO_EVENTS, EventCalendar, ExpectedEvent

DAY = [datetime(2024, 12, number, tzinfo=UTC) for number in range(20, 30)]


def event(name: str, first: int, last: int) -> ExpectedEvent:
    return ExpectedEvent(start=DAY[first], end=DAY[last], name=name)


def test_a_window_has_the_event_that_it_overlaps_longest() -> None:
    calendar = EventCalendar(sources=(lambda *_: [event("long", 2, 6)], lambda *_: [event("short", 1, 2)]))
    assert calendar.at(DAY[1], DAY[3]) == event("short", 1, 2), "of two as long, the first"
    assert calendar.at(DAY[1], DAY[5]) == event("long", 2, 6)
    assert calendar.at(DAY[0], DAY[1]) is None
    assert calendar.at(DAY[6], DAY[7]) is None, "an event ends before its end"
    assert NO_EVENTS.at(DAY[0], DAY[9]) is None


def test_days_are_those_of_the_time_zone_also_when_clocks_change() -> None:
    found = ExpectedEvent.of_days("sale", date(2013, 3, 10), date(2013, 3, 10), ZoneInfo("America/New_York"))
    assert found.start == datetime(2013, 3, 10, 5, tzinfo=UTC)
    assert found.end - found.start == timedelta(hours=23)
