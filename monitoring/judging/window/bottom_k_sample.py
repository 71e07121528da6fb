"""A few rows of many, chosen by their times and ids alone, batch by batch."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch, joined
from monitoring.baseline.predictions import Predictions
from monitoring.watches.joint import SAMPLE
from monitoring.watches.sampling import sample_indices

#: Rows that wait as they came, before they are brought into their final types and the most of them dropped.
WAITING = 2 * SAMPLE


class BottomKSample:
    """At most 512 of any number of rows: those that `monitoring.watches.sampling.sample_indices` chooses of all.

    Memory: some 1,024 rows and what one batch brings. Cost: a comparison a row, and the columns of the rows that may
    be chosen, of which the k-th batch brings some 512 / k.
    """

    def __init__(self) -> None:
        self._kept: tuple[Predictions, ...] = ()
        self._waiting: tuple[Batch, ...] = ()
        self._lowest = np.zeros(0, dtype=np.uint64)  # the keys of the rows chosen so far

    def copy(self) -> BottomKSample:
        """Another with the same rows so far."""
        found = BottomKSample()
        found._kept, found._waiting, found._lowest = self._kept, self._waiting, self._lowest
        return found

    def add(self, batch: Batch, keys: NDArray[np.uint64], inside: NDArray[np.bool_] | None) -> None:
        """Some more rows, those where `inside` is true; `keys` uint64 [n] are what rows are chosen by."""
        if self._lowest.size == SAMPLE:
            near = keys <= self._lowest.max()
            places = np.flatnonzero(near if inside is None else near & inside)
        elif len(batch) > SAMPLE:
            own = keys if inside is None else np.where(inside, keys, np.iinfo(np.uint64).max)
            places = np.flatnonzero(own <= np.partition(own, SAMPLE - 1)[SAMPLE - 1])
            places = places if inside is None else places[inside[places]]
        else:
            places = np.arange(len(batch)) if inside is None else np.flatnonzero(inside)
        if not places.size:
            return
        self._waiting += (batch.select(places),)
        lowest = np.concatenate([self._lowest, keys[places]])
        self._lowest = np.partition(lowest, SAMPLE - 1)[:SAMPLE] if lowest.size > SAMPLE else lowest
        if sum(len(some) for some in self._waiting) >= WAITING:
            self._settle()

    def rows(self, empty: Predictions) -> Predictions:
        """The rows chosen."""
        self._settle()
        return self._kept[0] if self._kept else empty

    def _settle(self) -> None:
        """Choose among those that wait; what came in the same types is converted at once."""
        alike = [Batch.joined(tuple(some)) for _, some in groupby(self._waiting, lambda one: one.features.schema)]
        found = [*self._kept, *(some.take(np.arange(len(some))) for some in alike)]
        if found:
            rows = joined(found)
            self._kept = (rows.take(sample_indices(rows, SAMPLE)),)
        self._waiting = ()
