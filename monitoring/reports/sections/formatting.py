"""Evidence, counts and times as a person reads them."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.records import WindowRecord
from monitoring.watches.descriptions import NOTHING, printable

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_TO, _TIMES = "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"


def format_evidence(log_evidence: float) -> str:
    """Format evidence.

    >>> [format_evidence(v) for v in (-math.inf, -7.0, 0.0, math.log(365))]
    ['0', '< 0.01', '1.00', '365']
    >>> format_evidence(40.0).split()[-1]
    '10¹⁷'
    """
    if log_evidence == -math.inf:
        return "0"
    if log_evidence < math.log(0.01):
        return "< 0.01"
    if log_evidence < math.log(10):
        return f"{math.exp(log_evidence):.2f}"
    if log_evidence < math.log(1e5):
        return f"{math.exp(log_evidence):,.0f}"
    tens = log_evidence / math.log(10)
    power = math.floor(tens)
    if round(10 ** (tens - power), 1) >= 10:
        power += 1
    raised = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{10 ** (tens - power):.1f} {_TIMES} 10{raised}"


def format_count(count: int, noun: str, plural: str = "") -> str:
    """Format a number of things.

    >>> (
    ...     format_count(1, "page"),
    ...     format_count(1275, "window"),
    ...     format_count(0, "page"),
    ...     format_count(2, "watch", "watches"),
    ... )
    ('1 page', '1,275 windows', 'no page', '2 watches')
    """
    if count == 0:
        return f"no {noun}"
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def format_duration(seconds: int) -> str:
    """Format a duration in its largest whole unit.

    >>> format_duration(300), format_duration(3600), format_duration(172_800)
    ('5 min', '1 h', '2 days')
    """
    if seconds % 86_400 == 0:
        return format_count(seconds // 86_400, "day")
    return f"{seconds // 3_600} h" if seconds % 3_600 == 0 else f"{seconds // 60} min"


def format_date(day: date) -> str:
    """Format a date, the same in every locale.

    >>> format_date(date(2013, 4, 23))
    '23 Apr 2013'
    """
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def format_moment(moment: datetime | None, zone: ZoneInfo) -> str:
    """Format a moment in a time zone, to the minute; midnight is shown as the day alone."""
    if moment is None:
        return NOTHING
    local = moment.astimezone(zone)
    clock = f" {local:%H:%M}" if (local.hour, local.minute) != (0, 0) else ""
    return format_date(local.date()) + clock


def window_name(window: WindowRecord, zone: ZoneInfo) -> str:
    """The name of a window: its batch, or its time."""
    return printable(window.batch) if window.batch else format_window(window.start, window.end, zone)


def format_window(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Format a half-open window.

    Returns:
        Its day if it is one, its first and last day if it is several, otherwise both times: with the name of each one's
        zone where the clocks are changed between them.

    >>> from datetime import UTC
    >>> format_window(datetime(2013, 4, 22, tzinfo=UTC), datetime(2013, 4, 23, tzinfo=UTC), ZoneInfo("UTC"))
    '22 Apr 2013'
    >>> hour = datetime(2026, 10, 25, tzinfo=UTC)
    >>> format_window(hour, hour + timedelta(hours=1), ZoneInfo("Europe/Berlin")).split("\N{EN DASH}")
    ['25 Oct 2026 02:00 CEST', '02:00 CET']
    """
    first, last = start.astimezone(zone), end.astimezone(zone)
    if (first.hour, first.minute, last.hour, last.minute) == (0, 0, 0, 0):
        last_day = last.date() - timedelta(days=1)
        if first.date() == last_day:
            return format_date(first.date())
        return f"{format_date(first.date())} {_TO} {format_date(last_day)}"
    if first.date() == last.date():
        clock = "%H:%M" if first.utcoffset() == last.utcoffset() else "%H:%M %Z"
        return f"{format_date(first.date())} {first:{clock}}{_TO}{last:{clock}}"
    return f"{format_moment(start, zone)} {_TO} {format_moment(end, zone)}"
