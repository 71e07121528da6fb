"""Expected events: times at which traffic is known beforehand to differ, such as holidays and campaigns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ExpectedEvent:
    """One occurrence of an event, the half-open interval [start, end) in UTC; occurrences of one event share a name."""

    start: datetime
    end: datetime
    name: str

    @classmethod
    def of_days(cls, name: str, first: date, last: date, zone: ZoneInfo) -> ExpectedEvent:
        """The event of whole days.

        >>> ExpectedEvent.of_days("Easter", date(2024, 3, 31), date(2024, 4, 1), ZoneInfo("Europe/Paris")).start.hour
        23
        """
        start, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last + timedelta(days=1)))
        return cls(start=start, end=end, name=name)


#: Gives the events that overlap the time from a start to an end; it may give others as well.
EventSource: TypeAlias = Callable[[datetime, datetime], Iterable[ExpectedEvent]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCalendar:
    """The expected events of a deployment, asked for by time."""

    sources: tuple[EventSource, ...] = ()

    def at(self, start: datetime, end: datetime) -> ExpectedEvent | None:
        """The event that a window touches.

        >>> day = [datetime(2024, 12, number, tzinfo=UTC) for number in range(24, 27)]
        >>> christmas = ExpectedEvent(start=day[1], end=day[2], name="Christmas Day")
        >>> calendar = EventCalendar(sources=(lambda start, end: [christmas],))
        >>> calendar.at(day[0], day[1]), calendar.at(day[1], day[2]).name
        (None, 'Christmas Day')
        """
        events = [
            event for source in self.sources for event in source(start, end) if event.start < end and start < event.end
        ]
        return min(events, key=lambda event: (max(event.start, start) - min(event.end, end), event), default=None)


NO_EVENTS = EventCalendar()
