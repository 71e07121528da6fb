from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.deployment.expected_events import event_calendar
from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.expected_events import EventCalendar
from tests.monitoring.config.configs import LEAST, load

FILE = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//events//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20240101T000000Z
DTSTART;VALUE=DATE:20240216
DTEND;VALUE=DATE:20240218
RRULE:FREQ=YEARLY
SUMMARY:Spring sale
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTAMP:20240101T000000Z
DTSTART:20240301T220000Z
DTEND:20240301T230000Z
SUMMARY:Maintenance
END:VEVENT
END:VCALENDAR
"""


def calendar(folder: Path, sections: str, zone: str = "UTC") -> EventCalendar:
    return event_calendar(load(folder, LEAST + sections).expected, zone)


def on(found: EventCalendar, *date: int, hours: int = 24) -> str | None:
    start = datetime(*date, tzinfo=UTC)  # type: ignore[arg-type, misc]  # a date's numbers
    event = found.at(start, start + timedelta(hours=hours))
    return None if event is None else event.name


def test_given_days_are_one_occurrence_where_they_are_consecutive(tmp_path: Path) -> None:
    found = calendar(tmp_path, '[[expected]]\nname = "Sale"\ndates = [2024-12-26, 2024-12-25, 2025-12-25]\n')
    assert [on(found, 2024, 12, day) for day in (24, 25, 26, 27)] == [None, "Sale", "Sale", None]
    days = [datetime(2024, 12, day, tzinfo=UTC) for day in (25, 26, 27)]
    assert found.at(days[0], days[1]) == found.at(days[1], days[2])
    assert on(found, 2025, 12, 25) == "Sale"


def test_a_span_includes_its_last_day_in_the_configs_time_zone(tmp_path: Path) -> None:
    text = '[[expected]]\nname = "Sale"\nfirst = 2024-11-25\nlast = 2024-11-29\n'
    found = calendar(tmp_path, text, "America/New_York")
    assert on(found, 2024, 11, 30, hours=5) == "Sale"
    assert on(found, 2024, 11, 30, 5) is None


def test_public_holidays_go_by_their_names_or_by_one(tmp_path: Path) -> None:
    found = calendar(tmp_path, '[[expected]]\ncountry = "US"\n')
    assert on(found, 2026, 11, 26) == "Thanksgiving Day"
    assert on(found, 2026, 11, 25) is None
    found = calendar(tmp_path, '[[expected]]\ncountry = "US"\nname = "public holiday"\n')
    assert on(found, 2026, 11, 26) == "public holiday"


def test_an_unknown_country_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no calendar of public holidays"):
        calendar(tmp_path, '[[expected]]\ncountry = "XX"\n')


def test_a_calendar_file_has_recurring_events_and_hours(tmp_path: Path) -> None:
    (tmp_path / "events.ics").write_text(FILE.replace("\n", "\r\n"), "utf-8")
    found = calendar(tmp_path, '[[expected]]\nics = "events.ics"\n')
    assert [on(found, 2026, 2, day) for day in (15, 16, 17, 18)] == [None, "Spring sale", "Spring sale", None]
    assert on(found, 2024, 3, 1, 22, hours=1) == "Maintenance"
    assert on(found, 2024, 3, 1, 20, hours=2) is None


def test_what_is_no_calendar_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="cannot be read"):
        calendar(tmp_path, '[[expected]]\nics = "none.ics"\n')
    (tmp_path / "events.ics").write_text("day,event\n", "utf-8")
    with pytest.raises(BadInput, match="no iCalendar file"):
        calendar(tmp_path, '[[expected]]\nics = "events.ics"\n')
