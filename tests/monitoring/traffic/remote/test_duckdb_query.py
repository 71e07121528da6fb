"""Rows of a DuckDB file: types, bounds, and errors before anything is written."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.remote.sql_query import SqlQuery, query_to_parquet

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with a table of five rows, one a day from the first of January."""
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE scores AS SELECT n AS id, TIMESTAMPTZ '2025-01-01 00:00:00+00' + n * INTERVAL 1 DAY AS ts, "
            "(n / 4)::DECIMAL(9, 3) AS p, uuid() AS key, ('a' || n)::ENUM ('a0', 'a1', 'a2', 'a3', 'a4') AS kind "
            "FROM range(5) AS numbers(n)"
        )
    return f"duckdb:///{tmp_path}/a.duckdb"


def test_rows_between_the_bounds_are_written_with_plain_types(url: str, tmp_path: Path) -> None:
    bounds = {"start": datetime(2025, 1, 2, tzinfo=UTC), "end": datetime(2025, 1, 4, tzinfo=UTC)}
    query = SqlQuery(url=url, text="SELECT * FROM scores WHERE ts >= :start AND ts < :end ORDER BY id", bounds=bounds)
    assert query_to_parquet(query, tmp_path / "rows.parquet") == 2
    table = pq.read_table(tmp_path / "rows.parquet")
    assert table.select(["id", "p", "kind"]).to_pydict() == {"id": [1, 2], "p": [0.25, 0.5], "kind": ["a1", "a2"]}
    assert table["ts"].cast(pa.timestamp("us", "UTC")).to_pylist()[0] == bounds["start"]
    assert len(table["key"].cast(pa.string())[0].as_py()) == 36


def test_files_beside_the_database_can_be_read(url: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"p": [0.5, 0.75]}), tmp_path / "more.parquet")
    query = SqlQuery(url=url, text="FROM '{}'".format(tmp_path / "more.parquet"))
    assert query_to_parquet(query, tmp_path / "rows.parquet") == 2


def test_a_view_of_somebody_else_s_file_reads_no_other_file_and_no_extension_is_loaded(
    url: str, tmp_path: Path
) -> None:
    (tmp_path / "secret.csv").write_text("word\nhidden\n")
    with duckdb.connect(url.removeprefix("duckdb:///")) as connection:
        connection.read_csv(str(tmp_path / "secret.csv")).create_view("harmless")
    for text in ("SELECT * FROM harmless", "INSTALL httpfs", "LOAD httpfs", "SET enable_external_access = true"):
        with pytest.raises(BadInput, match="refuses the query"):
            query_to_parquet(SqlQuery(url=url, text=text), tmp_path / "rows.parquet")
    assert not (tmp_path / "rows.parquet").exists()
    with pytest.raises(BadInput, match="name the file in the query itself"):
        query_to_parquet(SqlQuery(url=url, text="SELECT * FROM harmless"), tmp_path / "rows.parquet")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT nothing FROM scores", "refuses the query"),
        ("DROP TABLE scores", "refuses the query"),
        ("SELECT id, id FROM scores", "share a name"),
        ("SELECT id FROM scores WHERE id > 9", "no rows"),
    ],
)
def test_a_query_that_cannot_be_used_writes_nothing(url: str, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        query_to_parquet(SqlQuery(url=url, text=text), tmp_path / "rows.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["a.duckdb"]


def test_a_file_that_is_absent_or_written_by_another_process_cannot_be_opened(url: str, tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="no such database"):
        query_to_parquet(SqlQuery(url="duckdb:///absent.duckdb", text="SELECT 1"), tmp_path / "rows.parquet")
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    path = url.removeprefix("duckdb:///")
    with subprocess.Popen([sys.executable, "-c", hold, path], stdin=-1, stdout=-1, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "held\n"
        with pytest.raises(CannotRun, match="no other process writes"):
            query_to_parquet(SqlQuery(url=url, text="SELECT 1"), tmp_path / "rows.parquet")
        writer.communicate()
