"""Times and durations as whole microseconds, and back, without rounding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import SupportsIndex

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MICROSECOND = timedelta(microseconds=1)


def as_datetime(us: SupportsIndex) -> datetime:
    """Microseconds since 1970, UTC, as an aware datetime: the inverse of `as_microseconds`.

    >>> as_datetime(1_500_000).isoformat()
    '1970-01-01T00:00:01.500000+00:00'

    Returns:
        The time, in UTC.

    Raises:
        OverflowError: the time lies outside the years 1 to 9999.
    """
    return EPOCH + timedelta(microseconds=int(us))


def as_microseconds(moment: datetime) -> int:
    """An aware datetime, of any time zone, as microseconds since 1970, UTC.

    >>> as_microseconds(datetime.fromisoformat("1970-01-01T02:00:01+02:00"))
    1000000

    Returns:
        The microseconds, negative before 1970.

    Raises:
        TypeError: `moment` has no time zone.
    """
    return (moment - EPOCH) // _MICROSECOND


def duration_microseconds(duration: timedelta) -> int:
    """Convert a duration to microseconds.

    Returns:
        Whole microseconds.

    >>> duration_microseconds(timedelta(days=1))
    86400000000
    """
    return duration // _MICROSECOND
