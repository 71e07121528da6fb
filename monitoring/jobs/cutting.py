"""Cutting rows into windows, the same way for the baseline and for live traffic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from monitoring.records import ScoreSum, WatchKey
from monitoring.traffic.windows import Window, WindowPlan


def as_datetime(microseconds: int) -> datetime:
    """Microseconds since 1970 UTC as an aware datetime.

    >>> as_datetime(0).isoformat()
    '1970-01-01T00:00:00+00:00'
    """
    seconds, rest = divmod(int(microseconds), 1_000_000)
    return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=rest)


def as_microseconds(time: datetime) -> int:
    """The inverse of `as_datetime`, exact."""
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def cut(times: NDArray[np.int64], plan: WindowPlan) -> Iterator[tuple[Window, NDArray[np.int64]]]:
    """Each window that spans `times` (int64 microseconds, any order) with its rows' positions; empty ones included."""
    if times.size == 0:
        return
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    for window in plan.windows(as_datetime(int(ordered[0])), as_datetime(int(ordered[-1]))):
        first, last = np.searchsorted(ordered, [as_microseconds(window.start), as_microseconds(window.end)])
        yield window, order[first:last]


def joined_means(parts: list[Mapping[WatchKey, ScoreSum]], key: WatchKey, min_rows: int) -> NDArray[np.float64]:
    """Mean scores of one watch over windows in order.

    A window of fewer than `min_rows` rows is joined to its successor. What is left over at the end is dropped, as a
    live monitor would still be waiting for it.
    """
    means = []
    gathered = ScoreSum()
    for part in parts:
        gathered = gathered + part.get(key, ScoreSum())
        if gathered.rows >= max(min_rows, 1):
            means.append(gathered.mean)
            gathered = ScoreSum()
    return np.asarray(means, dtype=np.float64)
