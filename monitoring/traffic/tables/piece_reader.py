"""The columns of a table's pieces, batch by batch where a file allows it, and else whole."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from monitoring.traffic.cells import is_text, value_type
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import (
    ParquetPiece,
    RawRows,
    TablePiece,
    TextPartPiece,
    TextPiece,
    distinct_columns,
)

#: Rows of a batch.
ROWS = 1 << 16

#: Rows of a batch with images as files, each of which may have 16 MB.
IMAGE_ROWS = 1 << 9

#: Bytes of parsed text files that are kept for the next pass over them.
PARSED_BYTES = 1 << 26


class PieceReader:
    """Reads some columns of a table's pieces.

    A Parquet piece is read batch by batch where each of its cells can be read without the others of its column. Any
    other piece is one batch. A text file is parsed whole whatever columns are wanted, so what was parsed is kept for
    the next pass, up to `PARSED_BYTES`.
    """

    def __init__(self, columns: TableColumns) -> None:
        """Makes a reader."""
        self._columns = columns
        self._parsed: OrderedDict[TextPiece, RawRows] = OrderedDict()
        self._batched: dict[Path | str, bool] = {}

    def in_batches(self, piece: TablePiece) -> bool:
        """Whether a piece is read in batches.

        That is so in Parquet, but not for a column of floats that are read as text: a float is written in one way where
        all of its column are whole numbers, and in another where they are not.

        Returns:
            True where `batches` gives several batches, False where it gives the whole piece.
        """
        if not isinstance(piece, ParquetPiece):
            return False
        if piece.path not in self._batched:
            self._batched[piece.path] = _cells_are_independent(piece.schema(), self._columns)
        return self._batched[piece.path]

    def batches(
        self, piece: TablePiece, names: Collection[str], coded: Collection[str] = ()
    ) -> Iterator[tuple[int, RawRows]]:
        """Some columns of a piece, those that it has.

        Args:
            names: the columns; a piece that is read whole may come with others.
        """
        if isinstance(piece, ParquetPiece) and self.in_batches(piece):
            images = any(each.kind == "image" and each.source in names for each in self._columns.described)
            yield from piece.batches(names, coded, IMAGE_ROWS if images else ROWS)
        else:
            yield 0, self.whole(piece, names)

    def whole(self, piece: TablePiece, names: Collection[str] | None = None) -> RawRows:
        """All rows of a piece at once; `names` picks columns, those that it has."""
        if not isinstance(piece, TextPiece):
            return piece.read(names)
        if piece in self._parsed:
            self._parsed.move_to_end(piece)
        else:
            self._parsed[piece] = piece.read()
        raw = self._parsed[piece]
        while self._parsed and sum(each.table.nbytes for each in self._parsed.values()) > PARSED_BYTES:
            self._parsed.popitem(last=False)
        if names is None:
            return raw
        return replace(raw, table=raw.table.select([name for name in raw.table.column_names if name in names]))

    def header(self, piece: TablePiece) -> RawRows:
        """The columns of a piece: without rows where it is Parquet, or a part of a text file."""
        if isinstance(piece, ParquetPiece):
            return replace(distinct_columns(piece.schema().empty_table(), None), remarks=piece.remarks)
        if isinstance(piece, TextPartPiece):
            return piece.header()
        return self.whole(piece)

    def forget(self) -> None:
        """Keep nothing of parsed text files any longer."""
        self._parsed.clear()


def _cells_are_independent(schema: pa.Schema, columns: TableColumns) -> bool:
    kinds = {name: value_type(kind) for name, kind in zip(reversed(schema.names), reversed(schema.types), strict=True)}
    if any(schema.names.count(name) > 1 for name in (columns.event_time, columns.prediction_id)):
        return False
    for name, kind in columns.inputs.items():
        if kind == "category" and name in kinds and pa.types.is_floating(kinds[name]):
            return False
    ids = kinds.get(columns.prediction_id)
    if ids is not None and not (is_text(ids) or pa.types.is_integer(ids)):
        return False
    when = kinds.get(columns.event_time)
    return when is not None and bool(pa.types.is_timestamp(when))
