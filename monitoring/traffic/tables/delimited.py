"""Text with a delimiter, CSV, as columns of bytes: whatever its encoding, and however long its lines."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from monitoring.config.table_section import Separator, TableFormat
from monitoring.traffic.file_limits import LOOKED_AT, MOST_COLUMNS, look_at_text, refuse_columns
from monitoring.traffic.tables.quotes import (
    QuotedRecord,
    UnbalancedQuotes,
    quoted_record,
    quoted_records_in,
    summarise_quotes,
)
from monitoring.traffic.tables.table_format import AS_FILES_SHOW, SEPARATOR_NAMES, guess_separator, with_points

#: Bytes that are parsed at once, and for a file with longer lines.
BLOCKS = (1 << 20, 1 << 30)

#: Columns that a remark names.
NAMED = 5

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimited:
    """A file's columns, each cell as bytes and an empty one null.

    `malformed` counts lines of another number of fields than the first, `unbalanced` describes those that an unbalanced
    quote made part of a field; `remarks` say what was guessed, and `guessed` is that.
    """

    table: pa.Table
    malformed: int = 0
    unbalanced: UnbalancedQuotes | None = None
    remarks: tuple[str, ...] = ()
    guessed: TableFormat = AS_FILES_SHOW


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What is parsed, in UTF-8, how many ends of lines it has, and its first two lines."""

    content: Path | pa.Buffer
    ends: int
    head: tuple[str, ...]

    def open(self) -> Path | pa.BufferReader:
        return self.content if isinstance(self.content, Path) else pa.BufferReader(self.content)

    def whole(self) -> bytes:
        if not isinstance(self.content, Path):
            return bytes(self.content)
        with pa.input_stream(self.content) as file:
            return bytes(file.read())


def read_delimited(path: Path, form: TableFormat = AS_FILES_SHOW) -> Delimited:
    """Reads a delimited text file.

    The delimiter is a tab where the name ends in .tsv, a comma elsewhere, or as the header shows. UTF-8 with or
    without a byte order mark, UTF-16 with one; in any other encoding, bytes that are not UTF-8 become U+FFFD. A file
    without a line has no columns. Cost: the file is read twice, and held in memory where it is not UTF-8.

    Args:
        form: Its separator and decimal mark, where they are known. Where the separator is no comma, decimals may
            follow a comma, in columns of nothing but numbers.

    Raises:
        EOFError: a compressed file is cut off.
        ArrowInvalid: the text cannot be parsed.
    """
    source = _in_utf_8(path)
    usual: Separator = form.separator or ("\t" if path.name.endswith(".tsv") else ",")
    delimiter = guess_separator(source.head, usual, is_known=form.separator is not None)
    if source.head and source.head[0].count(delimiter) >= MOST_COLUMNS:
        refuse_columns(path, source.head[0].count(delimiter) + 1)
    for block in BLOCKS:
        try:
            parsed = _parsed(source, delimiter, block)
            if delimiter != usual:
                remark = f"Fields are separated by {SEPARATOR_NAMES[delimiter]}."
                parsed = replace(parsed, remarks=(remark,), guessed=TableFormat(separator=delimiter))
            return _with_points(parsed, form, delimiter)
        except pa.ArrowInvalid as error:
            longer = "straddl" in str(error) or "Empty CSV file" in str(error)
            if block != BLOCKS[-1] and longer:
                continue
            if "Empty CSV file" in str(error):
                break
            raise
    return Delimited(table=pa.table({}))


def _with_points(parsed: Delimited, form: TableFormat, delimiter: str) -> Delimited:
    """The columns with decimal points."""
    if form.decimal == "." or (form.decimal is None and delimiter == ","):
        return parsed
    table, changed = with_points(parsed.table, numbers_only=form.decimal is None)
    if not changed or form.decimal == ",":
        return replace(parsed, table=table)
    names = ", ".join(changed[:NAMED]) + (f" and {len(changed) - NAMED} more" if len(changed) > NAMED else "")
    remark = f"Decimals follow a comma in {names}."
    guessed = parsed.guessed.replaced(decimal=",")
    return replace(parsed, table=table, remarks=(*parsed.remarks, remark), guessed=guessed)


def other_delimiter_fix(header: Sequence[str]) -> str:
    """The fix for a file whose header was read as one field because another delimiter is used.

    >>> other_delimiter_fix(["ts;p;y"])
    "The fields seem to be separated by ';': write them with commas, with tabs as .tsv, or as Parquet."

    Returns:
        A sentence; empty where the header has several fields or no other delimiter.
    """
    mark = next((mark for mark in ";\t|" if mark in header[0]), None) if len(header) == 1 else None
    if mark is None:
        return ""
    return f"The fields seem to be separated by {mark!r}: write them with commas, with tabs as .tsv, or as Parquet."


def _parsed(source: _Source, delimiter: str, block: int) -> Delimited:
    malformed: list[int] = []
    records: list[QuotedRecord] = []
    mark = delimiter.encode()

    def skip(row: pyarrow.csv.InvalidRow) -> str:
        text = row.text.encode()
        record = quoted_record(text, mark, row.expected_columns, malformed=True)
        malformed.append(text.count(b"\n") + 1)
        records.extend([record] if record is not None else [])
        return "skip"

    parse = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip)
    read = pyarrow.csv.ReadOptions(block_size=block)
    with pyarrow.csv.open_csv(source.open(), parse_options=parse, read_options=read) as file:
        header = file.schema.names
    malformed.clear()
    records.clear()
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.binary()), strings_can_be_null=True, null_values=[""]
    )
    table = pyarrow.csv.read_csv(source.open(), parse_options=parse, read_options=read, convert_options=convert)
    if source.ends > table.num_rows + sum(malformed) + 1:  # more lines than records: in fields, or empty
        records += quoted_records_in(table, mark)
    unbalanced = summarise_quotes(records, source.whole()) if records else None
    return Delimited(table=table, malformed=sum(malformed), unbalanced=unbalanced)


def _in_utf_8(path: Path) -> _Source:
    look = look_at_text(path)
    if look.is_utf_8:
        return _Source(content=path, ends=look.ends, head=_head(look.start))
    content = _as_utf_8(path)
    return _Source(content=content, ends=bytes(content).count(b"\n"), head=_head(bytes(content[:LOOKED_AT])))


def _head(start: bytes) -> tuple[str, ...]:
    """The first two lines of a text, without a byte order mark."""
    return tuple(start.decode("utf-8-sig", "replace").splitlines()[:2])


def _as_utf_8(path: Path) -> pa.Buffer:
    with pa.input_stream(path) as file:
        content = file.read()
    encoding = "utf-16" if content.startswith(_UTF_16) else "utf-8"
    return pa.py_buffer(content.decode(encoding, "replace").encode())
