"""Windows: slices of traffic by event time, aligned to the calendar of a time zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.timestamps import as_datetime
from monitoring.traffic.expected_events import NO_EVENTS, EventCalendar

_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_DURATION = re.compile(r"([1-9][0-9]{0,6})([smhd])", re.ASCII)
_DAY = timedelta(days=1)
_CENTURY = timedelta(days=36_525)

#: The longest run of empty windows that is evaluated; a longer one is skipped, so that one wrong date is harmless.
EMPTY_WINDOWS = 1_000
_HOUR = timedelta(hours=1)


def parse_duration(text: str) -> timedelta:
    """Read a duration: a whole number and s, m, h or d.

    >>> parse_duration("6h")
    datetime.timedelta(seconds=21600)

    Raises:
        BadInput: the text is not one.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise BadInput(
            "Not a duration.",
            got=repr(text),
            expected="a whole number and s, m, h or d, such as 15m, 6h or 1d",
            fix="Write it in this form.",
        )
    return int(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Window:
    """The half-open interval [start, end) of event time; both are aware, in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None or self.start >= self.end:
            raise BadInput(
                "Not a window.",
                got=f"{self.start.isoformat()} to {self.end.isoformat()}",
                expected="two times with a zone, the start before the end",
                fix="Swap them, or add the zone.",
            )

    def __contains__(self, event_time: datetime) -> bool:
        return self.start <= event_time < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPlan:
    """How event time is divided into windows, aligned to the calendar.

    `every` is a whole number of days, or a part of a day that divides it. Days begin at local midnight in `timezone`;
    seven days are weeks from Monday, other multiples are counted from the same Monday. Hours and minutes are those of
    the local clock, from midnight. So a day has 23 or 25 hours when the clocks change; of the windows shorter than a
    day, those of more than an hour stretch or shrink then, and of those of an hour or less there are more or fewer.

    A window is due `lateness`, the allowed lateness, after its end. One with fewer than `min_rows` rows is too thin to
    be evaluated by itself. `events` are times at which traffic is expected to differ.

    >>> plan = WindowPlan(every="1d", timezone="America/New_York")
    >>> [window] = plan.windows(datetime(2013, 3, 10, 12, tzinfo=UTC), datetime(2013, 3, 10, 12, tzinfo=UTC))
    >>> window.start.isoformat(), window.end - window.start
    ('2013-03-10T05:00:00+00:00', datetime.timedelta(seconds=82800))
    """

    every: str
    timezone: str = "UTC"
    lateness: timedelta = timedelta(0)
    min_rows: int = 1
    events: EventCalendar = NO_EVENTS
    _length: timedelta = field(init=False, repr=False, compare=False)
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        length = parse_duration(self.every)
        if (length > _DAY and length % _DAY) or (length < _DAY and _DAY % length):
            raise BadInput(
                "Windows of this length do not fit the calendar.",
                got=repr(self.every),
                expected="whole days, or a part that divides a day, such as 6h or 15m",
                fix="Choose the nearest of those.",
            )
        object.__setattr__(self, "_length", length)
        object.__setattr__(self, "_zone", _zone(self.timezone))

    def windows(self, first: datetime, last: datetime) -> tuple[Window, ...]:
        """The windows that overlap [first, last], without gap or overlap.

        Returns:
            The windows in order of time; those that would exceed the years 1 to 9999 are left out.
        """
        if first > last:
            return ()
        cuts = sorted(set(self._cuts(first.astimezone(self._zone).date(), last.astimezone(self._zone).date())))
        pairs = pairwise(cuts)
        return tuple(Window(start=start, end=end) for start, end in pairs if end > first and start <= last)

    def phases(self, start: datetime) -> dict[str, int]:
        """The position of a window in the cycles that it may be part of, by the local clock.

        >>> WindowPlan(every="6h").phases(datetime(2024, 1, 2, 18, tzinfo=UTC))
        {'day': 3, 'week': 7}

        Returns:
            Of a day, its position in the week, from Monday; of a shorter window, that in the day, too; of a longer
            one, none.
        """
        local = start.astimezone(self._zone)
        if self._length > _DAY:
            return {}
        if self._length == _DAY:
            return {"week": local.weekday()}
        place = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second) // self._length
        return {"day": place, "week": local.weekday() * (_DAY // self._length) + place}

    @property
    def longest_gap(self) -> timedelta:
        """The longest time without rows whose windows are evaluated: some 1,000 windows."""
        return min(self._length * EMPTY_WINDOWS, _CENTURY)

    def due(self, window: Window, now: datetime) -> bool:
        """Whether the allowed lateness of a window is over. Returns whether `now` is at least `lateness` after its end.

        >>> plan = WindowPlan(every="1d", lateness=timedelta(hours=6))
        >>> window = Window(start=datetime(2013, 4, 1, tzinfo=UTC), end=datetime(2013, 4, 2, tzinfo=UTC))
        >>> plan.due(window, datetime(2013, 4, 2, 5, tzinfo=UTC)), plan.due(window, datetime(2013, 4, 2, 6, tzinfo=UTC))
        (False, True)
        """
        return now >= window.end + self.lateness

    def _cuts(self, first: date, last: date) -> Iterator[datetime]:
        days = max(self._length // _DAY, 1)
        # A day before and after: if clocks change at midnight, a time may be in the window of the next date.
        start = first.toordinal() - 1
        start = max(start - (start - 1) % days, 1 + days)  # the first of January of year 1 was a Monday
        for ordinal in range(start, min(last.toordinal() + 2 + days, date.max.toordinal()), days):
            day = date.fromordinal(ordinal)
            if self._length >= _DAY:
                yield self._instant(day, timedelta(0), 0)
                continue
            for k in range(_DAY // self._length):
                yield from self._clock_readings(day, k * self._length)

    def _clock_readings(self, day: date, offset: timedelta) -> Iterator[datetime]:
        """The instants at which the local clock shows the time: two, for short windows, when it is turned back."""
        once, again = self._instant(day, offset, 0), self._instant(day, offset, 1)
        yield once
        if again > once and self._length <= _HOUR:
            yield again

    def _instant(self, day: date, offset: timedelta, fold: int) -> datetime:
        local = datetime.combine(day, time(0)) + offset
        return local.replace(tzinfo=self._zone, fold=fold).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPlan:
    """Windows of `rows` rows in order of event time, of any length of time.

    A window begins where the one before ended, and ends a microsecond after its last row. Rows with the same event time
    stay together, so that a window may have more rows; the rest at the end is not a window yet. `events` are times at
    which traffic is expected to differ.
    """

    rows: int
    lateness: timedelta = timedelta(0)
    min_rows: int = 1
    events: EventCalendar = NO_EVENTS

    def windows(self, event_times: NDArray[np.int64], after: datetime | None = None) -> tuple[Window, ...]:
        """The complete windows of some rows.

        >>> plan = RowPlan(rows=2)
        >>> [(w.start.microsecond, w.end.microsecond) for w in plan.windows(np.array([1, 3, 3, 7, 8]))]
        [(1, 4), (4, 9)]

        Args:
            after: Where the first window begins; None is the first row.
        """
        windows = []
        first = 0
        start = after
        while first + self.rows <= len(event_times):
            last = int(np.searchsorted(event_times, event_times[first + self.rows - 1], side="right")) - 1
            end = as_datetime(int(event_times[last]) + 1)
            begin = as_datetime(int(event_times[first])) if start is None else start
            windows.append(Window(start=begin, end=end))
            first, start = last + 1, end
        return tuple(windows)

    def phases(self, start: datetime) -> dict[str, int]:
        """Empty: windows of rows are part of no cycle."""
        return {}

    def due(self, window: Window, now: datetime) -> bool:
        """Whether the allowed lateness of the window is over."""
        return now >= window.end + self.lateness


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(
            "There is no such time zone.",
            got=repr(name),
            expected="a name of the IANA database, such as UTC or America/New_York",
            fix="Check the spelling.",
        ) from None
