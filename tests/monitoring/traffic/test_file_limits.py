"""Small files that would fill the memory are refused before they are read, in a process whose memory is measured."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.traffic.file_limits import MOST_COLUMNS, JsonNesting, check_workbook
from monitoring.traffic.tables.files import pieces_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Reads a table as a run does; prints the error and the most memory that the process had, in bytes.
READ = """
import json, re, sys
from pathlib import Path
from monitoring.errors import BadInput
from monitoring.traffic.tables.files import pieces_of
try:
    rows = sum(piece.read().table.num_rows for piece in pieces_of(sys.argv[1]))
except BadInput as error:
    rows = str(error)
most = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())  # of this program, not of its parent
print(json.dumps([rows, int(most[1]) * 1024]))
"""
MOST_MEMORY = 400_000_000


def long_id(path: Path) -> None:
    table = pa.table({"prediction_id": ["a" * 100_000_000], "p": [0.5]})
    pq.write_table(table, path, compression="zstd")


def many_columns(path: Path) -> None:
    """A footer that begins as that of 200,000 columns does, as long as that one is."""
    footer = b"\x15\x04\x19\xfc\xc1\x9a\x0c".ljust(38_000_000, b"\0")
    path.write_bytes(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")


def many_rows(path: Path) -> None:
    part = pa.table({"event_time": np.zeros(1_000_000, np.int64), "p": np.zeros(1_000_000)})
    with pq.ParquetWriter(path, part.schema, compression="zstd") as writer:
        for _ in range(30):
            writer.write_table(part)


def many_lines(path: Path) -> None:
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(b"event_time,p\n")
        for _ in range(30):
            file.write(b"1970-01-01,0.5\n" * 200_000)


def long_line(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        file.write(b'{"id": "' + b"a" * 100_000_000 + b'"}\n')


def deep_lines(path: Path) -> None:
    """200 kB, which Arrow's parser follows until its stack is full."""
    path.write_text('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}\n")


def deep_over_lines(path: Path) -> None:
    path.write_text('{"t": "]]]", "a": ' + "[\n" * 100_000 + "]\n" * 100_000 + "}\n")


def wide_text(path: Path) -> None:
    path.write_text("\n".join((",".join(f"c{number}" for number in range(200_000)), "1," * 199_999 + "1")))


def wide_object(path: Path) -> None:
    path.write_text(json.dumps({f"c{number}": 1 for number in range(200_000)}) + "\n")


@pytest.mark.parametrize(
    ("name", "write", "got"),
    [
        ("id.parquet", long_id, "bytes that expand to 100,"),
        ("columns.parquet", many_columns, "at least 200,000 columns"),
        ("rows.parquet", many_rows, "30,000,000 rows"),
        ("rows.csv.gz", many_lines, "rows in"),
        ("line.jsonl.gz", long_line, "a line of more than"),
        ("deep.jsonl", deep_lines, "values within more than 64 others; expected JSON that nests at most 64 deep"),
        ("deeper.ndjson", deep_over_lines, "values within more than 64 others"),
        ("wide.csv", wide_text, "columns; expected at most 20,000"),
        ("wide.jsonl", wide_object, "columns; expected at most 20,000"),
    ],
)
def test_a_small_file_that_fills_the_memory_is_refused(
    tmp_path: Path, name: str, write: Callable[[Path], None], got: str
) -> None:
    path = tmp_path / name
    write(path)
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    error, memory = json.loads(done.stdout)
    assert got in str(error)
    assert "A file of the table is not read" in str(error)
    assert memory < MOST_MEMORY


def test_the_most_columns_that_are_read_are_read(tmp_path: Path) -> None:
    text = ",".join(f"c{number}" for number in range(MOST_COLUMNS)) + "\n" + "1," * (MOST_COLUMNS - 1) + "1\n"
    (tmp_path / "a.csv").write_text(text)
    (piece,) = pieces_of(tmp_path / "a.csv")
    assert piece.read().table.num_columns == MOST_COLUMNS


def test_a_table_of_real_rows_is_read_whatever_it_is_compressed_to(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pa.table({"p": rng.random(20_000), "constant": np.zeros(20_000), "text": ["one text"] * 20_000})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd")
    assert sum(piece.read().table.num_rows for piece in pieces_of(tmp_path / "a.parquet")) == 20_000


def test_a_workbook_that_expands_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.xml", "w") as part:
        for _ in range(100):
            part.write(b"\0" * 1_000_000)
    with pytest.raises(BadInput, match="expand to 100,000,000"):
        check_workbook(tmp_path / "a.xlsx")


@given(st.text('[]{}"\\\n a', max_size=40), st.integers(0, 40))
def test_the_nesting_of_json_is_that_of_its_characters_one_by_one(text: str, cut: int) -> None:
    parts = [text[:cut], text[cut:]]
    for at, part in enumerate(parts):
        if (len(part) - len(part.rstrip("\\"))) % 2:
            parts[at] += "x"
    nesting = JsonNesting()
    assert max(nesting.add(part.encode()) for part in parts) == deepest("".join(parts))


def deepest(text: str) -> int:
    depth = most = 0
    in_text = escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "\n":
            in_text = False
        elif character == '"':
            in_text = not in_text
        elif not in_text:
            depth = max(depth + (character in "[{") - (character in "]}"), 0)
            most = max(most, depth)
    return most
