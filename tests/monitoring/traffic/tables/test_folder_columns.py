"""Columns of folders called NAME=VALUE are those of every row below."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from monitoring.traffic.tables import text_parts
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import is_table, pieces_of
from monitoring.traffic.tables.piece_reader import PieceReader

DAYS = {"2026-10-01": [1.5, 2.5], "__HIVE_DEFAULT_PARTITION__": [3.5]}
REMARK = "the columns day, shop are read from the names of folders, as text"


def write(folder: Path, kind: str) -> None:
    for day, numbers in DAYS.items():
        below = folder / f"day={day}" / "shop=No%201"
        below.mkdir(parents=True)
        rows = pa.table({"x": numbers})
        if kind == "parquet":
            pq.write_table(rows, below / "part-0.parquet", row_group_size=1)
        elif kind == "csv":
            pyarrow.csv.write_csv(rows, below / "part-0.csv")
        else:
            (below / "part-0.jsonl").write_text("".join(f'{{"x": {number}}}\n' for number in numbers))


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl", "csv in parts"])
@pytest.mark.parametrize("pattern", ["", "**/*.*"])
def test_each_row_has_the_columns_of_its_folders(
    tmp_path: Path, kind: str, pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_parts, "LARGE", 0)
    write(tmp_path, kind.split(maxsplit=1)[0])
    assert is_table(tmp_path)
    pieces = pieces_of(tmp_path / pattern if pattern else tmp_path, in_parts=kind == "csv in parts")
    reader = PieceReader(TableColumns())
    found: list[tuple[str | None, ...]] = []
    for piece in pieces:
        header = reader.header(piece)
        assert header.table.column_names == ["x", "day", "shop"]
        assert header.remarks[-1] == REMARK
        raw = piece.read(["x", "day", "shop"])
        cells = [raw.cells(name).cast(pa.string()).to_pylist() for name in ("x", "day", "shop")]
        found += zip(*cells, strict=True)
        assert piece.read(["day"]).table.column_names == ["day"]
        assert sum(len(part.table) for _, part in piece.batches(["shop"], (), 1)) == len(raw.table)
    assert sorted(found, key=str) == [
        ("1.5", "2026-10-01", "No 1"),
        ("2.5", "2026-10-01", "No 1"),
        ("3.5", None, "No 1"),
    ]


def test_a_column_of_the_file_counts_in_place_of_one_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "x=7").mkdir()
    pq.write_table(pa.table({"x": [1]}), tmp_path / "x=7" / "a.parquet")
    (piece,) = pieces_of(tmp_path)
    assert piece.read().table.to_pydict() == {"x": [1]}
    assert PieceReader(TableColumns()).header(piece).remarks == ()


def test_cells_of_folders_are_text_whatever_type_the_files_have(tmp_path: Path) -> None:
    write(tmp_path, "parquet")
    for piece in pieces_of(tmp_path):
        raw = piece.read(["x", "day"])
        assert (raw.has_text_cells("day"), raw.has_text_cells("x")) == (True, False)
        ((_, batch),) = piece.batches(["x", "day"], (), 10)
        assert batch.text_cells() >= {"day"}


def test_folders_above_the_table_are_no_columns(tmp_path: Path) -> None:
    write(tmp_path / "lake=a", "parquet")
    (piece, *_) = pieces_of(tmp_path / "lake=a" / "day=2026-10-01")
    assert piece.read().table.column_names == ["x", "shop"]


def test_a_log_is_none_and_a_table_by_model_is_one(tmp_path: Path) -> None:
    (tmp_path / "log" / "model=m" / "version=1" / "date=2026-10-01").mkdir(parents=True)
    assert not is_table(tmp_path / "log")
    write(tmp_path / "table" / "model=m", "parquet")
    assert is_table(tmp_path / "table")
    (tmp_path / "new" / "model=m").mkdir(parents=True)
    assert not is_table(tmp_path / "new")
