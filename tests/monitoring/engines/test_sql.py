"""Inputs summed up in SQL come to what this package's own stream comes to, whatever the cells are."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from monitoring.baseline.profile import Bins
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.engines.engine import work_of
from monitoring.engines.sql import SqlEngine
from monitoring.engines.sql_relation import DuckDBRelation, SqlRelation
from monitoring.engines.sql_sums import row_counts, word_counts
from monitoring.engines.task import LocalEngine
from monitoring.errors import BadInput, CannotRun
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.relation_source import RemoteRows, open_relation
from monitoring.timestamps import as_microseconds
from monitoring.traffic.remote import sql_query
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.windows import Window
from tests.monitoring.engines.engine_rows import Ready, by_window, ready
from tests.monitoring.engines.engine_runs import hostile_rows
from tests.monitoring.engines.sql_edges import (
    NUMBERS,
    SPANS,
    WORDS,
    check_inputs,
    check_numbers,
    check_scans,
    check_words,
    exact_bytes,
    mixed_rows,
    rows_with,
)
from tests.own_table import NOW, watch
from tests.small_deployment import LIVE


def relation_of(table: pa.Table) -> DuckDBRelation:
    connection = duckdb.connect()
    connection.register("given", table)
    connection.execute("CREATE TABLE live AS SELECT * FROM given")
    return DuckDBRelation.of(connection.table("live"), "ts", "id")


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_fall_into_the_same_bins(kind: str) -> None:
    check_numbers(relation_of(rows_with(NUMBERS[kind])), NUMBERS[kind])


@pytest.mark.parametrize("kind", WORDS)
def test_words_are_counted_by_their_bytes(kind: str) -> None:
    check_words(relation_of(rows_with(WORDS[kind])), WORDS[kind])


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("kind", WORDS)
def test_values_beyond_those_that_come_at_once_take_further_statements(
    kind: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.engines.sql_sums.MOST_VALUES", most)
    check_words(relation_of(rows_with(WORDS[kind])), WORDS[kind])


def test_more_values_than_come_at_once_are_counted_as_those_of_a_file_are() -> None:
    words = pa.array([f"v{number % 140_000}" for number in range(490_000)])
    check_words(relation_of(rows_with(words)), words)


def test_inputs_of_all_types_are_counted_in_a_scan_for_numbers_and_one_for_each_type_of_category() -> None:
    check_scans(relation_of(mixed_rows()))


def test_more_inputs_than_one_scan_takes_are_counted_by_further_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.engines.sql_sums.MOST_INPUTS", 2)
    check_inputs(relation_of(mixed_rows()))


def test_a_collation_that_folds_case_folds_nothing_here() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE live (id VARCHAR, ts TIMESTAMP, x VARCHAR COLLATE NOCASE)")
    connection.execute("INSERT INTO live VALUES ('1', TIMESTAMP '1970-01-01', 'a'), ('2', TIMESTAMP '1970-01-01', 'A')")
    relation = DuckDBRelation.of(connection.table("live"), "ts", "id")
    profiles = ProfileBuilder((Bins(feature="x", categories=("a", "A")),))
    columns = TableColumns(inputs={"x": "category"})
    (counts,) = word_counts(relation, ["x"], SPANS[:1], (), columns=columns, profiles=profiles)["x"]
    assert counts.counts == (1, 1, 0)


def test_values_of_other_types_are_counted_as_text() -> None:
    connection = duckdb.connect()
    identity = "00000000-0000-0000-0000-00000000000a"
    connection.execute("CREATE TABLE live (id VARCHAR, ts TIMESTAMP, u UUID, e ENUM ('b', 'a'))")
    connection.execute(
        f"INSERT INTO live VALUES ('1', TIMESTAMP '1970-01-01', '{identity}', 'a'), ('2', NULL, NULL, NULL)"  # noqa: S608 - the line above
    )
    relation = DuckDBRelation.of(connection.table("live"), "ts", "id")
    names = ["u", "e"]
    profiles = ProfileBuilder(tuple(Bins(feature=name, categories=("b",)) for name in names))
    columns = TableColumns(inputs=dict.fromkeys(names, "category"))
    found = word_counts(relation, names, SPANS[:1], (), columns=columns, profiles=profiles)
    assert [found[name][0].others.word_counts for name in names] == [((identity, 1),), (("a", 1),)]


def test_nanoseconds_are_the_microseconds_before_them_whatever_the_zone() -> None:
    for zone in ("UTC", None):
        times = pa.array([-1, 999, 999_999, 1_000_000, 1_999_999]).cast(pa.timestamp("ns", zone))
        rows = pa.table({"id": ["1", "2", "3", "4", "5"], "ts": times})
        assert row_counts(relation_of(rows), [(-1, 0), *SPANS], ()) == [1, 2, 2]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return ready(watch(tmp_path_factory.mktemp("watched")), tmp_path_factory.mktemp("live"), hostile_rows())


def source_of(deployed: Ready, relation: SqlRelation, folder: Path) -> Any:
    def engine(narrow: frozenset[str], shared: Sequence[str]) -> SqlEngine:
        return SqlEngine(relation, narrow, shared)

    rows = RemoteRows(relation=relation, narrow=(*deployed.recipe.columns.answer, "origin"), engine=engine)
    spec = deployed.deployment.baseline.spec
    columns, scope = deployed.recipe.columns, ReadScope(job=True)
    return open_relation(rows, columns, spec, labels=(folder / "labels", None), clock=lambda: NOW, scope=scope)


def test_windows_are_those_of_the_own_stream(deployed: Ready, tmp_path: Path) -> None:
    days = tuple(Window(start=LIVE + timedelta(days=day), end=LIVE + timedelta(days=day + 1)) for day in range(41))
    relation = relation_of(hostile_rows())
    source = source_of(deployed, relation, tmp_path)
    engine = SqlEngine(
        relation, frozenset(("id", "ts", "y", "known_at", "on_time", "late", "origin")), shared_ids_of(hostile_rows())
    )
    found = by_window(engine, deployed.recipe, list(work_of(source.table, days, rows=500)))
    own = by_window(LocalEngine(), deployed.recipe, deployed.work(10**9, days))
    assert found.keys() == own.keys()
    for start, partial in own.items():
        other = found[start]
        assert partial.sums.answered.counts == other.sums.answered.counts
        assert partial.read == other.read
        assert exact_bytes(partial, deployed.recipe) == exact_bytes(other, deployed.recipe)


def shared_ids_of(rows: pa.Table) -> list[str]:
    """The ids that several rows have."""
    counts = pc.value_counts(rows["id"]).to_pylist()
    return sorted(each["values"] for each in counts if each["counts"] > 1)


def test_the_rows_of_a_window_come_whole_where_they_are_looked_at(deployed: Ready, tmp_path: Path) -> None:
    day = Window(start=LIVE, end=LIVE + timedelta(days=1))
    source = source_of(deployed, relation_of(hostile_rows()), tmp_path)
    (batch,) = source.rows(day).batches()
    inside = [row for row in hostile_rows().to_pylist() if as_microseconds(row["ts"]) < as_microseconds(day.end)]
    assert len(batch) == len(inside)
    assert repr(batch.features["temp"].to_pylist()) == repr([row["temp"] for row in inside])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows.drop_columns(["id"]), "no ids"),
        (lambda rows: rows.set_column(1, "ts", rows["ts"].cast(pa.string())), "no times"),
        (lambda rows: rows.set_column(0, "id", pa.nulls(rows.num_rows, pa.string())), "no id"),
    ],
    ids=["no ids", "times as text", "null ids"],
)
def test_rows_that_cannot_be_known_again_are_refused(change: Any, words: str, deployed: Ready, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=words):
        source_of(deployed, relation_of(change(hostile_rows())), tmp_path)


@pytest.mark.parametrize("gone", ["ts < (SELECT min(ts) + INTERVAL 1 HOUR FROM live)", "true"])
def test_rows_that_change_between_two_passes_stop_the_run(deployed: Ready, tmp_path: Path, gone: str) -> None:
    connection = duckdb.connect()
    connection.register("given", hostile_rows())
    connection.execute("CREATE TABLE live AS SELECT * FROM given")
    day = Window(start=LIVE, end=LIVE + timedelta(days=1))
    source = source_of(deployed, DuckDBRelation.of(connection.table("live"), "ts", "id"), tmp_path)
    source.expect([day])
    connection.execute(f"DELETE FROM live WHERE {gone}")  # noqa: S608 - of the two above
    with pytest.raises(CannotRun, match="changed while they were read"):
        source.rows(day).gather(deployed.deployment.judge.aggregator())


def test_the_lease_is_renewed_while_a_statement_of_duckdb_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_query, "MEANWHILE_SECONDS", 0.001)
    renewed, connection = threading.Event(), duckdb.connect()

    def slow(text: str) -> Any:
        assert renewed.wait(60)
        return connection.sql(text)

    relation = DuckDBRelation(slow, "ts", "id", meanwhile=renewed.set)
    assert relation.table("SELECT 1 AS one").to_pylist() == [{"one": 1}]
