"""The pieces of a table, each read at a time: a row group of Parquet, a text file or a part of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from typing_extensions import override

from monitoring.config.table_section import TableFormat
from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.cells import is_text, value_type
from monitoring.traffic.remote.urls import shown_url
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.delimited import Delimited, other_delimiter_fix, read_delimited
from monitoring.traffic.tables.folder_columns import folder_remark, with_text_columns
from monitoring.traffic.tables.footers import FOOTERS, GroupTimes
from monitoring.traffic.tables.parquet_files import FileView, file_stamp, open_parquet
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.split_groups import split_rows
from monitoring.traffic.tables.table_format import AS_FILES_SHOW
from monitoring.traffic.tables.text_parts import TextPart

#: What the folders of a file say of all of its rows, by column.
FolderColumns: TypeAlias = tuple[tuple[str, str | None], ...]

#: Bytes of a file that are read ahead for each of its columns.
_READ_AHEAD = 1 << 17

KINDS = (
    "Parquet (.parquet, .pq), CSV (.csv, .csv.gz, .tsv), JSON Lines (.jsonl, .ndjson), Excel (.xlsx) or "
    "PredictionLog records (.tfrecord)"
)


class RowPlaces(Protocol):
    """Where rows lie, which identifies them."""

    @property
    def name(self) -> str:
        """The file, as the table's path names it."""

    @property
    def first_row(self) -> int:
        """The place in the file of the first row."""


class TablePiece(RowPlaces, Protocol):
    """A part of a table that is read at once. `name` and `first_row` identify its rows."""

    #: Whether it is a small part of its file, so that it is read again rather than kept.
    is_part: ClassVar[bool]

    #: Whether all of it is parsed whatever columns are asked for, so that what was parsed is kept for the next pass.
    is_parsed_whole: ClassVar[bool]

    def read(self, names: Collection[str] | None = None) -> RawRows:
        """Its rows; `names` picks columns, those that it has."""

    def header(self) -> RawRows | None:
        """Its columns, without rows; None where they are known by its rows alone."""

    def has_independent_cells(self, columns: TableColumns) -> bool:
        """Whether each cell can be read without the others of its column, so that it is read in batches."""

    def batches(self, names: Collection[str], coded: Collection[str], rows: int) -> Iterator[tuple[int, RawRows]]:
        """Some columns of its rows, batch by batch, each with the place of its first row.

        Args:
            coded: Columns whose text comes as dictionaries, where that is cheap.
            rows: How many a batch has at most.
        """

    def times(self, name: str) -> GroupTimes | None:
        """What is known of all times of a column without reading them; None if nothing."""

    def small_groups(self, columns: TableColumns) -> tuple[SmallGroup, ...]:
        """Its rows in small pieces that were written for the purpose; the piece is read in batches."""

    def stamp(self) -> PieceStamp | None:
        """What changes when its rows do; None where they are in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceStamp:
    """What a file's size and time of change are, and which of its rows are deleted, as bytes."""

    file: tuple[Any, ...]
    deleted: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallGroup:
    """Some rows of a piece that follow each other, as a piece of their own.

    Attributes:
        offset: the place in the piece of its first row.
        first: no row is earlier, in microseconds.
        last: no row is later.
    """

    piece: TablePiece
    offset: int
    first: int
    last: int


