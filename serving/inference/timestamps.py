"""Times as clients write them: ISO 8601 with an offset, or seconds since 1970."""

from __future__ import annotations

import re
from datetime import datetime

from monitoring.timestamps import as_microseconds

SECONDS = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,9})?")
# 0001-01-02 and 9999-12-30: what a calendar can name, with a day to spare for offsets.
EARLIEST_US, LATEST_US = -62_135_510_400_000_000, 253_402_128_000_000_000


def read_moment_us(text: str) -> int | None:
    """Microseconds since 1970, UTC; None if the text is no time, lacks its offset, or lies outside the calendar.

    Milliseconds since 1970 are refused: read as seconds they lie beyond the year 9999.

    >>> read_moment_us("2013-04-01T05:15:00-04:00"), read_moment_us("1364807700"), read_moment_us("2013-04-01")
    (1364807700000000, 1364807700000000, None)
    """
    if SECONDS.fullmatch(text):
        whole, _, fraction = text.lstrip("-").partition(".")
        microseconds = int(whole) * 1_000_000 + int(f"{fraction:0<6}"[:6])
        microseconds = -microseconds if text.startswith("-") else microseconds
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            return None
        microseconds = as_microseconds(moment)
    return microseconds if EARLIEST_US <= microseconds <= LATEST_US else None
