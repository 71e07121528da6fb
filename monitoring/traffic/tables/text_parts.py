"""Large CSV files in parts: rewritten once as Parquet of small row groups, whose cells are still text."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from monitoring.config.table_section import Separator, TableFormat
from monitoring.traffic.file_limits import LOOKED_AT, MOST_COLUMNS, TextLook, look_at_text
from monitoring.traffic.remote.local_cache import LOCAL_CACHE
from monitoring.traffic.tables.delimited import BLOCKS
from monitoring.traffic.tables.quotes import quoted_records_in
from monitoring.traffic.tables.table_format import guess_separator, has_dates

#: Bytes of a text file, as it lies on the disk, from which on it is read in parts; of a compressed one.
LARGE, LARGE_GZ = 1 << 25, 1 << 22

#: Rows and bytes of a part, at most.
ROWS, BYTES = 1 << 16, 1 << 24

_MALFORMED = b"pitfalls.malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """Some rows of a text file: a row group of the Parquet file that it became, and the lines that do not fit."""

    path: Path
    group: int
    first_row: int
    malformed: int

    def read(self, names: Collection[str] | None) -> pa.Table:
        """Its cells as bytes; `names` picks columns, those that it has."""
        with pq.ParquetFile(self.path) as file:
            present = file.schema_arrow.names
            picked = present if names is None else [name for name in present if name in names]
            return file.read_row_group(self.group, columns=picked, use_threads=False)

    def header(self) -> pa.Table:
        """Its columns, without rows."""
        return pq.read_schema(self.path).empty_table()


def text_parts(path: Path, form: TableFormat) -> tuple[TextPart, ...]:
    """A large text file in parts that follow each other. Returns the parts; none where the file is to be read whole.

    None where it is small, or where how a cell is read depends on all others of its column: in files with another
    separator or encoding, with dates whose day may be their month, without a fitting line, or with unbalanced quotes.

    Cost: the file is read twice, and once more where it is not rewritten. Memory: one part.
    """
    status = path.stat()
    if status.st_size < (LARGE_GZ if path.suffix == ".gz" else LARGE):
        return ()
    stamp = f"{status.st_size} {status.st_mtime_ns} {form}"
    target = LOCAL_CACHE.get(f"{path.absolute()} in parts", stamp, ".parquet", lambda to: _rewrite(path, form, to))
    if not target.stat().st_size:
        return ()
    metadata = pq.read_metadata(target)
    malformed = json.loads((metadata.metadata or {})[_MALFORMED])
    parts, first = [], 0
    for group in range(metadata.num_row_groups):
        parts.append(TextPart(path=target, group=group, first_row=first, malformed=malformed))
        first += metadata.row_group(group).num_rows
    return tuple(parts)


def _rewrite(path: Path, form: TableFormat, target: Path) -> None:
    """Write the file in parts; nothing where it has to be read whole."""
    try:
        _write_parts(path, form, target)
    except ValueError:  # Arrow's errors of text that cannot be parsed are such, too
        target.write_bytes(b"")


def _write_parts(path: Path, form: TableFormat, target: Path) -> None:
    look = look_at_text(path, whole=False)
    delimiter = _delimiter(path, form, look)
    malformed: list[int] = []

    def skip(row: pyarrow.csv.InvalidRow) -> str:
        malformed.append(row.text.count("\n"))
        return "skip"

    parse = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip)
    read = pyarrow.csv.ReadOptions(block_size=BLOCKS[0], use_threads=False)
    with pyarrow.csv.open_csv(path, parse_options=parse, read_options=read) as file:
        header = file.schema.names
    if len(set(header)) < len(header):
        raise ValueError("columns share a name")
    malformed.clear()
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.binary()), strings_can_be_null=True, null_values=[""]
    )
    rows = 0
    with (
        pyarrow.csv.open_csv(path, parse_options=parse, read_options=read, convert_options=convert) as file,
        pq.ParquetWriter(target, file.schema) as writer,
    ):
        for part in _parts(file):
            if not rows and form.day_first is None and _has_dates(part):
                raise ValueError("dates whose day may be their month")
            rows += part.num_rows
            writer.write_table(part, row_group_size=part.num_rows)
        writer.add_key_value_metadata({_MALFORMED.decode(): json.dumps(len(malformed))})
    longer = look.ends > rows + len(malformed) + 1  # line breaks in fields, or empty lines
    if not rows or any(malformed) or (longer and _has_lost_lines(target, delimiter.encode())):
        raise ValueError("lines that are lost in others")


def _delimiter(path: Path, form: TableFormat, look: TextLook) -> str:
    """What separates fields, where that is no guess. Raises ValueError where the file has to be read whole."""
    usual: Separator = form.separator or ("\t" if path.name.endswith(".tsv") else ",")
    lines = tuple(look.start.decode("utf-8-sig", "replace").splitlines()[:2])
    delimiter = guess_separator(lines, usual, is_known=form.separator is not None)
    decimals = form.decimal == "," or (form.decimal is None and delimiter != ",")
    if not look.is_utf_8 or delimiter != usual or decimals or lines[0].count(delimiter) >= MOST_COLUMNS:
        raise ValueError("another encoding, separator or decimal mark")
    return delimiter


def _has_lost_lines(path: Path, delimiter: bytes) -> bool:
    with pq.ParquetFile(path) as file:
        return any(quoted_records_in(file.read_row_group(group), delimiter) for group in range(file.num_row_groups))


def _parts(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(rows.num_rows for rows in waiting) >= ROWS or sum(rows.nbytes for rows in waiting) >= BYTES:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if any(batch.num_rows for batch in waiting):
        yield pa.Table.from_batches(waiting)


def _has_dates(part: pa.Table) -> bool:
    """Whether some column has dates whose day may be their month, by its first cells."""
    heads = (part.column(place).slice(0, LOOKED_AT >> 10) for place in range(part.num_columns))
    return any(has_dates(head.cast(pa.string(), safe=False).combine_chunks()) for head in heads)
