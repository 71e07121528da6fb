"""The expected events of a config: its dates, its calendar files, and countries' public holidays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from monitoring.config import ExpectedSection
from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.expected_events import EventCalendar, EventSource, ExpectedEvent

_DAY = timedelta(days=1)


def event_calendar(sections: Sequence[ExpectedSection], timezone: str) -> EventCalendar:
    """The calendar of the `[[expected]]` sections."""
    zone = ZoneInfo(timezone)
    return EventCalendar(sources=tuple(_source(section, zone) for section in sections))


def consecutive_days(days: Sequence[date]) -> list[tuple[date, date]]:
    """The first and last day of each run of consecutive days.

    >>> [last.day for _, last in consecutive_days([date(2024, 12, day) for day in (25, 24, 31)])]
    [25, 31]
    """
    runs: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if runs and day - runs[-1][1] == _DAY:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def _source(section: ExpectedSection, zone: ZoneInfo) -> EventSource:
    if section.ics is not None:
        return _calendar_file(section.ics, section.name, zone)
    if section.country is not None:
        return _public_holidays(section.country, section.name, zone)
    name = section.name or ""
    runs = consecutive_days(section.dates)
    if section.first is not None and section.last is not None:
        runs = [(section.first, section.last)]
    events = tuple(ExpectedEvent.of_days(name, first, last, zone) for first, last in runs)
    return lambda _start, _end: events


def _public_holidays(country: str, name: str | None, zone: ZoneInfo) -> EventSource:
    """Each public holiday under its own name, or all of them under one."""
    import holidays  # noqa: PLC0415 - takes a second, and few configs need it

    code, _, part = country.partition("-")
    try:
        names = holidays.country_holidays(code, subdiv=part or None, language="en_US")
    except NotImplementedError as error:
        raise BadInput(
            "There is no calendar of public holidays of this country or part.",
            got=country,
            expected="an ISO 3166 code that the package `holidays` knows, such as US, DE or US-CA",
            fix="Change `country`, or list the days as `dates`.",
        ) from error

    def events(start: datetime, end: datetime) -> list[ExpectedEvent]:
        first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
        days = [first + number * _DAY for number in range((last - first).days + 1)]
        return [ExpectedEvent.of_days(name or names[day], day, day, zone) for day in days if day in names]

    return events


def _calendar_file(path: Path, name: str | None, zone: ZoneInfo) -> EventSource:
    """The events of an iCalendar file, recurring ones too; those of whole days are of the zone's days."""
    import icalendar  # noqa: PLC0415 - few configs need it
    import recurring_ical_events  # noqa: PLC0415 - as above

    try:
        text = path.read_bytes()
    except OSError as error:
        raise CannotRun(
            "The calendar of expected events cannot be read.",
            got=f"{path}: {error.strerror}",
            expected="an iCalendar file",
            fix="Change `ics` in the [[expected]] section.",
        ) from error
    try:
        calendar = icalendar.Calendar.from_ical(text)
    except (ValueError, KeyError, IndexError) as error:
        raise BadInput(
            "This is no iCalendar file.",
            got=f"{path}: {str(error)[:100]}",
            expected="an .ics file, BEGIN:VCALENDAR to END:VCALENDAR",
            fix="Export the calendar again, or list the days as `dates`.",
        ) from error
    recurring: Callable[[datetime, datetime], list[Any]] = recurring_ical_events.of(calendar).between

    def events(start: datetime, end: datetime) -> list[ExpectedEvent]:
        events = []
        for entry in recurring(start, end):
            first, last = (_instant(entry[key].dt, zone) for key in ("DTSTART", "DTEND"))
            events.append(ExpectedEvent(start=first, end=last, name=name or str(entry.get("SUMMARY", path.stem))))
        return events

    return events


def _instant(moment: date | datetime, zone: ZoneInfo) -> datetime:
    """A day's midnight, or a time; those without a zone are of `zone`."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)
