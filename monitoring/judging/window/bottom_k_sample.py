"""A bounded sample of a window's rows that depends on their event times and ids alone, collected batch by batch."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch, joined
from monitoring.baseline.predictions import Predictions
from monitoring.watches.joint import SAMPLE
from monitoring.watches.sampling import sample_indices

#: Candidates collected before they are converted to their final types and reduced to the sample.
MAX_CANDIDATES = 2 * SAMPLE


class BottomKSample:
    """The `SAMPLE` rows that `monitoring.watches.sampling.sample_indices` chooses of any number, in any batches.

    Memory: at most `MAX_CANDIDATES` rows and one batch. Cost: a comparison per row, and the columns of candidates, of
    which the k-th batch has about `SAMPLE` / k.
    """

    def __init__(self) -> None:
        self._sample: tuple[Predictions, ...] = ()
        self._candidates: tuple[Batch, ...] = ()
        self._smallest = np.zeros(0, dtype=np.uint64)  # the hashes of the rows sampled so far

    def copy(self) -> BottomKSample:
        """Another sample of the rows so far."""
        copied = BottomKSample()
        copied._sample, copied._candidates, copied._smallest = self._sample, self._candidates, self._smallest
        return copied

    def add(self, batch: Batch, hashes: NDArray[np.uint64], inside: NDArray[np.bool_] | None) -> None:
        """Add rows.

        Args:
            hashes: `monitoring.watches.sampling.sample_hashes` of them, [n].
            inside: Which of them to add, [n]; None for all.
        """
        if self._smallest.size == SAMPLE:
            small = hashes <= self._smallest.max()
            indices = np.flatnonzero(small if inside is None else small & inside)
        elif len(batch) > SAMPLE:
            row_hashes = hashes if inside is None else np.where(inside, hashes, np.iinfo(np.uint64).max)
            indices = np.flatnonzero(row_hashes <= np.partition(row_hashes, SAMPLE - 1)[SAMPLE - 1])
            indices = indices if inside is None else indices[inside[indices]]
        else:
            indices = np.arange(len(batch)) if inside is None else np.flatnonzero(inside)
        if not indices.size:
            return
        self._candidates += (batch.select(indices),)
        smallest = np.concatenate([self._smallest, hashes[indices]])
        self._smallest = np.partition(smallest, SAMPLE - 1)[:SAMPLE] if smallest.size > SAMPLE else smallest
        if sum(len(some) for some in self._candidates) >= MAX_CANDIDATES:
            self._reduce()

    def rows(self, empty: Predictions) -> Predictions:
        """The sampled rows, in order of event time and id, whatever the order they came in; `empty` without any."""
        self._reduce()
        return in_order(self._sample[0]) if self._sample else empty

    def _reduce(self) -> None:
        """Reduce the candidates to the sample. Those with inputs of the same types are converted together."""
        parts = [
            Batch.joined(tuple(some)) for _, some in groupby(self._candidates, lambda batch: batch.features.schema)
        ]
        pieces = [*self._sample, *(part.take(np.arange(len(part))) for part in parts)]
        if pieces:
            rows = joined(pieces)
            self._sample = (rows.take(sample_indices(rows, SAMPLE)),)
        self._candidates = ()


def in_order(rows: Predictions) -> Predictions:
    """Rows in order of event time, and of one time by their ids."""
    keys = pa.table({"time": rows.event_times, "id": rows.ids})
    return rows.take(pc.sort_indices(keys, [("time", "ascending"), ("id", "ascending")]).to_numpy())


def sample_of_both(some: Predictions, others: Predictions) -> Predictions:
    """The sample of all rows of which two samples are, in the same order."""
    if not len(some) or not len(others):
        return some if len(some) else others
    rows = joined([some, others])
    return in_order(rows.take(sample_indices(rows, SAMPLE)))
