"""The rows of a baseline: answers and labels of all of them, inputs as far as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.baseline.baseline_errors import damaged
from monitoring.baseline.predictions import Predictions, inputs_from, predictions_from
from monitoring.baseline.spec import BaselineSpec

#: Cells of inputs that are read at once, in batches of so many rows at least and at most.
CELLS = 1 << 19
FEWEST_ROWS = 1 << 10
MOST_ROWS = 1 << 16

#: Columns that are read at once where few of their rows are wanted.
COLUMNS = 8

#: Bytes that are read ahead of all columns together.
_AHEAD = 1 << 22

_ANSWERS = ("prediction_id", "event_time", "probabilities", "label", "label_time")


class ReferenceRows(Protocol):
    """A baseline's rows."""

    @property
    def answers(self) -> Predictions:
        """Every row, without an input."""

    def inputs(self, names: Sequence[str]) -> pa.Table:
        """Some inputs of every row, as `Predictions.features` has them."""

    def batches(self) -> Iterator[pa.Table]:
        """Every input, some rows at a time, in their order."""

    def taken(self, places: NDArray[np.int64], names: Sequence[str]) -> Predictions:
        """The rows at those places, in that order, with some inputs."""

    def whole(self) -> Predictions:
        """Every row with every input, in memory."""


class InMemoryReference:
    """Rows in memory. A `ReferenceRows`."""

    def __init__(self, rows: Predictions) -> None:
        self._rows = rows

    @property
    def answers(self) -> Predictions:
        """See `ReferenceRows`."""
        return self._rows

    def inputs(self, names: Sequence[str]) -> pa.Table:
        """See `ReferenceRows`."""
        return self._rows.features.select(list(names))

    def batches(self) -> Iterator[pa.Table]:
        """See `ReferenceRows`."""
        yield self._rows.features

    def taken(self, places: NDArray[np.int64], names: Sequence[str]) -> Predictions:
        """See `ReferenceRows`."""
        return replace(self._rows, features=self.inputs(names)).take(places)

    def whole(self) -> Predictions:
        """See `ReferenceRows`."""
        return self._rows


class ReferenceFile:
    """Rows in the file that `write_baseline` wrote. A `ReferenceRows`.

    Raises CannotRun where it is damaged.

    Memory: some 50 bytes a row for ids, times, answers and labels, kept from when they are first asked for; of the
    inputs `rows` at a time, by default half a million cells. What is made of them is the same whatever `rows` is.
    """

    def __init__(self, path: Path, spec: BaselineSpec, *, rows: int | None = None) -> None:
        self._path = path
        self._spec = spec
        self._rows = rows

    def check(self, rows: int) -> None:
        """Raises CannotRun unless the file holds so many rows, and every column that it should have."""
        with self._open() as file:
            there, names = file.metadata.num_rows, set(file.schema_arrow.names)
        needed = [*_ANSWERS, *(feature.name for feature in self._spec.features)]
        needed += [] if self._spec.embedding is None else self._spec.embedding.columns
        absent = [name for name in needed if name not in names]
        if absent or there != rows:
            reason = f"no column {', '.join(absent)}" if absent else f"{there:,} rows"
            raise damaged(self._path, reason, f"{rows:,} rows with every column that the description names")

    @cached_property
    def answers(self) -> Predictions:
        """See `ReferenceRows`."""
        with self._open() as file:  # `read_table` would bring Arrow's data sets, 70 MB of them
            table = file.read(columns=list(_ANSWERS), use_threads=False)
        return predictions_from(table, replace(self._spec, features=(), embedding=None))

    def inputs(self, names: Sequence[str]) -> pa.Table:
        """See `ReferenceRows`."""
        if not names:
            return pa.table({})
        return pa.concat_tables([inputs for _, inputs in self._read(names)])

    def batches(self) -> Iterator[pa.Table]:
        """See `ReferenceRows`."""
        for _, inputs in self._read([feature.name for feature in self._spec.features]):
            yield inputs

    def taken(self, places: NDArray[np.int64], names: Sequence[str]) -> Predictions:
        """See `ReferenceRows`. Cost: one pass over the row groups that hold some of them."""
        ordered, back = np.unique(places, return_inverse=True)
        columns: dict[str, pa.ChunkedArray] = {}
        for at in range(0, len(names), COLUMNS):
            some = names[at : at + COLUMNS]
            parts = []
            for first, inputs in self._read(some, ordered):
                begin, end = np.searchsorted(ordered, [first, first + inputs.num_rows])
                parts.append(inputs.take(pa.array(ordered[begin:end] - first)))
            columns |= dict(zip(some, pa.concat_tables(parts).take(pa.array(back)).columns, strict=True))
        return replace(self.answers.take(places), features=pa.table(columns))

    def whole(self) -> Predictions:
        """See `ReferenceRows`. Cost: all of the rows in memory."""
        with self._open() as file:
            return predictions_from(file.read(), self._spec)

    @contextmanager
    def _open(self, **options: Any) -> Iterator[pq.ParquetFile]:
        """The file. Raises CannotRun, here or from what is done with it, where it is damaged."""
        try:
            with pq.ParquetFile(self._path, **options) as file:
                yield file
        except (OSError, pa.ArrowException) as error:
            raise damaged(self._path, str(error), "the rows that were written with the baseline") from error

    def _read(self, names: Sequence[str], wanted: NDArray[np.int64] | None = None) -> Iterator[tuple[int, pa.Table]]:
        """Batches of some inputs, each with the place of its first row; the first has no row, for what columns hold.

        Row groups without one of the `wanted` places (sorted) are passed over.
        """
        picked = list(names)
        with self._open() as file:
            schema = file.schema_arrow
        yield 0, inputs_from(schema.empty_table(), self._spec, picked)
        columns = max(len(picked), 1)
        rows = self._rows or min(max(CELLS // columns, FEWEST_ROWS), MOST_ROWS)
        ahead = min(max(_AHEAD // columns, 1 << 12), 1 << 20)
        with self._open(pre_buffer=False, buffer_size=ahead) as file:
            first = 0
            for group in range(file.metadata.num_row_groups):
                length = file.metadata.row_group(group).num_rows
                if wanted is not None and np.searchsorted(wanted, first) == np.searchsorted(wanted, first + length):
                    first += length
                    continue
                for batch in file.iter_batches(rows, row_groups=[group], columns=picked, use_threads=False):
                    yield first, inputs_from(pa.Table.from_batches([batch]), self._spec, picked)
                    first += batch.num_rows
        pa.default_memory_pool().release_unused()
