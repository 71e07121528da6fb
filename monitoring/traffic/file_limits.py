"""Files that are looked at before they are read: footers, columns and sizes, so that a small file fills no memory."""

from __future__ import annotations

import codecs
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.errors import BadInput

#: Columns of a file, at most.
MOST_COLUMNS = 20_000

#: Bytes of a Parquet footer, which is parsed whole, at about fifteen times its size.
MOST_FOOTER = 1 << 26

#: Bytes of a text file that are looked at, at once.
LOOKED_AT = 1 << 20

#: Bytes that one line of a text file may have.
LONGEST_LINE = 1 << 25

#: Brackets that JSON may open within each other: parsers go one call deeper for each.
DEEPEST = 64

#: A file may expand by this much; one that stays below `HARMLESS` bytes by any.
MOST_EXPANSION = 1_000
HARMLESS = 1 << 26

#: Rows of a file that is shorter than a bit for each.
MOST_EMPTY_ROWS = 1_000_000

_MAGIC = b"PAR1"

#: What the nesting of JSON hangs on: brackets, and what shows which of them stand in texts.
_OPENS, _CLOSES, _QUOTE, _LINE = 1, 2, 3, 4
_BYTES = np.zeros(256, dtype=np.uint8)
_BYTES[[*b"[{"]], _BYTES[[*b"]}"]], _BYTES[[*b'"']], _BYTES[[*b"\n"]] = _OPENS, _CLOSES, _QUOTE, _LINE
_PLAIN = bytes(np.flatnonzero(_BYTES == 0).tolist())
_ESCAPED = re.compile(rb"\\.", re.DOTALL)


def check_parquet(path: Path) -> pq.FileMetaData:
    """Read the footer of a Parquet file, if it may be."""
    size = path.stat().st_size
    columns, footer = _schema_elements(path, size)
    if columns > MOST_COLUMNS + 1:
        refuse_columns(path, columns - 1)
    if footer > MOST_FOOTER:
        _refuse(path, f"a footer of {footer:,} bytes", f"at most {MOST_FOOTER:,}", "Write larger row groups.")
    metadata = pq.read_metadata(path)
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    plain = sum(group.total_byte_size for group in groups)
    check_expansion(path, size, max(plain, 8 * metadata.num_rows * metadata.num_columns), rows=metadata.num_rows)
    return metadata


def check_expansion(path: Path, size: int, plain: int, *, rows: int = 0) -> None:
    """Check how much larger a file's content is than the file."""
    if rows > MOST_EMPTY_ROWS and size < rows // 8:
        _refuse(
            path,
            f"{rows:,} rows in {size:,} bytes",
            "rows that differ: a file of one bit for each at least",
            "Check what wrote it: ids, times and scores of so many predictions take more.",
        )
    if plain > HARMLESS and plain > MOST_EXPANSION * size:
        _refuse(
            path,
            f"{size:,} bytes that expand to {plain:,}",
            f"at most {MOST_EXPANSION:,} times the file's size",
            "Leave out the column whose cells are so large or repeat, or write the file without compression.",
        )


