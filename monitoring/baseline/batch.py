"""Batches: rows of a window as they stream through the monitor, read, counted and dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions

#: Rows of a batch: few enough that every column stays in the processor's cache.
ROWS = 1 << 16

#: Bytes of a window's rows, at most, that are held in memory once they are read.
HELD_BYTES = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """n answered predictions as their file has them, with fewer conversions than `Predictions`.

    `features` has one column per input: numbers of any width with null or NaN for missing, text plain or dictionary
    encoded. `ids` returns the ids of the rows at some indices, since few callers need them. The rest is as in
    `Predictions`; labels are those in the rows' own table.
    """

    event_times: NDArray[np.int64]
    features: pa.Table
    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    label_times: NDArray[np.int64]
    ids: Callable[[NDArray[np.int64]], pa.Array]

    def __len__(self) -> int:
        return int(self.event_times.size)

    @property
    def nbytes(self) -> int:
        """About how many bytes its rows take in memory, without their ids."""
        return int(self.features.nbytes + self.probabilities.nbytes + 3 * self.event_times.nbytes)

    @classmethod
    def of(cls, rows: Predictions) -> Batch:
        """All rows of some predictions; nothing is copied."""
        return cls(
            event_times=rows.event_times,
            features=rows.features,
            probabilities=rows.probabilities,
            labels=rows.labels,
            label_times=rows.label_times,
            ids=lambda places: rows.ids.take(pa.array(places)),
        )

    @classmethod
    def joined(cls, parts: tuple[Batch, ...]) -> Batch:
        """Batches one after the other, at least one, with inputs of the same types."""
        if len(parts) == 1:
            return parts[0]
        ids = pa.concat_arrays([part.ids(np.arange(len(part))) for part in parts])
        return cls(
            event_times=np.concatenate([part.event_times for part in parts]),
            features=pa.concat_tables([part.features for part in parts]),
            probabilities=np.concatenate([part.probabilities for part in parts]),
            labels=np.concatenate([part.labels for part in parts]),
            label_times=np.concatenate([part.label_times for part in parts]),
            ids=lambda places: ids.take(pa.array(places)),
        )

    def select(self, places: NDArray[np.int64]) -> Batch:
        """The rows at some indices, unconverted; the other rows can be freed."""
        ids = self.ids(places)
        return Batch(
            event_times=self.event_times[places],
            features=self.features.take(pa.array(places)),
            probabilities=self.probabilities[places],
            labels=self.labels[places],
            label_times=self.label_times[places],
            ids=lambda wanted: ids.take(pa.array(wanted)),
        )

    def take(self, places: NDArray[np.int64]) -> Predictions:
        """The rows at some indices as predictions, every column in its final type."""
        return Predictions(
            ids=self.ids(places).cast(pa.string()),
            event_times=self.event_times[places],
            features=final(self.features.take(pa.array(places))),
            probabilities=self.probabilities[places],
            labels=self.labels[places],
            label_times=self.label_times[places],
        )


class HeldRows:
    """The batches of a pass over some rows, which are held if all of them take few bytes.

    Attributes:
        batches: The batches so far; None once they take more than `HELD_BYTES`.
    """

    def __init__(self) -> None:
        """Holds nothing yet."""
        self.batches: tuple[Batch, ...] | None = ()
        self._nbytes = 0

    def add(self, batch: Batch) -> None:
        """Hold one more batch, if they are few still."""
        self._nbytes += batch.nbytes
        self.batches = None if self.batches is None or self._nbytes > HELD_BYTES else (*self.batches, batch)


def final(features: pa.Table) -> pa.Table:
    """Numbers as float64 with NaN for missing, words as strings."""
    columns: dict[str, pa.Array] = {}
    for name, column in zip(features.column_names, features.columns, strict=True):
        whole = column.combine_chunks()
        if pa.types.is_dictionary(whole.type):
            whole = whole.dictionary_decode()
        if pa.types.is_integer(whole.type) or pa.types.is_floating(whole.type):
            whole = pc.fill_null(whole.cast(pa.float64(), safe=False), float("nan"))
        columns[name] = whole
    return pa.table(columns)


def in_batches(rows: Predictions) -> Iterator[Batch]:
    """Predictions in batches, in their order; nothing is copied."""
    for first in range(0, len(rows), ROWS):
        part = slice(first, first + ROWS)
        yield Batch.of(
            replace(
                rows,
                ids=rows.ids[part],
                event_times=rows.event_times[part],
                features=rows.features.slice(first, ROWS),
                probabilities=rows.probabilities[part],
                labels=rows.labels[part],
                label_times=rows.label_times[part],
            )
        )


def joined(parts: Iterable[Predictions]) -> Predictions:
    """Predictions one after the other; there is at least one part."""
    batches = list(parts)
    if len(batches) == 1:
        return batches[0]
    return Predictions(
        ids=pa.concat_arrays([part.ids for part in batches]),
        event_times=np.concatenate([part.event_times for part in batches]),
        features=pa.concat_tables([part.features for part in batches]),
        probabilities=np.concatenate([part.probabilities for part in batches]),
        labels=np.concatenate([part.labels for part in batches]),
        label_times=np.concatenate([part.label_times for part in batches]),
    )
