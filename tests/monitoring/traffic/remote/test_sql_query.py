"""Rows of SQL queries: every type, any number of rows, and errors before anything is written."""

from __future__ import annotations

import gc
import socket
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.remote import sql_query
from monitoring.traffic.remote.sql_query import SqlQuery, query_to_parquet, within
from tests.postgresql_server import postgresql_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with a table of five rows."""
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("CREATE TABLE scores (id INTEGER, name TEXT, score REAL, late INTEGER)")
    rows = [(number, f"n:{number}", number / 4, None if number < 3 else number) for number in range(5)]
    connection.executemany("INSERT INTO scores VALUES (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return f"sqlite:///{tmp_path}/a.db"


def test_rows_are_written_in_the_order_of_the_query(url: str, tmp_path: Path) -> None:
    target = tmp_path / "rows.parquet"
    assert query_to_parquet(SqlQuery(url=url, text="SELECT id, name, score FROM scores ORDER BY id DESC;"), target) == 5
    table = pq.read_table(target)
    assert table.to_pylist()[0] == {"id": 4, "name": "n:4", "score": 1.0}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_column_that_begins_empty_has_the_type_of_its_later_values(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_query, "ROWS_AT_ONCE", 2)
    target = tmp_path / "rows.parquet"
    assert query_to_parquet(SqlQuery(url=url, text="SELECT id, late FROM scores ORDER BY id"), target) == 5
    assert pq.read_schema(target).field("late").type == pa.int64()
    assert pq.read_table(target)["late"].to_pylist() == [None, None, None, 3, 4]


def test_colons_and_percent_signs_are_taken_as_they_are(url: str, tmp_path: Path) -> None:
    target = tmp_path / "rows.parquet"
    query_to_parquet(
        SqlQuery(url=url, text="SELECT '12:30:00' AS t, name FROM scores WHERE name LIKE 'n:%' AND id % 2 = 0"), target
    )
    assert pq.read_table(target).to_pylist() == [{"t": "12:30:00", "name": f"n:{number}"} for number in (0, 2, 4)]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT id FROM scores WHERE id > 9", "The query has no rows"),
        ("SELECT id, score AS id FROM scores", "share a name"),
        ("SELECT CASE WHEN id < 2 THEN id ELSE name END AS mixed FROM scores", "values of several kinds"),
        ("SELECT FROM", "could not be run"),
        ("DELETE FROM scores", "attempt to write a readonly database"),
        ("SELECT * FROM scores WHERE id < :start", "bindings supplied"),
    ],
)
def test_a_query_that_cannot_be_used_writes_nothing(url: str, tmp_path: Path, query: str, message: str) -> None:
    target = tmp_path / "rows.parquet"
    with pytest.raises((BadInput, CannotRun), match=message):
        query_to_parquet(SqlQuery(url=url, text=query), target)
    assert not target.exists()
    assert query_to_parquet(SqlQuery(url=url, text="SELECT id FROM scores"), target) == 5


@pytest.mark.parametrize(
    ("wrong", "error"),
    [("nowhere://host/a", BadInput), ("no url", BadInput), ("sqlite:////no/such/folder/a.db", CannotRun)],
)
def test_a_database_that_cannot_be_opened_is_an_error_without_its_password(
    tmp_path: Path, wrong: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        query_to_parquet(SqlQuery(url=wrong.replace("host", "me:hush@host"), text="SELECT 1"), tmp_path / "a.parquet")
    assert "hush" not in str(raised.value)


@pytest.fixture(scope="module")
def postgresql_url() -> Iterator[str]:
    with postgresql_server() as url:
        yield url


def test_a_query_of_postgresql_is_streamed_with_its_types(postgresql_url: str, tmp_path: Path) -> None:
    query = """
        SELECT i::bigint AS id, (i / 8.0)::numeric(9, 3) AS score, timestamptz '2024-01-01 12:00:00+00' AS time,
               i % 2 = 0 AS even, NULLIF('x', 'x') AS nothing, gen_random_uuid() AS key
        FROM generate_series(1, 10) AS i ORDER BY i
    """
    target = tmp_path / "rows.parquet"
    assert query_to_parquet(SqlQuery(url=postgresql_url, text=query), target) == 10
    first = pq.read_table(target).to_pylist()[0]
    assert (first["id"], first["score"], first["even"], first["nothing"]) == (1, 0.125, False, None)
    assert first["time"] == datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert len(first["key"]) == 36
    with pytest.raises(BadInput, match="refuses"):
        query_to_parquet(
            SqlQuery(url=postgresql_url, text="CREATE TABLE intruder AS SELECT 1 AS one"), tmp_path / "b.parquet"
        )


def test_bounds_are_parameters_and_other_colons_are_none(url: str, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("CREATE TABLE times (at TEXT, name TEXT)")
    days = [(f"2024-01-{day:02}T10:00:00Z", "n:start") for day in range(1, 11)]
    connection.executemany("INSERT INTO times VALUES (?, ?)", days)
    connection.commit()
    connection.close()
    text = "SELECT at FROM times WHERE at >= :start AND at < :end AND name = 'n:start'"
    bounds = {"start": datetime(2024, 1, 3, tzinfo=UTC), "end": datetime(2024, 1, 5, tzinfo=UTC)}
    target = tmp_path / "rows.parquet"
    assert query_to_parquet(SqlQuery(url=url, text=text, bounds=bounds), target) == 2
    nothing = {name: bound.replace(year=2030) for name, bound in bounds.items()}
    assert query_to_parquet(SqlQuery(url=url, text=text, bounds=nothing), target) == 0
    assert (pq.read_metadata(target).num_row_groups, pq.read_schema(target).names) == (0, ["at"])


def test_names_and_types_are_checked_with_the_first_rows_and_before_the_rest(url: str, tmp_path: Path) -> None:
    seen: list[pa.Schema] = []

    def check(schema: pa.Schema) -> None:
        seen.append(schema)
        raise BadInput("Wrong.", got="this", expected="that", fix="Mend it.")

    with pytest.raises(BadInput, match="Wrong"):
        query_to_parquet(SqlQuery(url=url, text="SELECT id, name FROM scores"), tmp_path / "a.parquet", check=check)
    assert [one.names for one in seen] == [["id", "name"]]
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


def test_a_database_that_never_answers_is_left_at_the_deadline(postgresql_url: str, url: str, tmp_path: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    for place in (url, postgresql_url):
        with pytest.raises(CannotRun, match=r"took too long.*not done within 0.2 s"):
            query_to_parquet(SqlQuery(url=place, text=endless, seconds=0.2), tmp_path / "a.parquet")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_takes_the_connection_and_says_nothing_is_left_at_the_deadline(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        mute = SqlQuery(url=f"postgresql+pg8000://me@127.0.0.1:{port}/a", text="SELECT 1", password="hush", seconds=0.2)
        with pytest.raises(CannotRun, match="took too long") as raised:
            query_to_parquet(mute, tmp_path / "a.parquet")
    assert "hush" not in f"{raised.value}{mute}"
    for thread in threading.enumerate():
        if thread.name == "deadline":
            thread.join(5)
    del raised
    gc.collect()  # the driver leaves the socket of a connection that failed to the collector, which warns


def test_the_password_is_that_of_the_user_of_the_url(postgresql_url: str, tmp_path: Path) -> None:
    query = SqlQuery(url=postgresql_url, text="SELECT 1 AS one", password="p@ss/word")
    assert query_to_parquet(query, tmp_path / "a.parquet") == 1


def test_a_column_whose_later_rows_are_of_another_kind_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_query, "ROWS_AT_ONCE", 2)
    query = "SELECT id, CASE WHEN id < 2 THEN id ELSE name END AS mixed FROM scores ORDER BY id"
    with pytest.raises(BadInput, match=r"several kinds\. Got .*mixed.* has incompatible types: int64 vs string"):
        query_to_parquet(SqlQuery(url=url, text=query), tmp_path / "a.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


def test_a_query_that_is_left_ends_between_two_parts(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_query, "ROWS_AT_ONCE", 2)
    released = threading.Event()

    def check(_: pa.Schema) -> None:
        released.wait(5)

    slow = SqlQuery(url=url, text="SELECT id FROM scores", seconds=0.05)
    with pytest.raises(CannotRun, match="took too long"):
        query_to_parquet(slow, tmp_path / "a.parquet", check=check)
    released.set()
    for thread in threading.enumerate():
        if thread.name == "deadline":
            thread.join(5)
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


def test_work_that_hangs_is_left_and_told_that_nobody_waits() -> None:
    told = threading.Event()

    def hang(stopped: Callable[[], bool]) -> None:
        while not stopped():
            pass
        told.set()

    with pytest.raises(TimeoutError, match=r"not done within 0\.05 s"):
        within(0.05, hang)
    assert told.wait(5)


def test_an_error_of_the_work_is_raised_even_if_it_is_a_time_out_too() -> None:
    def fail(_: Callable[[], bool]) -> NoReturn:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        within(5.0, fail)


def test_what_is_done_meanwhile_may_end_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_query, "MEANWHILE_SECONDS", 0.01)
    calls: list[int] = []

    def meanwhile() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyError("taken over")

    with pytest.raises(KeyError):
        within(5.0, lambda stopped: threading.Event().wait(0.5) or stopped(), meanwhile=meanwhile)
    assert len(calls) == 3
