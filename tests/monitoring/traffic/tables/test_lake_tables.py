"""Delta Lake and Apache Iceberg tables as the real libraries write them: current rows alone, partitions included."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.memory import InMemoryCatalog

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.tables.files import is_table, pieces_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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


def test_text_is_text_however_the_library_holds_it(tmp_path: Path) -> None:
    iceberg(tmp_path / "table")
    (piece,) = pieces_of(tmp_path / "table")
    assert piece.read().table.schema.field("day").type == pa.string()


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
