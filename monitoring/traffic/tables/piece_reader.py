"""The columns of a table's pieces, batch by batch where a file allows it, and else whole."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import replace

from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.pieces import TablePiece
from monitoring.traffic.tables.raw_rows import RawRows

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
        self._parsed: OrderedDict[TablePiece, RawRows] = OrderedDict()
        self._batched: dict[str, bool] = {}

    def in_batches(self, piece: TablePiece) -> bool:
        """Whether `batches` gives several batches of a piece, or all of it at once; so for all pieces of one file."""
        if piece.name not in self._batched:
            self._batched[piece.name] = piece.has_independent_cells(self._columns)
        return self._batched[piece.name]

    def batches(
        self, piece: TablePiece, names: Collection[str], coded: Collection[str] = ()
    ) -> Iterator[tuple[int, RawRows]]:
        """Some columns of a piece, those that it has.

        Args:
            names: the columns; a piece that is read whole may come with others.
        """
        if self.in_batches(piece):
            images = any(each.kind == "image" and each.source in names for each in self._columns.described)
            yield from piece.batches(names, coded, IMAGE_ROWS if images else ROWS)
        else:
            yield 0, self.whole(piece, names)

    def whole(self, piece: TablePiece, names: Collection[str] | None = None) -> RawRows:
        """All rows of a piece at once; `names` picks columns, those that it has."""
        if not piece.is_parsed_whole:
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
        """The columns of a piece: without rows where it knows them, as Parquet and a part of a text file do."""
        header = piece.header()
        return self.whole(piece) if header is None else header

    def forget(self) -> None:
        """Keep nothing of parsed text files any longer."""
        self._parsed.clear()
