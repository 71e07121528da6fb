"""Delta Lake and Apache Iceberg tables as the real libraries write them: current rows alone, partitions included."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.memory import InMemoryCatalog
from pyiceberg.manifest import DataFileContent
from pyiceberg.types import LongType, StringType

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.tables.files import is_table, pieces_of
from monitoring.traffic.tables.pieces import ParquetPiece
from tests.lake_writers import delta_with_deletes, iceberg_delete, iceberg_table

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = pa.table({"day": ["a", "b", "b"], "x": [1.0, 2.0, None], "n": [1, 2, 3]})


def delta(path: Path) -> Callable[[], None]:
    """A table in two partitions; one row is deleted, two are appended twice. Gives what appends more."""
    write_deltalake(path, ROWS, partition_by=["day"])
    write_deltalake(path, ROWS, mode="append")
    DeltaTable(path).delete("day = 'a'")
    return lambda: write_deltalake(path, ROWS.slice(0, 1), mode="append")


def iceberg(path: Path) -> Callable[[], None]:
    """The same."""
    catalog = InMemoryCatalog("test", warehouse=path.parent.as_uri())
    catalog.create_namespace("n")
    table = catalog.create_table("n.t", schema=ROWS.schema, location=path.as_uri())
    table.append(ROWS)
    table.append(ROWS)
    table.delete("day == 'a'")
    return lambda: table.append(ROWS.slice(0, 1))


def rows_of(path: Path | str) -> list[tuple[object, ...]]:
    tables = [piece.read().table.select(["day", "x", "n"]) for piece in pieces_of(path)]
    return sorted((tuple(row.values()) for table in tables for row in table.to_pylist()), key=str)


@pytest.mark.parametrize("write", [delta, iceberg])
def test_the_rows_are_those_of_the_current_version(tmp_path: Path, write: Callable[[Path], Callable[[], None]]) -> None:
    append = write(tmp_path / "table")
    assert is_table(tmp_path / "table")
    assert rows_of(tmp_path / "table") == sorted([("b", 2.0, 2), ("b", None, 3)] * 2, key=str)
    append()
    assert ("a", 1.0, 1) in rows_of(tmp_path / "table")


def test_a_delta_table_at_a_url_is_read_too(tmp_path: Path) -> None:
    delta(tmp_path / "table")
    url = f"file://{tmp_path}/table"
    assert is_table(url)
    assert len(rows_of(url)) == 4


def test_files_go_by_their_paths_in_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    delta(tmp_path / "table")
    monkeypatch.chdir(tmp_path)
    for place in (tmp_path / "table", Path("table"), f"file://{tmp_path}/table"):
        assert {piece.name.partition("/")[0] for piece in pieces_of(place)} == {"day=b"}


def test_text_is_text_however_the_library_holds_it(tmp_path: Path) -> None:
    iceberg(tmp_path / "table")
    assert {piece.read().table.schema.field("day").type for piece in pieces_of(tmp_path / "table")} == {pa.string()}


def delta_without_rows(path: Path) -> None:
    delta_with_deletes(ROWS, path, [1])


def iceberg_without_rows(path: Path) -> None:
    iceberg_delete(iceberg_table(ROWS, path), [1])


@pytest.mark.parametrize("write", [delta_without_rows, iceberg_without_rows])
def test_rows_that_are_deleted_by_place_are_left_out(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "table")
    assert rows_of(tmp_path / "table") == [("a", 1.0, 1), ("b", None, 3)]
    (piece,) = pieces_of(tmp_path / "table")
    assert isinstance(piece, ParquetPiece)
    batches = [(first, raw.table["n"].to_pylist()) for first, raw in piece.batches(("n",), (), 2)]
    assert batches == [(0, [1]), (1, [3])]  # the rows that are left follow each other


def test_a_table_of_equality_deletes_is_refused(tmp_path: Path) -> None:
    iceberg_delete(iceberg_table(ROWS, tmp_path / "table"), [1], DataFileContent.EQUALITY_DELETES)
    with pytest.raises(CannotRun, match="An Apache Iceberg table cannot be read") as error:
        pieces_of(tmp_path / "table")
    assert "have Spark read it" in error.value.fix


@pytest.mark.parametrize("write", [delta, iceberg])
def test_pieces_stay_those_of_their_version(tmp_path: Path, write: Callable[[Path], Callable[[], None]]) -> None:
    append = write(tmp_path / "table")
    pinned = pieces_of(tmp_path / "table")
    append()
    assert sum(piece.read().table.num_rows for piece in pinned) == 4
    assert len(rows_of(tmp_path / "table")) == 5
    for file in (tmp_path / "table").rglob("*.parquet"):
        file.unlink()
    with pytest.raises(CannotRun, match="A file of the table cannot be read") as error:
        pinned[0].read()
    assert "Run again" in error.value.fix


def test_columns_that_were_added_renamed_and_widened_are_those_of_the_table(tmp_path: Path) -> None:
    table = iceberg_table(ROWS.set_column(2, "n", ROWS["n"].cast(pa.int32())), tmp_path / "table")
    with table.update_schema() as update:
        update.rename_column("x", "score")
        update.update_column("n", LongType())
        update.add_column("y", StringType())
        update.delete_column("day")
    table.append(pa.table({"score": [7.0], "n": [4], "y": ["new"]}))
    rows = [row for piece in pieces_of(tmp_path / "table") for row in piece.read().table.to_pylist()]
    assert sorted(rows, key=lambda row: row["n"]) == [
        {"score": 1.0, "n": 1, "y": None},
        {"score": 2.0, "n": 2, "y": None},
        {"score": None, "n": 3, "y": None},
        {"score": 7.0, "n": 4, "y": "new"},
    ]
    (old, *_) = sorted(pieces_of(tmp_path / "table"), key=lambda piece: -piece.read().table.num_rows)
    assert old.read().table.schema.field("n").type == pa.int64()
    assert isinstance(old, ParquetPiece)
    assert [raw.table.column_names for _, raw in old.batches(("y", "n"), ("y",), 10)] == [["n", "y"]]
    assert [raw.table["y"].to_pylist() for _, raw in old.batches(("y",), (), 2)] == [[None, None], [None]]


def test_columns_that_delta_lake_maps_are_found(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "table", ROWS.rename_columns(["c1", "c2", "c3"]))
    (log,) = (tmp_path / "table/_delta_log").glob("*.json")
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    for entry in entries:
        if "protocol" in entry:
            entry["protocol"] = {"minReaderVersion": 2, "minWriterVersion": 5}
        if "metaData" in entry:
            schema = json.loads(entry["metaData"]["schemaString"])
            for number, (each, name) in enumerate(zip(schema["fields"], ROWS.column_names, strict=True)):
                mapped = {"delta.columnMapping.id": number + 1, "delta.columnMapping.physicalName": each["name"]}
                each.update(name=name, metadata=mapped)
            entry["metaData"]["schemaString"] = json.dumps(schema)
            entry["metaData"]["configuration"] = {"delta.columnMapping.mode": "name"}
    log.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    assert rows_of(tmp_path / "table") == [("a", 1.0, 1), ("b", 2.0, 2), ("b", None, 3)]


@pytest.mark.parametrize("write", [delta, iceberg])
def test_files_at_a_url_are_opened_where_they_lie(tmp_path: Path, write: Callable[[Path], Callable[[], None]]) -> None:
    write(tmp_path / "table")
    pieces = pieces_of(f"file://{tmp_path}/table", in_place=True)
    assert sum(piece.read().table.num_rows for piece in pieces) == 4
    assert {piece.path for piece in pieces} == {Path(piece.path) for piece in pieces}  # type: ignore[attr-defined]


def test_without_its_library_a_table_is_refused_and_not_read_with_its_deleted_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delta(tmp_path / "table")
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(BadInput, match="pip install deltalake"):
        pieces_of(tmp_path / "table")


def test_a_damaged_table_is_an_error(tmp_path: Path) -> None:
    delta(tmp_path / "table")
    for log in (tmp_path / "table" / "_delta_log").glob("*.json"):
        log.write_text("{")
    with pytest.raises(CannotRun, match="A Delta Lake table cannot be read"):
        pieces_of(tmp_path / "table")
