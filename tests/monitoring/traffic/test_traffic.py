"""Small files of monitoring.traffic, each test named after what it is about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from monitoring.traffic.column_roles import ColumnRole
from monitoring.traffic.expected_events import NO_EVENTS, EventCalendar, ExpectedEvent
from monitoring.traffic.value_kinds import MOST_LISTED, value_kind


def test_a_column_says_why_it_is_no_input() -> None:
    assert str(ColumnRole(name="id", role="left out", why="ignored")) == "id (ignored)"
    assert str(ColumnRole(name="", role="left out", why="no name")) == "a column without a name"


def test_json_has_every_part() -> None:
    one = ColumnRole(name="age", role="input", kind="number", unit="years", description="of the customer")
    told = {"name": "age", "role": "input", "kind": "number", "why": ""}
    assert one.document() == {**told, "unit": "years", "description": "of the customer"}


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


RNG = np.random.default_rng(0)
ROWS = 3_000
WORDS = [f"w{number}" for number in range(500)]


def zipf(values: int) -> list[str]:
    weights = 1.0 / np.arange(1, values + 1)
    return [f"z{value}" for value in RNG.choice(values, ROWS, p=weights / weights.sum())]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ([f"z{value}" for value in RNG.integers(0, 1_000, ROWS)], "category"),
        (zipf(3_000), "category"),
        ([f"{number}-{number * number}" for number in range(ROWS)], "id"),
        ([f"z{value}" for value in RNG.integers(0, 100_000, ROWS)], "id"),
        ([" ".join(RNG.choice(WORDS, 6)) for _ in range(ROWS)], "free text"),
        (["ok"] * 2_000 + [" ".join(RNG.choice(WORDS, 6)) for _ in range(1_000)], "free text"),
        ([f"a product of five words {value}" for value in RNG.integers(0, 400, ROWS)], "category"),
        ([f"a sentence number {number} of few" for number in range(MOST_LISTED)], "category"),
        ([None] * 5, "category"),
    ],
)
def test_kinds(column: list[str | None], kind: str) -> None:
    assert value_kind(pa.array(column, pa.string())) == kind