def refuse_columns(path: Path, columns: int) -> NoReturn:
    """Raises BadInput for a file with too many columns."""
    _refuse(
        path,
        f"at least {columns:,} columns",
        f"at most {MOST_COLUMNS:,}",
        "Write the inputs that the model takes, or one column of lists.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLook:
    """What a pass over a text file shows.

    Attributes:
        start: its first bytes, at most `LOOKED_AT`.
        is_utf_8: whether it is UTF-8.
    """

    start: bytes
    ends: int
    is_utf_8: bool


def look_at_text(path: Path, *, whole: bool = True) -> TextLook:
    """Go through a text file, compressed or not, before it is parsed. Memory: `LOOKED_AT` bytes."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    size, start, is_utf_8 = path.stat().st_size, b"", True
    plain = ends = line = 0
    with pa.input_stream(path) as file:
        while piece := file.read(LOOKED_AT):
            start = start or piece
            plain += len(piece)
            breaks = piece.count(b"\n")
            ends += breaks
            line = len(piece) - piece.rfind(b"\n") - 1 if breaks else line + len(piece)
            if line > LONGEST_LINE:
                _refuse(
                    path, f"a line of more than {LONGEST_LINE:,} bytes", "shorter lines", "Leave out its long cell."
                )
            check_expansion(path, size, plain, rows=ends)
            is_utf_8 = is_utf_8 and _decodes(decoder, piece)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if whole and 2 * plain > memory:
        _refuse(
            path,
            f"{plain:,} bytes of text, which are read at once",
            f"at most half of this machine's memory of {memory:,} bytes",
            "Write it as Parquet, which is read in parts, or as several files.",
        )
    return TextLook(start=start, ends=ends, is_utf_8=is_utf_8 and _decodes(decoder, b"", final=True))


def check_nesting(path: Path) -> None:
    """Check how deep the JSON of a file nests, compressed or not. Cost: some 20 ms a megabyte."""
    nesting, rest = JsonNesting(), b""
    with pa.input_stream(path) as file:
        while piece := file.read(LOOKED_AT):
            text = rest + piece
            ends_within = (len(text) - len(text.rstrip(b"\\"))) % 2  # an escape whose character is still to come
            text, rest = text[: len(text) - ends_within], text[len(text) - ends_within :]
            if nesting.add(text) > DEEPEST:
                _refuse(
                    path,
                    f"values within more than {DEEPEST} others",
                    f"JSON that nests at most {DEEPEST} deep",
                    "Write the values that the model takes as columns of their own.",
                )


class JsonNesting:
    r"""How deep JSON nests, piece by piece; what stands in texts, which end with their line, does not count.

    >>> nesting = JsonNesting()
    >>> nesting.add(b'{"a": [1, "[[[", "\\"["'), nesting.add(b"]}")
    (2, 2)
    """

    def __init__(self) -> None:
        self._depth = 0
        self._in_text = False

    def add(self, text: bytes) -> int:
        """The next bytes, which do not end within an escape. Returns the depth of their deepest value."""
        kinds = _BYTES[np.frombuffer(_ESCAPED.sub(b"", text).translate(None, _PLAIN), dtype=np.uint8)]
        quotes = np.cumsum(kinds == _QUOTE) + self._in_text
        lines = np.flatnonzero(kinds == _LINE)
        before = np.repeat(np.concatenate([[0], quotes[lines]]), np.diff(lines, prepend=0, append=kinds.size))
        in_text = (quotes - before) % 2 == 1
        steps = np.where(in_text, 0, (kinds == _OPENS).astype(np.int64) - (kinds == _CLOSES))
        depths = np.concatenate([[self._depth], self._depth + np.cumsum(steps)])
        depths = depths - np.minimum(np.minimum.accumulate(depths), 0)
        if kinds.size:
            self._depth, self._in_text = int(depths[-1]), bool(in_text[-1])
        return int(depths.max())


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final=final)
    except UnicodeDecodeError:
        return False
    return True


def check_workbook(path: Path) -> None:
    """Check the sizes that the directory of an Excel file states.

    Raises:
        BadZipFile: it is no Excel file.
    """
    with zipfile.ZipFile(path) as archive:
        check_expansion(path, path.stat().st_size, sum(part.file_size for part in archive.infolist()))


def _refuse(path: Path, got: str, expected: str, fix: str) -> NoReturn:
    raise BadInput("A file of the table is not read.", got=f"{path}: {got}", expected=expected, fix=fix)


def _schema_elements(path: Path, size: int) -> tuple[int, int]:
    """How many elements the schema in a footer has, 0 where its first bytes do not say it; and the footer's bytes."""
    with path.open("rb") as file:
        file.seek(max(size - 8, 0))
        tail = file.read(8)
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != _MAGIC or length > size - 8:
            return 0, 0
        file.seek(size - 8 - length)
        head = file.read(16)
    # Thrift's compact protocol: the version, an i32, and the schema, a list of structs, which begins with its length.
    if len(head) < 16 or head[0] != 0x15 or head[1] & 0x80 or head[2] != 0x19 or head[3] & 0x0F != 0x0C:
        return 0, length
    if head[3] >> 4 < 15:
        return head[3] >> 4, length
    count = shift = 0
    for byte in head[4:]:
        count |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return count, length
