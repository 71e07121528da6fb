"""PostgreSQL sums inputs up to what this package's own stream comes to, whatever the cells are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from monitoring.baseline.profile import Bins
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.engines.engine import work_of
from monitoring.engines.sql import SqlEngine
from monitoring.engines.sql_relation import ROWS, DatabaseRelation, condition
from monitoring.engines.sql_sums import word_counts
from monitoring.engines.task import LocalEngine
from monitoring.errors import BadInput, CannotRun
from monitoring.timestamps import as_microseconds
from monitoring.traffic.cells import as_strings
from monitoring.traffic.remote.sql_query import SqlQuery
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.windows import Window
from tests.monitoring.engines.engine_rows import Ready, by_window, ready
from tests.monitoring.engines.engine_runs import hostile_rows
from tests.monitoring.engines.sql_edges import (
    NUMBERS,
    SPANS,
    WORDS,
    check_numbers,
    check_scans,
    check_words,
    exact_bytes,
    mixed_rows,
    rows_with,
)
from tests.monitoring.engines.test_sql import shared_ids_of, source_of
from tests.own_table import watch
from tests.postgresql_server import started_postgresql
from tests.small_deployment import LIVE

#: Types of columns by the Arrow type of their cells.
_TYPES = {"double": "float8", "float": "float4", "int64": "int8", "int32": "int4", "bool": "boolean", "string": "text"}

Fill = Callable[[pa.Table], DatabaseRelation]


@pytest.fixture(scope="module", params=["psycopg", "pg8000"])
def fill(request: pytest.FixtureRequest) -> Iterator[Fill]:
    """Puts rows into a table of a server whose sessions have another time zone, and gives the relation of a query."""
    with started_postgresql() as server:
        engine = sa.create_engine(server.url_by(request.param), poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER ROLE me SET timezone = 'Asia/Kolkata'")

        def filled(rows: pa.Table) -> DatabaseRelation:
            kinds = {field.name: _kind(field.type) for field in rows.schema}
            marks = ", ".join(f":{name}" for name in kinds)
            columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
            with engine.begin() as connection:
                connection.exec_driver_sql("DROP TABLE IF EXISTS live")
                connection.exec_driver_sql(f"CREATE TABLE live ({columns})")
                connection.execute(sa.text(f"INSERT INTO live VALUES ({marks})"), rows.to_pylist())  # noqa: S608 - names of columns
            return DatabaseRelation(SqlQuery(url=server.url_by(request.param), text="SELECT * FROM live"), "ts", "id")

        yield filled
        engine.dispose()


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "timestamptz"
    return "numeric" if pa.types.is_decimal(kind) else _TYPES[str(kind)]


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_fall_into_the_same_bins(kind: str, fill: Fill) -> None:
    check_numbers(fill(rows_with(NUMBERS[kind])), NUMBERS[kind])


@pytest.mark.parametrize("kind", WORDS)
def test_words_are_counted_by_their_bytes(kind: str, fill: Fill) -> None:
    check_words(fill(rows_with(WORDS[kind])), WORDS[kind])


def test_inputs_of_all_types_are_counted_in_a_scan_for_numbers_and_one_for_each_type_of_category(fill: Fill) -> None:
    check_scans(fill(mixed_rows()))


def test_an_id_is_a_value_whatever_it_says(fill: Fill) -> None:
    ids = ["a :end b", "it's", "a\\", "100% %(start)s", ":id_0", "') OR 1 = 1 --"]
    rows = pa.table({"id": ids, "ts": pa.array([LIVE] * len(ids), pa.timestamp("us", "UTC"))})
    relation = fill(rows)
    bounds = {"start": LIVE - timedelta(days=1), "end": LIVE + timedelta(days=1)}
    relation.query = replace(
        relation.query, text=f"{relation.query.text} WHERE ts >= :start AND ts < :end", bounds=bounds
    )
    for one in ids:
        (found,) = relation.batches(["id"], ids=[one])
        assert found["id"].to_pylist() == [one]
    assert not list(relation.batches(["id"], ids=["none"]))
    others = condition(relation, None, without=ids[1:])
    counted = relation.table(f"SELECT count(*) AS n FROM {ROWS} WHERE {others}")  # noqa: S608 - what is tested
    assert counted["n"].to_pylist() == [1]


def test_a_collation_that_folds_case_folds_nothing_here(fill: Fill) -> None:
    relation = fill(rows_with(pa.array(["a", "A"])))
    folding = "(provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
    statements = (
        f"CREATE COLLATION IF NOT EXISTS folding {folding}",
        "ALTER TABLE live ALTER x TYPE text COLLATE folding",
    )
    with sa.create_engine(relation.query.url, poolclass=sa.NullPool).begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        assert connection.exec_driver_sql("SELECT count(DISTINCT x) FROM live").scalar() == 1
    profiles = ProfileBuilder((Bins(feature="x", categories=("a", "A")),))
    columns = TableColumns(inputs={"x": "category"})
    counts = word_counts(relation, ["x"], SPANS, (), columns=columns, profiles=profiles)["x"]
    assert [each.counts for each in counts] == [(1, 0, 0), (0, 1, 0)]


def test_values_of_other_types_are_counted_as_they_are_fetched(fill: Fill) -> None:
    relation = fill(rows_with(pa.array(["a", None])))
    kinds, identity = ("mood", "uuid", "char(3)", "bytea"), "00000000-0000-0000-0000-00000000000a"
    with sa.create_engine(relation.query.url, poolclass=sa.NullPool).begin() as connection:
        for statement in (
            "DROP TYPE IF EXISTS mood CASCADE",
            "CREATE TYPE mood AS ENUM ('b', 'a')",
            *(f'ALTER TABLE live ADD "of {kind}" {kind}' for kind in kinds),
            f"INSERT INTO live VALUES ('one', '1970-01-01Z', NULL, 'a', '{identity}', 'a', 'a')",  # noqa: S608 - one above
        ):
            connection.exec_driver_sql(statement)
    names = [f"of {kind}" for kind in kinds]
    profiles = ProfileBuilder(tuple(Bins(feature=name, categories=("b",)) for name in names))
    columns = TableColumns(inputs=dict.fromkeys(names, "category"))
    found = word_counts(relation, names, SPANS, (), columns=columns, profiles=profiles)
    (fetched,) = relation.batches(names, ids=["one"])
    assert fetched["of mood"].to_pylist() == ["a"]
    for name in names:
        first, second = found[name]
        assert first.others.word_counts == ((as_strings(fetched[name])[0].as_py(), 1),), name
        assert (first.missing, second.missing) == (1, 1), name


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return ready(watch(tmp_path_factory.mktemp("watched")), tmp_path_factory.mktemp("live"), hostile_rows())


def test_windows_are_those_of_the_own_stream_to_the_byte(deployed: Ready, tmp_path: Path, fill: Fill) -> None:
    days = tuple(Window(start=LIVE + timedelta(days=day), end=LIVE + timedelta(days=day + 1)) for day in range(41))
    relation = fill(hostile_rows())
    source = source_of(deployed, relation, tmp_path)
    engine = SqlEngine(
        relation, frozenset(("id", "ts", "y", "known_at", "on_time", "late", "origin")), shared_ids_of(hostile_rows())
    )
    found = by_window(engine, deployed.recipe, list(work_of(source.table, days, rows=500)))
    own = by_window(LocalEngine(), deployed.recipe, deployed.work(10**9, days))
    assert found.keys() == own.keys()
    for start, partial in own.items():
        assert exact_bytes(partial, deployed.recipe) == exact_bytes(found[start], deployed.recipe)


def test_an_index_on_the_event_time_answers_the_span_of_a_window(fill: Fill) -> None:
    many = pa.table(
        {"ts": [LIVE + timedelta(minutes=place) for place in range(60_000)], "id": list(map(str, range(60_000)))}
    )
    relation = fill(many)
    span = (as_microseconds(LIVE + timedelta(days=20)), as_microseconds(LIVE + timedelta(days=21)))
    where = condition(relation, span)
    engine = sa.create_engine(relation.query.url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql('CREATE INDEX ON live ("ts")')
        connection.exec_driver_sql("ANALYZE live")
        rows = f"WITH pitfalls_rows AS (SELECT * FROM live) SELECT count(*) FROM pitfalls_rows WHERE {where}"  # noqa: S608 - times
        plan = "\n".join(line for (line,) in connection.exec_driver_sql(f"EXPLAIN {rows}"))
        before = "\n".join(
            line for (line,) in connection.exec_driver_sql(f"EXPLAIN {rows.replace(where, where.split(' AND ', 2)[2])}")
        )
        assert connection.exec_driver_sql(rows).scalar() == 1440
    engine.dispose()
    assert "Index" in plan, plan
    assert "Seq Scan" in before, before


def test_a_statement_that_the_server_refuses_is_one_error(fill: Fill) -> None:
    relation: Any = fill(rows_with(pa.array([1.0])))
    with pytest.raises(BadInput, match="refuses the query"):
        relation.table("SELECT no_such_function(x) FROM pitfalls_rows")
    away = DatabaseRelation(SqlQuery(url="postgresql+psycopg://me@127.0.0.1:1/none", text="SELECT 1"), "ts", "id")
    with pytest.raises(CannotRun, match="could not be run"):
        _ = away.schema
