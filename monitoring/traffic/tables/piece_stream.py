"""A piece of a table batch by batch: what `read_rows` makes of it, and never the whole of it in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.records import Finding
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import ParquetPiece, Piece, RawRows, once, unreadable
from monitoring.traffic.tables.rows import (
    answers,
    event_times,
    identities,
    label_words,
    no_answers,
    own_times,
    read_input,
    strangers,
    undated,
)
from monitoring.traffic.tables.values import Moments, is_text, readable

#: Rows read at once.
ROWS = 1 << 16

#: Bytes of a file that are read ahead for each of its columns.
_AHEAD = 1 << 17

_PLAIN = ("float", "double", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreamedRows:
    """n rows of a piece that follow each other, from place `first` in it.

    `inputs` has a column for each input: numbers of any width with null or NaN for missing, words plain or as a
    dictionary; `probabilities` [n, classes], NaN where an answer cannot be used; `labels` dictionary-encoded words
    [n], and `own` [n] where a label has a time of its own, later than its row's. `ids` [n] are there where the table
    gives any.
    """

    first: int
    times: Moments
    inputs: pa.Table
    probabilities: NDArray[np.float64]
    labels: pa.DictionaryArray
    own: NDArray[np.bool_] | None
    ids: pa.Array | None

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(slots=True)
class Stream:
    """One piece on its way; what was wrong with it is known once it has gone through."""

    piece: ParquetPiece
    columns: TableColumns
    problems: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    undated: int = 0

    def rows(self) -> Iterator[StreamedRows]:
        """All of its rows. Raises CannotRun if the file cannot be read."""
        names = {*self.columns.inputs, *self.columns.mapped}
        schema = schema_of(self.piece)
        coded = {name for name, kind in self.columns.inputs.items() if kind == "category"}
        rows = unanswered = self.undated = 0
        facts: tuple[Finding, ...] = ()
        for first, raw in raw_batches(self.piece, names, coded):
            values, bad, facts = answers(raw, self.columns)
            unanswered += bad
            yield self._row(raw, values, first)
            rows += raw.table.num_rows
        if rows:
            facts = facts or no_answers(self.columns, rows, unanswered)
        self.findings = (*facts, *strangers(once(schema.empty_table(), None), self.columns))

    def _row(self, raw: RawRows, values: NDArray[np.float64], first: int) -> StreamedRows:
        there = raw.columns()
        inputs: dict[str, pa.Array] = {}
        for name, kind in self.columns.inputs.items():
            given = there.get(name)
            inputs[name], problem = _input(raw, given, number=kind == "number", known=self.columns.known.get(name, ""))
            if problem:
                self.problems[name] = problem
        times = event_times(raw, self.columns)
        labels = label_words(raw, self.columns)
        own = None
        if self.columns.label_time in there:
            known = own_times(raw, self.columns)
            own = known.valid & (known.us > times.us)
            self.undated += int(undated(raw, self.columns, labels, known).sum())
        return StreamedRows(
            first=first,
            times=times,
            inputs=pa.table(inputs),
            probabilities=values,
            labels=labels,
            own=own,
            ids=identities(self.piece, raw, self.columns, first) if self.columns.prediction_id in there else None,
        )


def schema_of(piece: ParquetPiece) -> pa.Schema:
    """The columns of its file. Raises CannotRun if it cannot be read."""
    try:
        return pq.read_schema(piece.path)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(piece.path, str(error)) from error


def raw_batches(
    piece: ParquetPiece, names: Collection[str], coded: Collection[str] = ()
) -> Iterator[tuple[int, RawRows]]:
    """Some columns of a piece, those that it has, batch by batch, each with the place in it of its first row.

    Text of the columns `coded` stays a dictionary. Raises CannotRun if the file cannot be read.
    """
    schema = schema_of(piece)
    there = [name for name in dict.fromkeys(schema.names) if name in names]
    words = [name for name in there if name in coded and is_text(schema.field(schema.get_field_index(name)).type)]
    first = 0
    try:
        with pq.ParquetFile(piece.path, pre_buffer=False, buffer_size=_AHEAD, read_dictionary=words) as file:
            for batch in file.iter_batches(batch_size=ROWS, row_groups=[piece.group], columns=there, use_threads=False):
                yield first, once(pa.Table.from_batches([batch]), None)
                first += batch.num_rows
    except (OSError, pa.ArrowException) as error:
        raise unreadable(piece.path, str(error)) from error


def streamable(piece: Piece, columns: TableColumns) -> bool:
    """Whether each cell of a piece can be read without the others of its column: in Parquet, but for words from floats.

    A float is a word in one way where all of its column are whole numbers, and in another where they are not. So ids
    have to be text or whole numbers.
    """
    if not isinstance(piece, ParquetPiece):
        return False
    schema = schema_of(piece)
    kinds = dict(zip(reversed(schema.names), reversed(schema.types), strict=True))
    for name, kind in columns.inputs.items():
        found = kinds.get(name)
        if found is not None and pa.types.is_dictionary(found):
            found = found.value_type
        if kind == "category" and found is not None and pa.types.is_floating(found):
            return False
    ids = kinds.get(columns.prediction_id)
    ids = ids.value_type if ids is not None and pa.types.is_dictionary(ids) else ids
    if ids is not None and not (is_text(ids) or pa.types.is_integer(ids)):
        return False
    when = kinds.get(columns.event_time)
    return when is not None and pa.types.is_timestamp(when)


def _input(raw: RawRows, given: pa.ChunkedArray | None, *, number: bool, known: str) -> tuple[pa.Array, str]:
    """A column as it is where it is plainly of its kind, else as `read_rows` has it."""
    if given is not None:
        kind = given.type
        if number and str(kind) in _PLAIN:
            return given.chunk(0), ""
        if not number and pa.types.is_dictionary(kind) and str(kind.value_type) == "string":
            return readable(given.chunk(0)), ""
        if not number and str(kind) == "string":
            return readable(given.chunk(0)), ""
    found, _, problem = read_input(raw, given, number=number, known=known)
    return found, problem


def dictionary_of(array: pa.Array) -> pa.DictionaryArray:
    """An array as a dictionary and indices."""
    return array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(array)
