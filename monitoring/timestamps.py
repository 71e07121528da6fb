"""Times and durations as whole microseconds, and back, without rounding."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, tzinfo
from typing import SupportsIndex

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MICROSECOND = timedelta(microseconds=1)


def as_datetime(us: SupportsIndex) -> datetime:
    """Microseconds since 1970, UTC, as an aware datetime: the inverse of `as_microseconds`.

    >>> as_datetime(1_500_000).isoformat()
    '1970-01-01T00:00:01.500000+00:00'

    Raises:
        OverflowError: the time lies outside the years 1 to 9999.
    """
    return EPOCH + timedelta(microseconds=int(us))


def as_microseconds(moment: datetime) -> int:
    """An aware datetime, of any time zone, as microseconds since 1970, UTC.

    >>> as_microseconds(datetime.fromisoformat("1970-01-01T02:00:01+02:00"))
    1000000

    Raises:
        TypeError: `moment` has no time zone.
    """
    return (moment - EPOCH) // _MICROSECOND


def duration_microseconds(duration: timedelta) -> int:
    """Convert a duration to microseconds.

    >>> duration_microseconds(timedelta(days=1))
    86400000000
    """
    return duration // _MICROSECOND


def parse_moment(text: str, zone: tzinfo | None = None) -> datetime:
    """A time that somebody wrote.

    Args:
        text: As ISO 8601.
        zone: Of times without an offset; None where they are not allowed.

    Raises:
        ValueError: It is none, has no offset, or is not in every time zone.

    >>> parse_moment("2026-03-01", UTC).isoformat()
    '2026-03-01T00:00:00+00:00'
    """
    moment = datetime.fromisoformat(text)
    return require_everywhere(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))


def require_everywhere(moment: datetime) -> datetime:
    """Require that a time is aware, and a time in every time zone.

    Raises:
        ValueError: It is not: it has no offset, or is in the first or the last year that there is.
    """
    if moment.tzinfo is None:
        raise ValueError("it has no offset from UTC")
    if not MINYEAR < moment.year < MAXYEAR:
        raise ValueError(f"the year is not {MINYEAR + 1} to {MAXYEAR - 1}")
    return moment
