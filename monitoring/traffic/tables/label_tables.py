"""Labels in tables of their own, which name predictions by their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput
from monitoring.records import Finding
from monitoring.traffic.id_keys import IdSet, id_keys
from monitoring.traffic.labels.spill import AT_ONCE, LabelsInOrder
from monitoring.traffic.tables.columns import ROW_NAMES, TableColumns
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.pieces import TablePiece
from monitoring.traffic.tables.quotes import quote_findings
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.rows import (
    can_hold_times,
    coded_labels,
    given_label_times,
    ids_in_table,
    invalid_label_times,
    label_time_findings,
    labels_with_times,
)
from monitoring.traffic.tables.table import Table
from monitoring.traffic.tables.times import ParsedTimes, parse_times

#: A label as it goes into the label log.
LABEL_SCHEMA = pa.schema(
    [("prediction_id", pa.string()), ("label", pa.string()), ("label_time", pa.timestamp("us", "UTC"))]
)


#: So many cells of a column say whether it holds times.
_CELLS_LOOKED_AT = 1_000

_PieceOfLabels: TypeAlias = tuple[TablePiece, RawRows, pa.Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateLabels:
    """The labels of label tables."""

    unmatched: pa.Array
    matched: IdSet
    findings: tuple[Finding, ...]


class LabelTables:
    """Tables of labels. There may be none."""

    def __init__(self, pieces: Sequence[TablePiece], columns: TableColumns) -> None:
        """Reads nothing yet."""
        self._pieces = pieces
        self._columns = columns

    @classmethod
    def at(cls, place: Path | str | None, columns: TableColumns) -> LabelTables | None:
        """Those at a path or URL, where there may be no file yet; None without one."""
        if place is None:
            return None
        return cls(pieces_of(place, columns.format, may_be_to_come=True, in_parts=True), columns)

    def check(self) -> None:
        """Read the first table.

        Raises:
            BadInput: it has no ids or no labels.
        """
        next(self._read(), None)

    @cached_property
    def ids(self) -> IdSet:
        """Ids of all labels in the tables."""
        keys = [np.zeros(0, np.int64), *(id_keys(ids.drop_null()) for _, _, ids in self._read())]
        return IdSet.of_keys(np.unique(np.concatenate(keys)))

    def read(self, table: Table, add: Callable[[pa.Table], None]) -> SeparateLabels:
        """Read the labels, each with the time at which it became known.

        A label without a time of its own became known when its row happened.

        Args:
            add: Takes some of the labels that have a time, their own or their row's: columns of `LABEL_SCHEMA`.

        Raises:
            BadInput: a table has no ids or no labels.
            CannotRun: a file cannot be read.
        """
        columns = self._columns
        unmatched, matched = [pa.nulls(0, pa.string())], [np.zeros(0, np.int64)]
        invalid, unbalanced = 0, []
        undated: TablePiece | None = None
        for some in _together(self._read()):
            happened = table.event_times_of(pa.concat_arrays([ids for _, _, ids in some]))
            first = 0
            for piece, raw, ids in some:
                if raw.unbalanced is not None:
                    unbalanced.append((piece.name, raw.table.num_rows, raw.unbalanced))
                if not len(ids):
                    continue
                if columns.label_time not in raw.table.column_names:
                    undated = undated or piece
                rows_slice = slice(first, first + len(ids))
                when = ParsedTimes(us=happened.us[rows_slice], valid=happened.valid[rows_slice])
                first += len(ids)
                dated = labels_with_times(raw, columns, when)
                labels = coded_labels(raw, columns)
                present = labels.dictionary_decode().is_valid()
                invalid += int(invalid_label_times(raw, columns, labels, given_label_times(raw, columns)).sum())
                unmatched.append(ids.filter(pc.and_(present, dated["label"].combine_chunks().is_null())).drop_null())
                matched.append(id_keys(ids.filter(pa.array(when.valid))))
                add(dated_labels(dated.add_column(0, "prediction_id", ids).filter(ids.is_valid())))
            pa.default_memory_pool().release_unused()
        return SeparateLabels(
            unmatched=pa.concat_arrays(unmatched),
            matched=IdSet.of_keys(np.unique(np.concatenate(matched))),
            findings=(
                *_none_yet(self._pieces),
                *(() if undated is None else self._undated(undated)),
                *label_time_findings(columns.label_time, invalid),
                *quote_findings(unbalanced),
            ),
        )

    def _undated(self, piece: TablePiece) -> tuple[Finding, ...]:
        """That a piece has no column of label times, where one was named or another column holds times."""
        columns, cells = self._columns, piece.read().columns()
        roles = (columns.prediction_id, columns.event_time, *columns.label_cells)
        others = [name for name in cells if name not in roles]
        timed = [name for name in others if _are_times(cells[name].slice(0, _CELLS_LOOKED_AT), columns)]
        if not timed and columns.label_time in ROW_NAMES:
            return ()
        hint = "If there is one, name the right one"
        if timed:
            hint = f"There are times in {', '.join(timed)}: if labels became known then, name that"
        message = (
            f"The labels of {piece.name} have no column {columns.label_time}: each counts from the event time of its "
            f"row. {hint} as label_time in the [traffic] section."
        )
        return (Finding(kind="no label time", feature=columns.label_time, message=message),)

    def labels(self, table: Table) -> pa.Table:
        """The labels that have a time, in order of it: columns of `LABEL_SCHEMA`. Raises as `read`."""
        in_order = LabelsInOrder(LABEL_SCHEMA)
        self.read(table, in_order.add)
        return pa.concat_tables(in_order)

    def _read(self) -> Iterator[_PieceOfLabels]:
        """Each piece with its rows, and the id of each row, null where it has none."""
        columns = self._columns
        for piece in self._pieces:
            needed = (columns.prediction_id, *columns.label_cells)
            raw = piece.read([*needed, columns.label_time])
            absent = [name for name in needed if name not in raw.table.column_names]
            if absent and raw.table.num_rows:
                raise BadInput(
                    f"The table of labels {piece.name} cannot be joined.",
                    got=f"no column {', '.join(absent)}",
                    expected=f"{', '.join(needed)}, and {columns.label_time} where it is known",
                    fix="Name the columns as in the [traffic] section.",
                )
            ids = None if absent else ids_in_table(raw, columns)
            yield piece, raw, pa.nulls(raw.table.num_rows, pa.string()) if ids is None else ids


def _together(pieces: Iterator[_PieceOfLabels]) -> Iterator[list[_PieceOfLabels]]:
    """Pieces of some `AT_ONCE` rows, whose ids are looked up in one pass over the table."""
    waiting: list[_PieceOfLabels] = []
    for each in pieces:
        waiting.append(each)
        if sum(len(ids) for _, _, ids in waiting) >= AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _are_times(cells: pa.Array, columns: TableColumns) -> bool:
    """Whether each cell that is there is a time, and one is."""
    cells = cells.drop_null()
    if not can_hold_times(cells.type):
        return False
    parsed = parse_times(cells, columns.naive_timezone, day_first=columns.format.day_first)
    return bool(parsed.valid.size and parsed.valid.all())


def _none_yet(pieces: Sequence[TablePiece]) -> tuple[Finding, ...]:
    if pieces:
        return ()
    message = "There is no file of labels yet: inputs and answers are judged, and losses once labels come."
    return (Finding(kind="no labels yet", feature="", message=message),)


def dated_labels(labels: pa.Table) -> pa.Table:
    """Those of some labels that have a label and a time, as `LABEL_SCHEMA`; its columns may hold nulls."""
    labels = labels.cast(LABEL_SCHEMA)
    return labels.filter(pc.and_(labels["label"].is_valid(), labels["label_time"].is_valid()))
