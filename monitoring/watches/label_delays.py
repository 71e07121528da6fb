"""Label delays: counts by delay, which add up over windows to an arrival curve."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

#: Upper ends of the bins of delay, in seconds, each included; a last bin holds longer delays.
EDGES: tuple[int, ...] = (
    *(_MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * n for n in (1, 2, 3, 4, 6, 8, 12, 18)),
    *(_DAY * n for n in (1, 2, 3, 4, 5, 7, 10, 14, 21, 30, 60, 90)),
)


def delay_counts(event_times: NDArray[np.int64], label_times: NDArray[np.int64]) -> tuple[int, ...]:
    """Labels by delay. A label from before its event has delay 0.

    Args:
        event_times: int64 [n], microseconds.
        label_times: int64 [n], microseconds.

    Returns:
        One count for each of `EDGES` and one for longer delays; empty without labels.

    >>> counts = delay_counts(np.array([0, 0, 0]), np.array([60_000_000, 61_000_000, 10**15]))
    >>> counts[0], counts[1], counts[-1], sum(counts)
    (1, 1, 1, 3)
    """
    if not event_times.size:
        return ()
    bins = np.searchsorted(np.asarray(EDGES, dtype=np.int64) * 1_000_000, label_times - event_times, side="left")
    return tuple(int(count) for count in np.bincount(bins, minlength=len(EDGES) + 1))


def merged_counts(counts: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """The counts of several windows together. Returns their sum; empty if no window has labels.

    >>> merged_counts([(1, 2), (), (3, 4)])
    (4, 6)
    """
    non_empty = [count for count in counts if count]
    return tuple(sum(column) for column in zip(*non_empty, strict=True)) if non_empty else ()


def arrival_curve(counts: tuple[int, ...]) -> tuple[tuple[int, float], ...]:
    """Each edge, in seconds, and the share of the labels with at most that delay.

    Shares are of the labels that arrived. The curve ends at the first edge that includes all of them.

    >>> arrival_curve((1, 0, 3) + (0,) * (len(EDGES) - 2))
    ((60, 0.25), (120, 0.25), (300, 1.0))
    """
    total = sum(counts)
    if not total:
        return ()
    shares = [below / total for below in accumulate(counts)][: len(EDGES)]
    last = next((place for place, share in enumerate(shares) if share >= 1.0), len(shares) - 1)
    return tuple(zip(EDGES[: last + 1], shares[: last + 1], strict=True))


def delay_quantile(counts: tuple[int, ...], share: float) -> int | None:
    """A quantile of label delays.

    Args:
        share: A share of the labels, in [0, 1].

    Returns:
        The first edge, in seconds, that includes this share; None where there is none.

    >>> delay_quantile((1, 0, 3) + (0,) * (len(EDGES) - 2), 0.5)
    300
    """
    return next((edge for edge, reached in arrival_curve(counts) if reached >= share), None)
