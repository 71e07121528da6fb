"""Bounded samples of rows that depend on event times and ids alone, so that order and sharding do not matter."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch
from monitoring.baseline.predictions import Predictions
from monitoring.traffic.id_keys import id_keys, mixed


def sample_indices(predictions: Predictions, most: int) -> NDArray[np.int64]:
    """The indices of at most `most` rows, those with the smallest hashes of event time and id.

    Each row is as likely as any other, however many share an event time, and however ids are written. Cost: some 100 ns
    a row.

    Returns:
        Sorted indices, int64 [min(n, most)].
    """
    if len(predictions) <= most:
        return np.arange(len(predictions))
    hashes = sample_hashes(predictions)
    last = np.partition(hashes, most - 1)[most - 1]
    inside = np.flatnonzero(hashes < last)
    tied = np.flatnonzero(hashes == last)
    order = pc.sort_indices(predictions.ids.take(pa.array(tied))).to_numpy(zero_copy_only=False)
    return np.sort(np.concatenate([inside, tied[order[: most - inside.size]]]))


def sample_hashes(rows: Predictions | Batch) -> NDArray[np.uint64]:
    """By which rows are drawn, uint64 [n]."""
    ids = rows.ids if isinstance(rows, Predictions) else rows.ids(np.arange(len(rows)))
    return mixed(mixed(rows.event_times.astype(np.uint64)) + id_keys(ids).view(np.uint64))
