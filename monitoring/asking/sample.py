"""A uniform sample of rows by a hash of a seed and their ids, whatever the order and the batches they come in."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.traffic.id_keys import id_keys, mixed


class UniformSample:
    """So many rows of all, each set of that many as likely as any other: those with the smallest hashes.

    Memory: the rows of the sample and a batch. Cost: some 100 ns a row.

    Args:
        most: How many rows are drawn, if there are as many.
        seed: Another seed draws others, from 0 to 2^63 - 1.

    >>> sample = UniformSample(2, seed=7)
    >>> sample.add(pa.array(["a", "b", "c"]), np.array([1, 2, 3]))
    >>> len(sample.ids), sample.rows, round(sample.probability, 3)
    (2, 3, 0.667)
    """

    def __init__(self, most: int, *, seed: int) -> None:
        self._most = most
        self._key = mixed(np.array([seed], dtype=np.uint64))
        self._rows = pa.table({"hash": pa.nulls(0, pa.uint64()), "id": pa.nulls(0, pa.string()), "time": _times(())})
        self.rows = 0
        """How many rows there were."""

    def add(self, ids: pa.Array, event_times: NDArray[np.int64]) -> None:
        """Add a batch: ids [n], and event times in microseconds, int64 [n]; each row once."""
        self.rows += len(ids)
        hashes = mixed(mixed(id_keys(ids).view(np.uint64) ^ self._key) + self._key)
        batch = pa.table({"hash": hashes, "id": ids.cast(pa.string()), "time": _times(event_times)})
        if hashes.size > self._most:
            last = np.partition(hashes, max(self._most - 1, 0))[max(self._most - 1, 0)]
            batch = batch.filter(pa.array(hashes <= last))
        both = pa.concat_tables([self._rows, batch])
        self._rows = both.sort_by([("hash", "ascending"), ("id", "ascending")]).slice(0, self._most)

    @property
    def probability(self) -> float:
        """With which each row was drawn; 1 without rows."""
        return min(self._most / self.rows, 1.0) if self.rows else 1.0

    @property
    def ids(self) -> pa.Array:
        """The ids of the rows that were drawn, in order of event time and id."""
        return self._in_order["id"].combine_chunks()

    @property
    def event_times(self) -> NDArray[np.int64]:
        """Their event times, int64 [n]."""
        return np.asarray(self._in_order["time"], dtype=np.int64)

    @property
    def _in_order(self) -> pa.Table:
        return self._rows.sort_by([("time", "ascending"), ("id", "ascending")])


def _times(times: NDArray[np.int64] | tuple[()]) -> pa.Array:
    return pa.array(np.asarray(times, dtype=np.int64))


def labels_due(first: date, last: date, labels: int, days: int) -> int:
    """How many labels a budget allows from one day until another, which is not part of it.

    Over days that follow each other the numbers add up to what the budget allows of them all.

    >>> labels_due(date(2026, 3, 2), date(2026, 3, 9), 50, 7), labels_due(date(2026, 3, 2), date(2026, 3, 3), 50, 7)
    (50, 7)

    Args:
        labels: The labels of the budget, in so many days.
    """
    return labels * last.toordinal() // days - labels * first.toordinal() // days