class WholePiece(TablePiece, ABC):
    """What holds of a piece that is read at once. A `TablePiece`, with a name and a place."""

    __slots__ = ()
    is_part: ClassVar[bool] = False
    is_parsed_whole: ClassVar[bool] = False

    @abstractmethod
    def read(self, names: Collection[str] | None = None) -> RawRows:
        """See `TablePiece`."""

    @override
    def header(self) -> RawRows | None:
        return None

    @override
    def has_independent_cells(self, columns: TableColumns) -> bool:
        return False

    @override
    def batches(self, names: Collection[str], coded: Collection[str], rows: int) -> Iterator[tuple[int, RawRows]]:
        yield 0, self.read(names)

    @override
    def times(self, name: str) -> GroupTimes | None:
        return None

    @override
    def small_groups(self, columns: TableColumns) -> tuple[SmallGroup, ...]:
        raise NotImplementedError(f"a piece that is read whole has no small groups of {len(columns.read)} columns")

    @override
    def stamp(self) -> PieceStamp | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetPiece(WholePiece):
    """One row group of a Parquet file.

    Attributes:
        view: What a table of which it is one file makes of it; None: it is read as it is.
    """

    name: str
    path: Path | str
    group: int
    first_row: int
    remarks: tuple[str, ...] = ()
    view: FileView | None = None

    def schema(self) -> pa.Schema:
        """Its columns. Raises CannotRun if the file cannot be read."""
        if self.view is not None:
            return self.view.schema
        with _reading(self):
            return FOOTERS.of(self.path).schema

    @override
    def read(self, names: Collection[str] | None = None) -> RawRows:
        with _reading(self), open_parquet(self.path) as file:
            picked, stored = self._columns(file, names)
            table = file.read_row_group(self.group, columns=stored)
            if self.view is not None:
                table = self.view.rows(table, picked, self.first_row)
            return RawRows.of(table, names, remarks=self.remarks)

    @override
    def header(self) -> RawRows:
        return RawRows.of(self.schema().empty_table(), remarks=self.remarks)

    @override
    def has_independent_cells(self, columns: TableColumns) -> bool:
        return _cells_are_independent(self.schema(), columns)

    @override
    def batches(self, names: Collection[str], coded: Collection[str], rows: int) -> Iterator[tuple[int, RawRows]]:
        schema = self.schema()
        words = [name for name in dict.fromkeys(schema.names) if name in names and name in coded]
        words = [name for name in words if is_text(schema.types[schema.names.index(name)])]
        if self.view is not None:
            words = [self.view.stored[name] for name in words if name in self.view.stored]
        options = {"pre_buffer": False, "buffer_size": _READ_AHEAD, "read_dictionary": words}
        first, place = 0, self.first_row
        with _reading(self), open_parquet(self.path, **options) as file:
            picked, stored = self._columns(file, names)
            for batch in file.iter_batches(
                rows, row_groups=[self.group], columns=[*dict.fromkeys(stored)], use_threads=False
            ):
                table = pa.Table.from_batches([batch])
                place += batch.num_rows
                if self.view is not None:
                    table = self.view.rows(table, picked, place - batch.num_rows)
                yield first, RawRows.of(table, coded=coded)
                first += table.num_rows

    def times(self, name: str) -> GroupTimes | None:
        """See `TablePiece`: what the file's statistics say."""
        stored: str | None = name
        if self.view is not None:
            if self.view.deleted.size:
                return None
            stored = self.view.stored.get(name)
        if stored is None:
            return None
        with _reading(self):
            return FOOTERS.times(self.path, self.group, stored, self.schema().field(name).type)

    def small_groups(self, columns: TableColumns) -> tuple[SmallGroup, ...]:
        """See `TablePiece`. Cost: the row group is read and written, on the first call in this process."""
        place = self.path if isinstance(self.path, str) else self.path.absolute()

        def tables(rows: int) -> Iterator[pa.Table]:
            return (raw.table for _, raw in self.batches(columns.read, (), rows))

        with _reading(self):
            stamp = f"{file_stamp(self.path)} {sorted(columns.read)}"
            path, spans = split_rows(f"{place}#{self.group}", stamp, tables, columns.event_time)
        return tuple(
            SmallGroup(
                piece=replace(self, path=path, group=group, view=None),
                offset=span.offset,
                first=span.first,
                last=span.last,
            )
            for group, span in enumerate(spans)
        )

    @override
    def stamp(self) -> PieceStamp:
        deleted = b"" if self.view is None else self.view.deleted.tobytes()
        return PieceStamp(file=file_stamp(self.path), deleted=deleted)

    def _columns(self, file: pq.ParquetFile, names: Collection[str] | None) -> tuple[list[str], list[str]]:
        """Those of some columns that the table has, and those of them that the file has, as it names them."""
        in_file = file.schema_arrow.names
        present = in_file if self.view is None else self.view.schema.names
        picked = [name for name in present if names is None or name in names]
        if self.view is None:
            return picked, picked
        return picked, [self.view.stored[name] for name in picked if self.view.stored.get(name) in in_file]


