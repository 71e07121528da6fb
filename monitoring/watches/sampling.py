"""Bounded samples of rows that depend on event times and ids alone, so that order and sharding do not matter."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions

Whole = NDArray[np.int64]


def sample_indices(predictions: Predictions, most: int) -> Whole:
    """The indices of at most `most` rows, those with the smallest hashes of their event times, then of their ids.

    Cost: a few operations a row; where many rows share one event time, a sort of their ids.

    Returns:
        Sorted indices, int64 [min(n, most)].
    """
    if len(predictions) <= most:
        return np.arange(len(predictions))
    keys = splitmix64(predictions.event_times)
    last = np.partition(keys, most - 1)[most - 1]
    inside = np.flatnonzero(keys < last)
    tied = np.flatnonzero(keys == last)
    order = pc.sort_indices(predictions.ids.take(pa.array(tied))).to_numpy(zero_copy_only=False)
    return np.sort(np.concatenate([inside, tied[order[: most - inside.size]]]))


def splitmix64(values: Whole) -> NDArray[np.uint64]:
    """A hash of each integer: the finaliser of SplitMix64 (Steele, Lea & Flood, 2014).

    Returns:
        Hashes, uint64 [n]; different for different values.

    >>> splitmix64(np.array([0, 1])).tolist()
    [0, 6238072747940578789]
    """
    hashes = values.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(31))
