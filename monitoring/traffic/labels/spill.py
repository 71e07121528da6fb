"""Labels that are too many for memory: on disk, read again by their places, or in order of their time."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.errors import CannotRun

#: Rows that are in memory at once.
AT_ONCE = 1 << 17

Whole = NDArray[np.int64]

#: Where some rows lie in a file: their first byte, and how many bytes they take.
_Span: TypeAlias = tuple[int, int]


class _SpillFile:
    """Rows in a file without a name, which goes with this object."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._size = 0
        try:
            self._file = tempfile.TemporaryFile(prefix="pitfalls-")  # noqa: SIM115 - closed with this object
        except OSError as error:
            raise _no_room(error) from error
        weakref.finalize(self, self._file.close)

    def write(self, rows: pa.Table) -> _Span:
        """Append one row or more."""
        data = rows.combine_chunks().to_batches()[0].serialize()
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise _no_room(error) from error
        span = self._size, data.size
        self._size += data.size
        return span

    def read(self, span: _Span) -> pa.Table:
        """The rows that were written there."""
        offset, size = span
        data = pa.py_buffer(os.pread(self._file.fileno(), size, offset))
        return pa.Table.from_batches([pa.ipc.read_record_batch(data, self._schema)])


class StoredRows:
    """Rows that are appended and read by their places. Memory: `AT_ONCE` of them; the others are on disk."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._last = schema.empty_table()
        self._spans: list[_Span] = []
        self._file: _SpillFile | None = None

    def append(self, rows: pa.Table) -> None:
        """Append rows of the schema.

        Raises:
            CannotRun: the folder for temporary files has no room.
        """
        last = pa.concat_tables([self._last, rows])
        while last.num_rows >= AT_ONCE:
            self._file = self._file or _SpillFile(self._schema)
            self._spans.append(self._file.write(last.slice(0, AT_ONCE)))
            last = last.slice(AT_ONCE)
            if last.num_rows < AT_ONCE:
                last = last.take(pa.array(np.arange(last.num_rows)))  # a copy, that does not hold the others in memory
        self._last = last

    def __iter__(self) -> Iterator[pa.Table]:
        yield from map(self._part, range(len(self._spans) + 1))

    def take(self, places: Whole) -> pa.Table:
        """The rows at some places, in the order of these."""
        numbers = places // AT_ONCE
        order = np.argsort(numbers, kind="stable")
        parts = (
            self._part(number).take(pa.array(places[numbers == number] - number * AT_ONCE))
            for number in np.unique(numbers).tolist()
        )
        return pa.concat_tables([self._schema.empty_table(), *parts]).take(pa.array(np.argsort(order, kind="stable")))

    def _part(self, number: int) -> pa.Table:
        if self._file is None or number == len(self._spans):
            return self._last
        return self._file.read(self._spans[number])


class LabelsInOrder:
    """Labels that are added in any order, and read in that of their `label_time`; those of one time as they were added.

    Memory: 20 bytes a label, and twice `AT_ONCE` of them.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._labels = StoredRows(schema)
        self._times: list[Whole] = []

    def add(self, labels: pa.Table) -> None:
        """Add labels, all of which have a time. Raises as `StoredRows.append`."""
        self._labels.append(labels)
        self._times.append(_times(labels))

    def __iter__(self) -> Iterator[pa.Table]:
        """Yields: Some `AT_ONCE` labels each, of the first times first."""
        times = np.concatenate([np.zeros(0, np.int64), *self._times])
        if times.size < AT_ONCE:
            yield from (_by_time(labels) for labels in self._labels)
            return
        numbers = np.empty(times.size, np.int32)
        numbers[np.argsort(times, kind="stable")] = np.arange(times.size) // AT_ONCE
        del times
        file, first = _SpillFile(self._schema), 0
        spans: list[list[_Span]] = [[] for _ in range(int(numbers.max()) + 1)]
        for part in self._labels:
            of_part = numbers[first : first + part.num_rows]
            first += part.num_rows
            order = np.argsort(of_part, kind="stable")
            sorted_part = part.take(pa.array(order))
            found, firsts = np.unique(of_part[order], return_index=True)
            for number, rows in zip(found.tolist(), np.diff(firsts, append=order.size).tolist(), strict=True):
                spans[number].append(file.write(sorted_part.slice(0, rows)))
                sorted_part = sorted_part.slice(rows)
        for some in spans:
            yield _by_time(pa.concat_tables(map(file.read, some)))


def _by_time(labels: pa.Table) -> pa.Table:
    return labels.take(pa.array(np.argsort(_times(labels), kind="stable")))


def _times(labels: pa.Table) -> Whole:
    times: Whole = labels["label_time"].cast(pa.int64()).to_numpy()
    return times


def _no_room(error: OSError) -> CannotRun:
    return CannotRun(
        "Labels cannot be put in order.",
        got=f"{tempfile.gettempdir()}: {error.strerror or error}",
        expected="a folder for temporary files with room for all new labels, twice",
        fix="Free space there, or name another folder in the variable TMPDIR; nothing was judged.",
    )
