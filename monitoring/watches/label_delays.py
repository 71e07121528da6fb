"""How long labels take: counts by delay, which add up over windows to an arrival curve."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

#: Upper ends of the classes of delay, in seconds, each included; a last class holds what took longer.
EDGES: tuple[int, ...] = (
    *(_MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * n for n in (1, 2, 3, 4, 6, 8, 12, 18)),
    *(_DAY * n for n in (1, 2, 3, 4, 5, 7, 10, 14, 21, 30, 60, 90)),
)


def delay_counts(event_times: NDArray[np.int64], label_times: NDArray[np.int64]) -> tuple[int, ...]:
    """Labels by delay, one count for each of `EDGES` and one for longer ones; both times int64 [n] in microseconds.

    A label from before its event took no time. No labels, no counts: the empty tuple.

    >>> counts = delay_counts(np.array([0, 0, 0]), np.array([60_000_000, 61_000_000, 10**15]))
    >>> counts[0], counts[1], counts[-1], sum(counts)
    (1, 1, 1, 3)
    """
    if not event_times.size:
        return ()
    places = np.searchsorted(np.asarray(EDGES, dtype=np.int64) * 1_000_000, label_times - event_times, side="left")
    return tuple(int(count) for count in np.bincount(places, minlength=len(EDGES) + 1))


def added(counts: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Counts of several windows together; windows without labels add nothing."""
    known = [one for one in counts if one]
    return tuple(sum(column) for column in zip(*known, strict=True)) if known else ()


def arrival_curve(counts: tuple[int, ...]) -> tuple[tuple[int, float], ...]:
    """Each edge, in seconds, and the share of the labels that came within it; empty where none came.

    Of the labels that came: those that never do are told by the labels due. The curve ends at the first edge that
    all are within.

    >>> arrival_curve((1, 0, 3) + (0,) * (len(EDGES) - 2))
    ((60, 0.25), (120, 0.25), (300, 1.0))
    """
    total = sum(counts)
    if not total:
        return ()
    shares = [below / total for below in accumulate(counts)][: len(EDGES)]
    last = next((place for place, share in enumerate(shares) if share >= 1.0), len(shares) - 1)
    return tuple(zip(EDGES[: last + 1], shares[: last + 1], strict=True))


def within(counts: tuple[int, ...], share: float) -> int | None:
    """The first edge, in seconds, that this share of the labels came within; None where there is none."""
    return next((edge for edge, reached in arrival_curve(counts) if reached >= share), None)
