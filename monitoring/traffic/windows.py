"""Windows: slices of traffic by event time, cut by the calendar of a time zone or by the number of rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.timestamps import as_datetime, as_microseconds, duration_microseconds
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


Spans = tuple[tuple[datetime, datetime], ...]


class EventTimes(Protocol):
    """When the rows of some traffic happened."""

    def event_times(self) -> NDArray[np.int64]:
        """Every event time, sorted, in microseconds since 1970, UTC, int64 [n]. Cost: all of them are read."""

    def spans(self, longest_gap: timedelta) -> Spans:
        """The first and last event time of each stretch of traffic without a gap longer than that, in order."""


class WindowPlan(Protocol):
    """How traffic is cut into windows: by the calendar, or by the number of rows."""

    @property
    def rows(self) -> int | None:
        """How many rows make a window; None: as many as come in its time."""

    @property
    def lateness(self) -> timedelta:
        """The allowed lateness: how long after its end a window waits for rows and labels."""

    @property
    def min_rows(self) -> int:
        """A window with fewer rows is too thin to be evaluated by itself."""

    @property
    def events(self) -> EventCalendar:
        """Times at which traffic is expected to differ."""

    def windows(self, first: datetime, last: datetime) -> tuple[Window, ...]:
        """The windows that overlap [first, last], in order; none where they are known by their rows alone."""

    def length_at(self, time: datetime) -> timedelta | None:
        """How long the window is that a time lies in; None where that is known by its rows alone."""

    def cut(self, times: NDArray[np.int64]) -> tuple[Window, ...]:
        """The windows of some rows, by their event times in microseconds, sorted, int64 [n]."""

    def cut_arrivals(self, times: NDArray[np.int64], arrivals: NDArray[np.int64]) -> tuple[Window, ...]:
        """The windows in which labels arrived, by the event times of all rows and the arrivals, both sorted."""

    def phases(self, start: datetime) -> dict[str, int]:
        """The position of the window that begins then in each cycle that it may be part of."""

    def due(self, window: Window, now: datetime) -> bool:
        """Whether the allowed lateness of a window is over."""

    def due_by(self, begun: datetime, opened: datetime) -> datetime:
        """The time by which windows are due, of a run that began and had its traffic opened at two times."""

    def due_windows(
        self, traffic: EventTimes, *, after: datetime | None, now: datetime, followed: bool = False
    ) -> tuple[Window, ...]:
        """The windows with traffic that are due. Nothing after `now` is looked at.

        Args:
            after: The windows begin then or later; None: at any time.
            followed: Whether the traffic was followed as it came: windows after the last row are due then too.
        """

    def spans(self, traffic: EventTimes) -> Spans:
        """The stretches of traffic whose windows are known by time alone; none where windows are of rows."""

    def has_rows(self, traffic: EventTimes) -> bool:
        """Whether the traffic has a row. Cost: of windows of rows, all event times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarPlan:
    """Event time divided into windows, aligned to the calendar. A `WindowPlan`.

    `every` is a whole number of days, or a part of a day that divides it. Days begin at local midnight in `timezone`;
    seven days are weeks from Monday, other multiples are counted from the same Monday. Hours and minutes are those of
    the local clock, from midnight. So a day has 23 or 25 hours when the clocks change; of the windows shorter than a
    day, those of more than an hour stretch or shrink then, and of those of an hour or less there are more or fewer.

    A window is due `lateness`, the allowed lateness, after its end. One with fewer than `min_rows` rows is too thin to
    be evaluated by itself. `events` are times at which traffic is expected to differ.

    >>> plan = CalendarPlan(every="1d", timezone="America/New_York")
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

    @property
    def rows(self) -> None:
        """None: a window has as many rows as come in its time."""
        return None

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

        >>> CalendarPlan(every="6h").phases(datetime(2024, 1, 2, 18, tzinfo=UTC))
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

        >>> plan = CalendarPlan(every="1d", lateness=timedelta(hours=6))
        >>> window = Window(start=datetime(2013, 4, 1, tzinfo=UTC), end=datetime(2013, 4, 2, tzinfo=UTC))
        >>> plan.due(window, datetime(2013, 4, 2, 5, tzinfo=UTC)), plan.due(window, datetime(2013, 4, 2, 6, tzinfo=UTC))
        (False, True)
        """
        return now >= window.end + self.lateness

    def due_by(self, begun: datetime, opened: datetime) -> datetime:
        """When the run began: rows that came after it may be missing from traffic that was opened later."""
        return begun

    def length_at(self, time: datetime) -> timedelta:
        """How long the window is that a time lies in; around a change of the clocks not as long as others."""
        [window] = self.windows(time, time)
        return window.end - window.start

    def cut(self, times: NDArray[np.int64]) -> tuple[Window, ...]:
        """The windows of some rows; gaps longer than `longest_gap` have none."""
        spans = contiguous_spans(times, self.longest_gap)
        return tuple(window for first, last in spans for window in self.windows(first, last))

    def cut_arrivals(self, times: NDArray[np.int64], arrivals: NDArray[np.int64]) -> tuple[Window, ...]:
        """The windows of the arrivals."""
        return self.cut(arrivals)

    def due_windows(
        self, traffic: EventTimes, *, after: datetime | None, now: datetime, followed: bool = False
    ) -> tuple[Window, ...]:
        """The windows with traffic that are due, in order.

        Windows without a row are among them, but for gaps that are longer than the longest; and those after the last
        row where the traffic was followed as it came, so that traffic that stops is noticed. A row from the far future
        costs nothing.
        """
        windows: list[Window] = []
        for first, last in traffic.spans(self.longest_gap):
            begin, end = first, min(last + self.longest_gap if followed else last, now)
            if after is not None and (first <= after or first - after <= self.longest_gap):
                begin = min(after, end)
            windows += [w for w in self.windows(begin, end) if self.due(w, now) and (after is None or w.start >= after)]
        return tuple(dict.fromkeys(windows))

    def spans(self, traffic: EventTimes) -> Spans:
        """The stretches of traffic without a gap longer than `longest_gap`."""
        return traffic.spans(self.longest_gap)

    def has_rows(self, traffic: EventTimes) -> bool:
        """Whether the traffic has a row."""
        return bool(self.spans(traffic))

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
    """Windows of `rows` rows in order of event time, of any length of time. A `WindowPlan`.

    A window begins where the one before ended, and ends a microsecond after its last row. Rows with the same event time
    stay together, so that a window may have more rows; the rest at the end is not a window yet. `events` are times at
    which traffic is expected to differ.
    """

    rows: int
    lateness: timedelta = timedelta(0)
    min_rows: int = 1
    events: EventCalendar = NO_EVENTS

    def cut(self, times: NDArray[np.int64], after: datetime | None = None) -> tuple[Window, ...]:
        """The complete windows of some rows.

        >>> plan = RowPlan(rows=2)
        >>> [(w.start.microsecond, w.end.microsecond) for w in plan.cut(np.array([1, 3, 3, 7, 8]))]
        [(1, 4), (4, 9)]

        Args:
            after: Where the first window begins; None is the first row.
        """
        windows = []
        first = 0
        start = after
        while first + self.rows <= len(times):
            last = int(np.searchsorted(times, times[first + self.rows - 1], side="right")) - 1
            end = as_datetime(int(times[last]) + 1)
            begin = as_datetime(int(times[first])) if start is None else start
            windows.append(Window(start=begin, end=end))
            first, start = last + 1, end
        return tuple(windows)

    def cut_arrivals(self, times: NDArray[np.int64], arrivals: NDArray[np.int64]) -> tuple[Window, ...]:
        """The windows of all rows, however many labels arrive in each."""
        return self.cut(times)

    def windows(self, first: datetime, last: datetime) -> tuple[Window, ...]:
        """None: windows of rows are known by their rows alone."""
        return ()

    def length_at(self, time: datetime) -> None:
        """None, as the length is that of the rows to come."""
        return

    def phases(self, start: datetime) -> dict[str, int]:
        """Empty: windows of rows are part of no cycle."""
        return {}

    def due(self, window: Window, now: datetime) -> bool:
        """Whether the allowed lateness of the window is over."""
        return now >= window.end + self.lateness

    def due_by(self, begun: datetime, opened: datetime) -> datetime:
        """When the traffic was open: batches are given their times while it is opened."""
        return opened

    def due_windows(
        self, traffic: EventTimes, *, after: datetime | None, now: datetime, followed: bool = False
    ) -> tuple[Window, ...]:
        """The complete windows that are due; they are due by rows alone, followed or not."""
        times = traffic.event_times()
        if after is not None:
            times = times[np.searchsorted(times, as_microseconds(after)) :]
        return tuple(window for window in self.cut(times, after) if self.due(window, now))

    def spans(self, traffic: EventTimes) -> Spans:
        """None: no window is known by time alone."""
        return ()

    def has_rows(self, traffic: EventTimes) -> bool:
        """Whether the traffic has a row."""
        return bool(traffic.event_times().size)


def contiguous_spans(ordered: NDArray[np.int64], longest_gap: timedelta) -> Spans:
    """Group times between which no gap is longer than `longest_gap`.

    >>> [(a.microsecond, b.microsecond) for a, b in contiguous_spans(np.array([1, 2, 9]), timedelta(microseconds=5))]
    [(1, 2), (9, 9)]

    Args:
        ordered: Times in microseconds, sorted, int64 [n].
    """
    if ordered.size == 0:
        return ()
    cuts = np.flatnonzero(np.diff(ordered) > duration_microseconds(longest_gap)) + 1
    firsts = ordered[np.concatenate([[0], cuts])]
    lasts = ordered[np.concatenate([cuts - 1, [ordered.size - 1]])]
    return tuple((as_datetime(first), as_datetime(last)) for first, last in zip(firsts, lasts, strict=True))


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
