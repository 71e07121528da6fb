"""A drawing: paths and labels in a box, which a template writes as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from monitoring.records import MonitorStatus
from monitoring.reports.sections.formatting import MONTHS

#: Points in pixels: two numbers each, across and down.
Points: TypeAlias = NDArray[np.float64] | Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """Lines and areas of one style; `style` is a class of the style sheet."""

    d: str
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Text at a point; `anchor` says which end of the text lies there."""

    x: float
    y: float
    text: str
    style: str = "tick"
    anchor: str = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A drawing, in pixels; `summary` says in words what it shows; `fit` is a class of the style sheet."""

    width: int
    height: int
    summary: str
    paths: tuple[Path, ...]
    labels: tuple[Label, ...] = ()
    fit: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from values to pixels; values beyond the ends are drawn at the ends.

    >>> Scale(0.0, 10.0, 100.0, 0.0)(5.0), Scale(0.0, 10.0, 0.0, 100.0)(20.0)
    (50.0, 100.0)
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def each(self, values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """The pixels of many values, in a tenth of the time."""
        numbers = np.asarray(values, dtype=np.float64)
        if not self.high > self.low:
            return np.full(numbers.shape, self(self.low))
        factor = (self.end - self.start) / (self.high - self.low)
        pixels: NDArray[np.float64] = self.start + factor * (numbers.clip(self.low, self.high) - self.low)
        return pixels

    def at(self, times: Iterable[datetime]) -> NDArray[np.float64]:
        """The pixels of some times, of a scale of seconds since 1970, [n]."""
        return self.each([at.timestamp() for at in times])


def shown(number: float) -> str:
    """A coordinate with one decimal at most.

    >>> shown(12.0), shown(12.34)
    ('12', '12.3')
    """
    return f"{number:.1f}".removesuffix(".0")


def line(points: Points) -> str:
    """A path through points: each after the first as its distance from the one before, which is short.

    >>> line([(0, 1), (2, 3), (2.5, 1)])
    'M0 1l2 2 .5-2'
    """
    moves = _moves(points)
    first, later = (" ".join(map(_short, some)) for some in (moves[:2], moves[2:]))
    return f"M{first}{'l' if later else ''}{later}".replace(" -", "-") if first else ""


def thinned(points: Points) -> NDArray[np.float64]:
    """The points of a line that can be seen: of every two pixels across the first, lowest, highest and last.

    All of them where there are no more than two a pixel on average.

    Args:
        points: Points from left to right, [n, 2].

    Returns:
        At most two points a pixel (M4, Jugel et al. 2014): a line that is wider than one looks the same.

    >>> thinned([(0.1, 5.0), (0.2, 9.0), (0.3, 7.0), (0.4, 1.0), (0.5, 6.0), (2.0, 2.0)])[:, 1].tolist()
    [5.0, 9.0, 1.0, 6.0, 2.0]
    """
    every = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if len(every) == 0 or (len(every) > 1 and len(every) <= 2 * (every[-1, 0] - every[0, 0])):
        return every
    group = (every[:, 0] / 2).astype(np.int64)
    last = np.append(np.flatnonzero(group[1:] != group[:-1]), len(every) - 1)
    first = np.append(0, last[:-1] + 1)
    by_height = np.lexsort((every[:, 1], group))
    mask = np.zeros(len(every), dtype=bool)
    for some in (first, last, by_height[first], by_height[last]):
        mask[some] = True
    return every[mask]


def trace(points: Points) -> str:
    """A path through points from left to right, as far as it can be seen."""
    return line(thinned(points))


def dots(points: Points) -> str:
    """A path of points: lines of no length, which a style with round ends draws as dots.

    >>> dots([(0, 1), (2, 3)])
    'M0 1h0m2 2h0'
    """
    texts = map(_short, _moves(points))
    joined = "m".join(f"{right} {below}h0" for right, below in zip(texts, texts, strict=True))
    return f"M{joined}".replace(" -", "-") if joined else ""


def _moves(points: Points) -> list[int]:
    """The first point, and each other one as its distance from the one before: across, down, across ..., in tenths."""
    tenths = np.rint(10 * np.asarray(points, dtype=np.float64).reshape(-1, 2)).astype(np.int64)
    moves: list[int] = np.diff(tenths, axis=0, prepend=0).ravel().tolist()
    return moves


@cache
def _short(tenths: int) -> str:
    """A number of tenths in the fewest letters."""
    text = shown(tenths / 10)
    return text.replace("0.", ".") if abs(tenths) < 10 else text


def box(left: float, top: float, width: float, height: float) -> str:
    """A closed rectangle.

    >>> box(0, 0, 3, 12)
    'M0 0h3v12h-3z'
    """
    return f"M{shown(left)} {shown(top)}h{shown(width)}v{shown(height)}h{shown(-width)}z"


def diamond(x: float, y: float, half: float) -> str:
    """A diamond around a point."""
    side = shown(half)
    return f"M{shown(x)} {shown(y - half)}l{side} {side}-{side} {side}-{side}-{side}z"


def nice_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """Round values between two others: multiples of 1, 2 or 5 times a power of ten.

    >>> nice_ticks(0.0, 0.31, 4)
    (0.0, 0.1, 0.2, 0.3)
    """
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    steps = (power * factor for factor in (1, 2, 5, 10, 20, 50))
    spans = ((step, math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)) for step in steps)
    step, first, last = next(span for span in spans if span[2] - span[1] < most)
    digits = max(0, -math.floor(math.log10(step)))
    return tuple(round(number * step, digits) + 0.0 for number in range(first, last + 1))


def time_ticks(start: datetime, end: datetime, zone: ZoneInfo, most: int) -> tuple[tuple[datetime, str], ...]:
    """Round times between two others, with their text: hours, days, Mondays or first days of months.

    >>> from datetime import UTC
    >>> april, june = datetime(2013, 4, 5, tzinfo=UTC), datetime(2013, 6, 20, tzinfo=UTC)
    >>> [text for _, text in time_ticks(april, june, ZoneInfo("UTC"), 4)]
    ['May 2013', 'Jun']
    """
    length = end - start
    for hours in (1, 3, 6, 12):
        if length <= timedelta(hours=hours) * most:
            return _hours(start, end, zone, hours)
    for days in (1, 2, 7, 14):
        if length <= timedelta(days=days) * most:
            return _days(start, end, zone, days)
    return _months(start, end, zone, most)


def _hours(start: datetime, end: datetime, zone: ZoneInfo, step: int) -> tuple[tuple[datetime, str], ...]:
    at = start.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    at -= timedelta(hours=at.hour % step)
    ticks = []
    while at <= end:
        if at >= start:
            ticks.append((at, _day(at) if at.hour == 0 else f"{at:%H:%M}"))
        at += timedelta(hours=step)
    return tuple(ticks)


def _days(start: datetime, end: datetime, zone: ZoneInfo, step: int) -> tuple[tuple[datetime, str], ...]:
    at = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    at -= timedelta(days=at.toordinal() % step)
    ticks = []
    while at <= end:
        if at >= start:
            ticks.append((at, _day(at)))
        at += timedelta(days=step)
    return tuple(ticks)


def _months(start: datetime, end: datetime, zone: ZoneInfo, most: int) -> tuple[tuple[datetime, str], ...]:
    first = start.astimezone(zone)
    last = end.astimezone(zone)
    months = [
        datetime(first.year + (first.month + n - 1) // 12, (first.month + n - 1) % 12 + 1, 1, tzinfo=zone)
        for n in range((last.year - first.year) * 12 + last.month - first.month + 1)
    ]
    step = next((candidate for candidate in (1, 2, 3, 6, 12, 24, 60) if len(months) <= candidate * most), 120)
    ticks = [at for at in months if start <= at <= end and (12 * at.year + at.month - 1) % step == 0]
    years = {at.year for at in ticks[:1]} | {at.year for at in ticks if at.month == 1}
    texts: list[tuple[datetime, str]] = []
    for at in ticks:
        name = MONTHS[at.month - 1]
        texts.append((at, f"{name} {at.year}" if at.year in years else name))
        years.discard(at.year)
    return tuple(texts)


def _day(at: datetime) -> str:
    return f"{at.day} {MONTHS[at.month - 1]}"


def spread(values: Sequence[float], around: float = 0.08) -> tuple[float, float]:
    """The ends of an axis that holds all values, with a margin; of equal values, some room around them.

    >>> spread([0.0, 1.0], 0.1)
    (-0.1, 1.1)
    """
    low, high = min(values), max(values)
    margin = (high - low) * around or max(abs(high) * 0.1, 1e-3)
    return low - margin, high + margin


#: A table has so many of the newest windows, and those that opened an incident, so many of them too.
NEWEST: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """Cells as text; the first column names the row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`name` is unique on the page; each drawing says in words what it shows, and `fit` at which widths it is shown."""

    name: str
    title: str
    note: str
    drawings: tuple[Drawing, ...]
    table: DataTable


def window_table(
    status: MonitorStatus,
    columns: tuple[str, ...],
    rows: Sequence[tuple[datetime, tuple[str, ...]]],
    newest: int = NEWEST,
) -> DataTable:
    """A table of windows: the newest, and those that opened an incident; it says so when there are more."""
    opened = {incident.window_start for incident in status.incidents}
    earlier = [cells for start, cells in rows[:-newest] if start in opened][-newest:]
    table_rows = (*earlier, *(cells for _, cells in rows[-newest:]))
    note = (
        f"The newest {newest} of {len(rows):,} windows, and the newest {newest} that opened an incident; "
        "`pitfalls monitor export` has all."
    )
    return DataTable(columns=columns, rows=table_rows, note="" if len(table_rows) == len(rows) else note)
