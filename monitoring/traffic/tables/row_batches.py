"""The rows of a piece of a table, batch by batch, in the shape that the monitor reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.records import Finding
from monitoring.traffic.cells import as_doubles, decoded, unreadable_numbers, valid_utf8
from monitoring.traffic.descriptors.registry import described_inputs, undescribed
from monitoring.traffic.format.rows import TIMESTAMP
from monitoring.traffic.tables.answers import as_list_column, read_answers
from monitoring.traffic.tables.column_findings import column_findings, new_name
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.piece_reader import PieceReader
from monitoring.traffic.tables.pieces import TablePiece
from monitoring.traffic.tables.quotes import quote_findings
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.rows import (
    coded_labels,
    event_times,
    generated_ids,
    given_label_times,
    invalid_label_times,
    read_input,
    row_ids,
)

#: Arrow's names of the types of numbers that are used as they are.
_PLAIN_NUMBERS = ("float", "double", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowBatch:
    """n rows of a piece, in their order.

    Attributes:
        event_us: int64 [n], when each happened, in microseconds; meaningless where it has no valid time.
        timed: bool [n], whether each has a valid event time.
        inputs: a column for each input: numbers of any width with null or NaN for missing, text plain or coded.
        probabilities: float64 [n, classes], NaN in rows without a usable answer.
        labels: class names, coded, [n]; null where there is no label.
        label_us: int64 [n], when each label became known, in microseconds; None where that is when its row happened.
        ids: strings [n]; None where the table has none.
        unreadable: by column, bool [n], which cells hold something that is not of the column's kind.
        invalid_label_times: bool [n], which labels have a time that is none; None where none has.
        texts: those of the inputs that are read from text whatever it holds.
    """

    piece: TablePiece
    places: NDArray[np.int64]
    event_us: NDArray[np.int64]
    timed: NDArray[np.bool_]
    inputs: pa.Table
    probabilities: NDArray[np.float64]
    labels: pa.DictionaryArray
    label_us: NDArray[np.int64] | None
    ids: pa.Array | None
    problems: Mapping[str, str] = field(default_factory=dict)
    absent_answers: Mapping[str, str] = field(default_factory=dict)
    unreadable: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    invalid_label_times: NDArray[np.bool_] | None = None
    texts: Collection[str] = ()

    def __len__(self) -> int:
        return self.places.size

    @property
    def nbytes(self) -> int:
        """About how many bytes the rows take in memory."""
        columns = [self.inputs, self.probabilities, self.labels, self.places, self.event_us, self.timed]
        columns += [each for each in (self.ids, self.label_us) if each is not None]
        return sum(int(column.nbytes) for column in columns)

    def take(self, at: NDArray[np.int64]) -> RowBatch:
        """Some of the rows."""
        chosen = pa.array(at)
        return RowBatch(
            piece=self.piece,
            places=self.places[at],
            event_us=self.event_us[at],
            timed=self.timed[at],
            inputs=self.inputs.take(chosen) if self.inputs.num_columns else self.inputs,
            probabilities=self.probabilities[at],
            labels=self.labels.take(chosen),
            label_us=None if self.label_us is None else self.label_us[at],
            ids=None if self.ids is None else self.ids.take(chosen),
            problems=self.problems,
            absent_answers=self.absent_answers,
            unreadable={name: mask[at] for name, mask in self.unreadable.items()},
            invalid_label_times=None if self.invalid_label_times is None else self.invalid_label_times[at],
            texts=self.texts,
        )

    def input_problems(self) -> dict[str, str]:
        """What is wrong with inputs in all of these rows: of text, that no cell is a number."""
        problems = dict(self.problems)
        for name in self.texts:
            column = self.inputs[name]
            if pa.types.is_floating(column.type) and not np.isfinite(np.asarray(column)).any():
                problems.setdefault(name, "type changed to text")
        return problems

    def all_ids(self) -> pa.Array:
        """Ids of all rows: from the table, or by their file and place in it."""
        return generated_ids(self.piece, self.places) if self.ids is None else self.ids

    def ids_at(self, at: NDArray[np.int64]) -> pa.Array:
        """Ids of the rows at some places of the batch: from the table, or by their file and place in it."""
        if self.ids is None:
            return generated_ids(self.piece, self.places[at])
        return self.ids.take(pa.array(at))

    def late_labels(self) -> NDArray[np.bool_] | None:
        """Which labels became known after their row happened, bool [n]; None where none did."""
        return None if self.label_us is None else self.label_us > self.event_us

    def table(self) -> pa.Table:
        """The rows with every column in its final type.

        Returns:
            Columns prediction_id (string), event_time, every input (float64 with NaN for missing, or string),
            probabilities (lists of one per class), label (string) and label_time.
        """
        labels = self.labels.dictionary_decode()
        label_us = self.event_us if self.label_us is None else self.label_us
        return pa.table(
            {
                "prediction_id": self.all_ids(),
                "event_time": pa.array(self.event_us).cast(TIMESTAMP),
                **{name: _final(self.inputs[name]) for name in self.inputs.column_names},
                "probabilities": as_list_column(self.probabilities),
                "label": labels,
                "label_time": pa.array(label_us, mask=np.asarray(labels.is_null(), dtype=np.bool_)).cast(TIMESTAMP),
            }
        )


@dataclass(slots=True)
class PieceRows:
    """All rows of one piece, batch by batch; what was wrong with its file is known after a pass over them."""

    piece: TablePiece
    columns: TableColumns
    reader: PieceReader
    findings: tuple[Finding, ...] = ()

    def batches(self) -> Iterator[RowBatch]:
        """The rows, in their order.

        Yields:
            Batches of some 65,536 rows, or all rows at once where the piece is read whole.
        """
        header = self.reader.header(self.piece)
        names = self.columns.read
        coded = {name for name, kind in self.columns.plain_inputs.items() if kind == "category"}
        for first, raw in self.reader.batches(self.piece, names, coded):
            yield self.batch_of(raw, first, header)
        self.describe(header)

    def describe(self, header: RawRows) -> None:
        """Set the findings, once all rows were read."""
        quotes = [] if header.unbalanced is None else [(self.piece.name, header.table.num_rows, header.unbalanced)]
        self.findings = (*column_findings(header, self.columns), *quote_findings(quotes))

    def batch_of(self, raw: RawRows, first: int, header: RawRows) -> RowBatch:
        """Rows in the shape that the monitor reads."""
        present, text_cells = raw.columns(), raw.text_cells()
        values, _, absent_answers = read_answers(raw, self.columns)
        inputs: dict[str, pa.Array] = {}
        problems: dict[str, str] = {}
        unreadable: dict[str, NDArray[np.bool_]] = {}
        for name, kind in self.columns.plain_inputs.items():
            number, reference_type = kind == "number", self.columns.reference_types.get(name, "")
            text = name in text_cells
            inputs[name], bad, problem = _input(
                raw, present.get(name), number=number, reference_type=reference_type, text=text
            )
            if problem and not (bad and text):
                problems[name] = problem
            if bad:
                unreadable[name] = unreadable_numbers(present[name])
        times = event_times(raw, self.columns)
        described, undescribable = described_inputs(self.columns.described, present, times.us)
        unreadable |= undescribed(self.columns.described, present, described)
        labels = coded_labels(raw, self.columns)
        label_us = invalid = None
        if self.columns.label_time in present:
            known_at = given_label_times(raw, self.columns)
            label_us = np.where(known_at.valid, np.maximum(known_at.us, times.us), times.us)
            invalid = invalid_label_times(raw, self.columns, labels, known_at)
        has_ids = self.columns.prediction_id in present
        return RowBatch(
            piece=self.piece,
            places=np.arange(first, first + raw.table.num_rows),
            event_us=times.us,
            timed=times.valid,
            inputs=pa.table(inputs | described),
            probabilities=values,
            labels=labels,
            label_us=label_us,
            ids=row_ids(self.piece, raw, self.columns, first) if has_ids else None,
            problems=problems | undescribable,
            absent_answers={name: new_name(name, header, self.columns) for name in absent_answers},
            unreadable=unreadable,
            invalid_label_times=invalid if invalid is not None and invalid.any() else None,
            texts=tuple(inputs | described) if raw.text else tuple(name for name in inputs if name in text_cells),
        )


def _input(
    raw: RawRows, cells: pa.Array | None, *, number: bool, reference_type: str, text: bool
) -> tuple[pa.Array, int, str]:
    """A column as it is where it is plainly of its kind, else as `read_input` converts it."""
    if cells is not None:
        kind = cells.type
        if number and str(kind) in _PLAIN_NUMBERS:
            return cells, 0, ""
        if not (number or text) and "string" in (
            str(kind),
            str(kind.value_type) if pa.types.is_dictionary(kind) else "",
        ):
            return valid_utf8(cells), 0, ""
        if pa.types.is_dictionary(kind):
            cells = decoded(cells)
    return read_input(raw, cells, number=number, reference_type=reference_type, text=text)


def _final(column: pa.ChunkedArray) -> pa.Array:
    """Numbers as float64 with NaN for missing, text as strings."""
    whole = decoded(column)
    if pa.types.is_integer(whole.type) or pa.types.is_floating(whole.type):
        return pc.fill_null(as_doubles(whole), float("nan"))
    return whole.cast(pa.string())