@contextmanager
def _reading(piece: ParquetPiece) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise unreadable_file(piece.path, str(error), of_lake=piece.view is not None and piece.view.of_lake) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPiece(WholePiece):
    """A whole CSV file, its cells as bytes; an empty cell is null. Lines with too many or few fields are left out."""

    is_parsed_whole: ClassVar[bool] = True
    name: str
    path: Path
    first_row: int = 0
    form: TableFormat = AS_FILES_SHOW
    folders: FolderColumns = ()

    def read(self, names: Collection[str] | None = None) -> RawRows:
        """See `TablePiece`. Raises BadInput too, where no line has as many fields as the header."""
        try:
            read = read_delimited(self.path, self.form)
        except (OSError, EOFError, pa.ArrowException) as error:
            raise unreadable_file(self.path, str(error)) from error
        if read.malformed and not read.table.num_rows:
            raise _no_line_fits(self.name, read)
        return RawRows.of(
            with_text_columns(read.table, dict(self.folders)),
            names,
            text=True,
            malformed=read.malformed,
            unbalanced=read.unbalanced,
            remarks=(*read.remarks, *folder_remark(dict(self.folders))),
            guessed=read.guessed,
        )

    @override
    def stamp(self) -> PieceStamp:
        return PieceStamp(file=file_stamp(self.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPartPiece(WholePiece):
    """Some rows of a large text file, its cells as bytes."""

    is_part: ClassVar[bool] = True
    name: str
    first_row: int
    path: Path
    part: TextPart
    folders: FolderColumns = ()

    @override
    def read(self, names: Collection[str] | None = None) -> RawRows:
        try:
            return self._rows(self.part.read(names), names)
        except (OSError, pa.ArrowException) as error:
            raise unreadable_file(self.path, str(error)) from error

    @override
    def header(self) -> RawRows:
        return self._rows(self.part.header())

    @override
    def stamp(self) -> PieceStamp:
        return PieceStamp(file=file_stamp(self.path))

    def _rows(self, table: pa.Table, names: Collection[str] | None = None) -> RawRows:
        whole, remark = with_text_columns(table, dict(self.folders)), folder_remark(dict(self.folders))
        return RawRows.of(whole, names, text=True, malformed=self.part.malformed, remarks=remark)


def _cells_are_independent(schema: pa.Schema, columns: TableColumns) -> bool:
    kinds = {name: value_type(kind) for name, kind in zip(reversed(schema.names), reversed(schema.types), strict=True)}
    if any(schema.names.count(name) > 1 for name in (columns.event_time, columns.prediction_id)):
        return False
    when = kinds.get(columns.event_time)
    return when is not None and bool(pa.types.is_timestamp(when))


def _no_line_fits(name: str, read: Delimited) -> BadInput:
    header = read.table.column_names
    fix = other_delimiter_fix(header) or "Leave out what stands before the names, or name every field."
    if read.unbalanced is not None:
        fix = 'Balance the quotes (").'
    return BadInput(
        f"No line of {name} has as many fields as its header.",
        got=f"no rows, and {read.malformed} lines of another number of fields than the first, which has {len(header)}",
        expected="a line of names, and lines of as many fields",
        fix=fix,
    )


def unreadable_file(path: Path | str, reason: str, *, of_lake: bool = False) -> CannotRun:
    """The error that stops a run."""
    return CannotRun(
        "A file of the table cannot be read.",
        got=f"{shown_url(str(path))}: {reason.splitlines()[0] if reason else 'no reason given'}",
        expected="the files of the version that the run began with" if of_lake else f"whole files, {KINDS}",
        fix="Run again, which reads the newest version; keep the files of older ones for longer than a run takes."
        if of_lake
        else "Write it again under another name and rename it into place; nothing was judged.",
    )
