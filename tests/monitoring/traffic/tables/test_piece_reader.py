"""Pieces are read in batches only where each cell can be read alone; both ways give the same rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import CannotRun
from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors
from monitoring.traffic.tables import piece_reader
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.piece_reader import PieceReader
from monitoring.traffic.tables.pieces import ParquetPiece, TablePiece
from tests.monitoring.traffic.tables.table_files import COLUMNS, parquet, rows_at, times

HOURS = [float(hour) for hour in range(10)]
IDS = [f"id-{hour:.0f}" for hour in HOURS]


def csv_piece(folder: Path, content: str = "ts,id,p\n2024-01-01,a,0.5\n", name: str = "a.csv") -> TablePiece:
    (folder / name).write_text(content)
    (piece,) = pieces_of(folder / name)
    return piece


def is_batched(folder: Path, table: pa.Table, **changes: object) -> bool:
    (piece,) = parquet(folder, table)
    return PieceReader(COLUMNS.replaced(**changes)).in_batches(piece)


@pytest.fixture
def four_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piece_reader, "ROWS", 4)


def test_parquet_with_timestamps_and_text_ids_is_read_in_batches(tmp_path: Path) -> None:
    assert is_batched(tmp_path, rows_at(HOURS, ids=IDS))
    assert is_batched(tmp_path, rows_at(HOURS))


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("ts", pa.array(["2024-01-01", "2024-01-02"])),
        ("ts", pa.array([date(2024, 1, 1), None])),
        ("ts", pa.array([1, 2])),
    ],
)
def test_a_column_whose_cells_depend_on_each_other_is_read_whole(tmp_path: Path, column: str, cells: pa.Array) -> None:
    table = rows_at([1, 2], ids=["a", "b"])
    assert not is_batched(tmp_path, table.set_column(table.column_names.index(column), column, cells))


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("id", pa.array([1, 2])),
        ("id", pa.array([1.0, 2.0])),
        ("id", pa.array([True, False])),
        ("city", pa.array([1, 2])),
        ("city", pa.array([1.0, 2.5])),
        ("city", pa.array([1.0, 2.5]).dictionary_encode()),
        ("age", pa.array([1.5, 2])),
    ],
)
def test_numbers_are_read_in_batches(tmp_path: Path, column: str, cells: pa.Array) -> None:
    table = rows_at([1, 2], ids=["a", "b"])
    assert is_batched(tmp_path, table.set_column(table.column_names.index(column), column, cells))


@pytest.mark.parametrize("name", ["ts", "id"])
def test_a_second_column_of_times_or_ids_is_read_whole(tmp_path: Path, name: str) -> None:
    table = rows_at([1, 2], ids=["a", "b"])
    assert not is_batched(tmp_path, table.append_column(name, table[name]))


def test_a_table_without_event_times_is_read_whole(tmp_path: Path) -> None:
    assert not is_batched(tmp_path, rows_at(HOURS).drop_columns(["ts"]))


def test_text_is_read_whole(tmp_path: Path) -> None:
    reader, piece = PieceReader(COLUMNS), csv_piece(tmp_path)
    assert not reader.in_batches(piece)
    ((first, raw),) = reader.batches(piece, ["p"])
    assert (first, raw.table.to_pydict(), raw.text) == (0, {"p": [b"0.5"]}, True)


@pytest.mark.usefixtures("four_at_a_time")
def test_batches_say_where_they_begin_and_come_to_the_whole(tmp_path: Path) -> None:
    (piece,) = parquet(tmp_path, rows_at(HOURS, ids=IDS))
    reader = PieceReader(COLUMNS)
    found = list(reader.batches(piece, ["id", "age", "absent"]))
    assert [(first, raw.table.num_rows) for first, raw in found] == [(0, 4), (4, 4), (8, 2)]
    whole = reader.whole(piece, ["id", "age"]).table
    assert pa.concat_tables([raw.table for _, raw in found]).to_pydict() == whole.to_pydict()


@pytest.mark.usefixtures("four_at_a_time")
def test_places_of_batches_count_from_their_own_row_group(tmp_path: Path) -> None:
    pieces = parquet(tmp_path, rows_at(HOURS), rows=6)
    reader = PieceReader(COLUMNS)
    found = [[(first, raw.table["age"].to_pylist()) for first, raw in reader.batches(p, ["age"])] for p in pieces]
    assert found == [[(0, [0, 1, 2, 3]), (4, [4, 5])], [(0, [6, 7, 8, 9])]]


def test_coded_columns_of_text_stay_a_dictionary(tmp_path: Path) -> None:
    (piece,) = parquet(tmp_path, rows_at(HOURS, ids=IDS))
    ((_, raw),) = PieceReader(COLUMNS).batches(piece, ["city", "age", "id"], coded=["city", "age"])
    kinds = dict(zip(raw.table.column_names, raw.table.schema.types, strict=True))
    assert pa.types.is_dictionary(kinds["city"])
    assert kinds["age"] == pa.int64()
    assert kinds["id"] == pa.string()


def test_the_header_of_parquet_has_every_column_and_no_rows(tmp_path: Path) -> None:
    table = rows_at(HOURS)
    (piece,) = parquet(tmp_path, table.append_column("age", table["age"]))
    header = PieceReader(COLUMNS).header(piece)
    assert (header.table.num_rows, header.duplicates) == (0, ("age",))
    assert header.table.column_names == table.column_names
    assert isinstance(piece, ParquetPiece)
    assert piece.schema().names == [*table.column_names, "age"]


def test_a_parsed_text_file_is_kept_until_it_is_forgotten(tmp_path: Path) -> None:
    reader, piece = PieceReader(COLUMNS), csv_piece(tmp_path)
    before = reader.header(piece)
    csv_piece(tmp_path, "ts,id,p\n2024-01-01,b,0.5\n")
    assert reader.whole(piece).table == before.table
    reader.forget()
    assert reader.whole(piece, ["id"]).table.to_pydict() == {"id": [b"b"]}


def test_parsed_text_files_beyond_the_limit_are_dropped_oldest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = PieceReader(COLUMNS)
    pieces = [csv_piece(tmp_path, name=f"{name}.csv") for name in "abc"]
    size = reader.whole(pieces[0]).table.nbytes
    monkeypatch.setattr(piece_reader, "PARSED_BYTES", 2 * size)
    for piece in (pieces[1], pieces[0], pieces[2]):
        reader.whole(piece)
    assert list(reader._parsed) == [pieces[0], pieces[2]]
    monkeypatch.setattr(piece_reader, "PARSED_BYTES", size - 1)
    assert reader.whole(pieces[1]).table.num_rows == 1
    assert not reader._parsed


def test_images_come_in_smaller_batches_and_only_where_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piece_reader, "IMAGE_ROWS", 3)
    (piece,) = parquet(tmp_path, rows_at(HOURS).append_column("photo", pa.array([b"\xff\xd8\xff"] * len(HOURS))))
    described = EncodedImageDescriptors(source="photo")
    reader = PieceReader(COLUMNS.replaced(inputs=described.kinds, described=(described,)))
    assert [first for first, _ in reader.batches(piece, ["photo"])] == [0, 3, 6, 9]
    assert [first for first, _ in reader.batches(piece, ["age"])] == [0]


def test_a_file_that_is_gone_stops_the_run_however_it_is_read(tmp_path: Path) -> None:
    (piece,) = parquet(tmp_path, rows_at(HOURS))
    assert isinstance(piece, ParquetPiece)
    reader = PieceReader(COLUMNS)
    assert reader.in_batches(piece)
    Path(piece.path).unlink()
    with pytest.raises(CannotRun):
        piece.schema()
    with pytest.raises(CannotRun):
        list(reader.batches(piece, ["age"]))
    with pytest.raises(CannotRun):
        PieceReader(COLUMNS).in_batches(piece)


def test_a_damaged_page_stops_the_run(tmp_path: Path) -> None:
    pq.write_table(pa.table({"ts": times(HOURS)}), tmp_path / "0.parquet", compression="none")
    content = bytearray((tmp_path / "0.parquet").read_bytes())
    content[4:40] = b"\xff" * 36
    (tmp_path / "0.parquet").write_bytes(content)
    (piece,) = pieces_of(tmp_path)
    with pytest.raises(CannotRun):
        list(PieceReader(COLUMNS).batches(piece, ["ts"]))
