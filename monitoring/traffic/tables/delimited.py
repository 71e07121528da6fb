"""Text with a delimiter, CSV, as columns of bytes: whatever its encoding, and however long its lines."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

#: Bytes that are parsed at once, and for a file with longer lines.
BLOCKS = (1 << 20, 1 << 30)

_CHECKED = 1 << 20
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_delimited(path: Path) -> tuple[pa.Table, int]:
    """A file's columns, each cell as bytes and an empty one null, and how many lines had another number of fields.

    Tabs part the fields where the name ends in .tsv, commas elsewhere. UTF-8 with or without its mark, UTF-16 with it;
    in any other encoding what is no UTF-8 becomes U+FFFD. A file without a line has no columns. Raises OSError,
    EOFError or pa.ArrowException. Cost: the file read twice, and where it is no UTF-8 held as text.
    """
    source: Path | pa.Buffer = path if _is_utf_8(path) else _as_utf_8(path)
    delimiter = "\t" if path.name.endswith(".tsv") else ","
    for block in BLOCKS:
        try:
            return _parsed(source, delimiter, block)
        except pa.ArrowInvalid as error:
            longer = "straddl" in str(error) or "Empty CSV file" in str(error)
            if block != BLOCKS[-1] and longer:
                continue
            if "Empty CSV file" in str(error):
                break
            raise
    return pa.table({}), 0


def parting(header: Sequence[str]) -> str:
    """How to mend a file of whose lines a header of one field is all that was read; empty where that is no matter.

    >>> parting(["ts;p;y"])
    "The fields seem to be parted by ';': write them with commas, with tabs as .tsv, or as Parquet."
    """
    mark = next((mark for mark in ";\t|" if mark in header[0]), None) if len(header) == 1 else None
    if mark is None:
        return ""
    return f"The fields seem to be parted by {mark!r}: write them with commas, with tabs as .tsv, or as Parquet."


def _parsed(source: Path | pa.Buffer, delimiter: str, block: int) -> tuple[pa.Table, int]:
    broken = 0

    def skip(_: object) -> str:
        nonlocal broken
        broken += 1
        return "skip"

    def opened() -> Path | pa.BufferReader:
        return source if isinstance(source, Path) else pa.BufferReader(source)

    parse = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip)
    read = pyarrow.csv.ReadOptions(block_size=block)
    with pyarrow.csv.open_csv(opened(), parse_options=parse, read_options=read) as file:
        header = file.schema.names
    broken = 0
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.binary()), strings_can_be_null=True, null_values=[""]
    )
    table = pyarrow.csv.read_csv(opened(), parse_options=parse, read_options=read, convert_options=convert)
    return table, broken


def _is_utf_8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with pa.input_stream(path) as file:
        try:
            while piece := file.read(_CHECKED):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _as_utf_8(path: Path) -> pa.Buffer:
    with pa.input_stream(path) as file:
        content = file.read()
    encoding = "utf-16" if content.startswith(_UTF_16) else "utf-8"
    return pa.py_buffer(content.decode(encoding, "replace").encode())
