"""Times of requests: the clock, and times as clients write them (ISO 8601 with an offset, or seconds since 1970)."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime

from monitoring.timestamps import as_microseconds

SECONDS = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,9})?")
# 0001-01-02 and 9999-12-30: the range of Python's calendar, less a day at each end for offsets.
EARLIEST_US, LATEST_US = -62_135_510_400_000_000, 253_402_128_000_000_000


_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTimeRange:
    """Which event times clients may give. They are claims: each day of one is a folder of the log."""

    before_us: int = 400 * _DAY_US
    """How long before its arrival."""
    after_us: int = _DAY_US
    """How long after it."""

    def holds(self, event_time_us: int, arrived_us: int) -> bool:
        """Check a time.

        >>> EventTimeRange(before_us=10, after_us=0).holds(89, 100), EventTimeRange(before_us=10).holds(90, 100)
        (False, True)
        """
        return -self.before_us <= event_time_us - arrived_us <= self.after_us


def wall_clock_us() -> int:
    """Now, in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def parse_time_us(text: str) -> int | None:
    """Parse a time.

    Milliseconds since 1970 are refused: read as seconds they lie beyond the year 9999.

    >>> parse_time_us("2013-04-01T05:15:00-04:00"), parse_time_us("1364807700"), parse_time_us("2013-04-01")
    (1364807700000000, 1364807700000000, None)

    Args:
        text: ISO 8601 with an offset, or seconds since 1970 with at most 9 decimals.

    Returns:
        Microseconds since 1970 UTC; None for text that is not a time, lacks its offset, or lies outside the calendar.
    """
    if SECONDS.fullmatch(text):
        whole, _, fraction = text.lstrip("-").partition(".")
        microseconds = int(whole) * 1_000_000 + int(f"{fraction:0<6}"[:6])
        microseconds = -microseconds if text.startswith("-") else microseconds
    else:
        try:
            time_ = datetime.fromisoformat(text)
        except ValueError:
            return None
        if time_.tzinfo is None:
            return None
        microseconds = as_microseconds(time_)
    return microseconds if EARLIEST_US <= microseconds <= LATEST_US else None
