"""The rows of a baseline: answers and labels in memory, inputs read on demand."""

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
from typing_extensions import override

from monitoring.baseline.predictions import Predictions, inputs_from, predictions_from
from monitoring.baseline.spec import BaselineSpec
from monitoring.errors import CannotRun

#: The folder of a bundle with its baseline and schema; a table's are next to its config.
_EXTRAS = "assets.extra"


def how_to_rewrite(place: Path) -> str:
    """The fix for a missing or damaged baseline or schema.

    >>> how_to_rewrite(Path("models/flights/1/assets.extra/baseline"))
    'Export the bundle again, with a reference table.'
    >>> how_to_rewrite(Path("baseline"))
    'Write it again, from the reference table: pitfalls monitor init --force.'
    """
    if _EXTRAS in place.parts:
        return "Export the bundle again, with a reference table."
    return "Write it again, from the reference table: pitfalls monitor init --force."


def unreadable(path: Path, reason: str, expected: str) -> CannotRun:
    """The error of a baseline with a damaged file."""
    return CannotRun(
        "The baseline cannot be read.",
        got=f"{path}: {reason.splitlines()[0] if reason else 'no reason given'}",
        expected=expected,
        fix=how_to_rewrite(path),
    )


#: Cells of inputs read at once, and the bounds of a batch in rows.
BATCH_CELLS = 1 << 19
MIN_BATCH_ROWS = 1 << 10
MAX_BATCH_ROWS = 1 << 16

#: Columns read at once where few of their rows are needed.
COLUMNS = 8

#: Bytes read ahead, over all columns.
_READ_AHEAD = 1 << 22

_ANSWERS = ("prediction_id", "event_time", "probabilities", "label", "label_time")


class ReferenceRows(Protocol):
    """A baseline's rows."""

    @property
    def answers(self) -> Predictions:
        """Every row, without inputs."""

    def inputs(self, names: Sequence[str]) -> pa.Table:
        """Some inputs of every row, as in `Predictions.features`."""

    def batches(self) -> Iterator[pa.Table]:
        """Every input, in batches of rows in their order."""

    def take(self, places: NDArray[np.int64], names: Sequence[str]) -> Predictions:
        """The rows at these indices, in this order, with some inputs."""

    def whole(self) -> Predictions:
        """Every row with every input, in memory."""


class InMemoryReference(ReferenceRows):
    """Rows in memory, a `ReferenceRows`."""

    def __init__(self, rows: Predictions) -> None:
        """Rows with their inputs."""
        self._rows = rows

    @property
    @override
    def answers(self) -> Predictions:
        return self._rows

    @override
    def inputs(self, names: Sequence[str]) -> pa.Table:
        return self._rows.features.select(list(names))

    @override
    def batches(self) -> Iterator[pa.Table]:
        yield self._rows.features

    @override
    def take(self, places: NDArray[np.int64], names: Sequence[str]) -> Predictions:
        return replace(self._rows, features=self.inputs(names)).take(places)

    @override
    def whole(self) -> Predictions:
        return self._rows


class ReferenceFile(ReferenceRows):
    """Rows in the file that `write_baseline` wrote, a `ReferenceRows`. Methods raise CannotRun if it is damaged.

    Memory: some 50 bytes a row for ids, times, answers and labels, kept from the first access; of the inputs one batch
    at a time. Results do not depend on the batch size.
    """

    def __init__(self, path: Path, spec: BaselineSpec, *, rows: int | None = None) -> None:
        """Rows of a file. `rows`: rows of a batch; None for half a million cells."""
        self._path = path
        self._spec = spec
        self._rows = rows

    def check(self, rows: int) -> None:
        """Raise CannotRun unless the file has this many rows and every column."""
        with self._open() as file:
            there, names = file.metadata.num_rows, set(file.schema_arrow.names)
        needed = [*_ANSWERS, *(feature.name for feature in self._spec.features)]
        needed += [] if self._spec.embedding is None else self._spec.embedding.columns
        absent = [name for name in needed if name not in names]
        if absent or there != rows:
            reason = f"no column {', '.join(absent)}" if absent else f"{there:,} rows"
            raise unreadable(self._path, reason, f"{rows:,} rows with every column that the description names")

    @cached_property
    @override
    def answers(self) -> Predictions:
        with self._open() as file:  # `read_table` would bring Arrow's data sets, 70 MB of them
            table = file.read(columns=list(_ANSWERS), use_threads=False)
        return predictions_from(table, replace(self._spec, features=(), embedding=None))

    @override
    def inputs(self, names: Sequence[str]) -> pa.Table:
        if not names:
            return pa.table({})
        return pa.concat_tables([inputs for _, inputs in self._read(names)])

    @override
    def batches(self) -> Iterator[pa.Table]:
        for _, inputs in self._read([feature.name for feature in self._spec.features]):
            yield inputs

    def take(self, places: NDArray[np.int64], names: Sequence[str]) -> Predictions:
        """See `ReferenceRows`. Cost: one pass over the row groups with some of the rows."""
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
        """See `ReferenceRows`. Cost: all rows in memory."""
        with self._open() as file:
            return predictions_from(file.read(), self._spec)

    @contextmanager
    def _open(self, **options: Any) -> Iterator[pq.ParquetFile]:
        """The file; errors of a damaged one become CannotRun, inside the context too."""
        try:
            with pq.ParquetFile(self._path, **options) as file:
                yield file
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self._path, str(error), "the rows that were written with the baseline") from error

    def _read(self, names: Sequence[str], wanted: NDArray[np.int64] | None = None) -> Iterator[tuple[int, pa.Table]]:
        """Read some inputs in batches.

        Args:
            wanted: Sorted indices of the rows needed; row groups without any are skipped. None for all.
        """
        picked = list(names)
        with self._open() as file:
            schema = file.schema_arrow
        yield 0, inputs_from(schema.empty_table(), self._spec, picked)
        columns = max(len(picked), 1)
        rows = self._rows or min(max(BATCH_CELLS // columns, MIN_BATCH_ROWS), MAX_BATCH_ROWS)
        ahead = min(max(_READ_AHEAD // columns, 1 << 12), 1 << 20)
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
