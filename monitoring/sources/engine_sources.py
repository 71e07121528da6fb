"""Rows that stay where they are: a query of DuckDB, a table of Spark, or a relation of the user's own session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from monitoring.baseline.spec import BaselineSpec
from monitoring.config import MonitorConfig
from monitoring.config.addresses import is_database_url, redacted
from monitoring.engines.engine import Engine
from monitoring.engines.relation import Relation, check_relation, write_rows
from monitoring.engines.spark import SparkRelation, SparkRowsEngine, check_label_log, is_spark_frame, session
from monitoring.engines.sql import SqlEngine
from monitoring.engines.sql_relation import (
    DIALECTS,
    DatabaseRelation,
    DuckDBRelation,
    SqlRelation,
    dialect_of,
    scheme_of,
    transaction,
)
from monitoring.errors import BadInput
from monitoring.notifications.routes.secret import read_secret
from monitoring.sources.database_rows import FIRST, MARGIN
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.relation_source import RemoteRows, open_relation
from monitoring.sources.table_source import TableSource
from monitoring.timestamps import as_microseconds
from monitoring.traffic.remote.duckdb_query import time_literals
from monitoring.traffic.remote.sql_query import SqlQuery, with_bounds
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.extents import AHEAD
from monitoring.traffic.windows import Window

_DUCKDB = "duckdb:///"


def is_relation(value: object) -> bool:
    """Whether a value is a frame of Spark or a relation of DuckDB, of the user's own session."""
    kind = type(value)
    return is_spark_frame(value) or (
        kind.__name__ == "DuckDBPyRelation" and kind.__module__.partition(".")[0] in {"duckdb", "_duckdb"}
    )


def fetched_rows(live: Any, columns: TableColumns, window: Window, target: Path) -> Path:
    """Write the rows of one window of a frame of Spark, or of a relation of DuckDB, to a Parquet file."""
    names = (columns.event_time, columns.prediction_id)
    relation: Relation = SparkRelation(live, *names) if is_spark_frame(live) else DuckDBRelation.of(live, *names)
    check_relation(relation.schema, columns)
    between = (as_microseconds(window.start), as_microseconds(window.end))
    return write_rows(relation, target, relation.schema.names, between=between)


def experimental_database(config: MonitorConfig) -> str | None:
    """The database of a config whose engine is `sql`, if the statements were never run on it; None for all else."""
    path = str(config.traffic.path)
    if config.engine.kind != "sql" or not is_database_url(path):
        return None
    dialect = DIALECTS.get(scheme_of(path))
    return dialect.name if dialect is not None and dialect.experimental else None


def open_remote(
    config: MonitorConfig,
    table: tuple[TableColumns, BaselineSpec],
    live: Any,
    *,
    clock: Callable[[], datetime],
    scope: ReadScope,
    meanwhile: Callable[[], None],
) -> TableSource:
    """Open rows that stay where they are.

    Args:
        live: A frame of Spark or a relation of DuckDB; None for what the config names.
    """
    columns, spec = table
    labels: tuple[Path, Path | str | None] = (config.traffic.label_log, config.traffic.labels)
    if live is None and config.engine.kind == "spark":
        live = session(config.engine.master).table(config.engine.table)
    if live is not None and is_spark_frame(live):
        check_label_log(config.traffic.label_log)
        frame = SparkRelation(live, columns.event_time, columns.prediction_id)

        def by_spark(_: frozenset[str], shared: Sequence[str]) -> Engine:
            return SparkRowsEngine(live.sparkSession, frame, shared, meanwhile=meanwhile)

        rows = RemoteRows(relation=frame, narrow=(), engine=by_spark)
        return open_relation(rows, columns, spec, labels=labels, clock=clock, scope=scope)
    if spec.described:
        raise BadInput(
            "Texts, images and other columns that inputs describe are not summed up in SQL.",
            got=", ".join(each.source for each in spec.described),
            expected="inputs that are numbers or categories",
            fix='Remove `kind` from the [engine] section: the rows are fetched, and read by "local".',
        )
    names = (columns.event_time, columns.prediction_id)
    relation: SqlRelation
    if live is not None:
        if scope.snapshot is not None:
            scope.snapshot.enter(id(live), lambda: transaction(live))
        relation = DuckDBRelation.of(live, *names, meanwhile=meanwhile)
    else:
        relation = _database(config, names, scope, clock(), meanwhile)

    def by_sql(narrow: frozenset[str], shared: Sequence[str]) -> Engine:
        return SqlEngine(relation, narrow, shared)

    scored = (*columns.answer, *config.traffic.slices)
    if not spec.task.classes:  # what losses to expect of a number is read off the inputs, row by row
        scored = (*scored, *columns.inputs)
    rows = RemoteRows(relation=relation, narrow=scored, engine=by_sql)
    return open_relation(rows, columns, spec, labels=labels, clock=clock, scope=scope)


def _database(
    config: MonitorConfig, names: tuple[str, str], scope: ReadScope, now: datetime, meanwhile: Callable[[], None]
) -> SqlRelation:
    """The query of a config, on the rows of interest."""
    path, query = str(config.traffic.path), config.traffic.query
    if query is None or not is_database_url(path):
        raise BadInput(
            'The engine "sql" sums up the rows of a query on a database.',
            got=redacted(path) if query is not None else "no query in the [traffic] section",
            expected='path = "duckdb:////data/warehouse.duckdb", or of PostgreSQL, and a query',
            fix="Write both, or remove `kind` from the [engine] section: rows of other databases are fetched.",
        )
    if config.traffic.labels_query is not None:
        raise BadInput(
            'The engine "sql" reads labels with their rows.',
            got="a labels_query in the [traffic] section",
            expected="labels in a column of the query",
            fix="Join them there, or remove `kind` from the [engine] section.",
        )
    dialect_of(path)
    since = FIRST if scope.since is None else scope.since - MARGIN
    text = with_bounds(query, time_literals({"start": since, "end": now + AHEAD + MARGIN}))
    if path.startswith(_DUCKDB):
        return DuckDBRelation.of_file(path.removeprefix(_DUCKDB), text, *names, meanwhile=meanwhile)
    database = SqlQuery(
        url=path,
        text=text,
        password=read_secret(config.traffic.password_file, config.traffic.password_env),
        seconds=config.traffic.query_timeout.total_seconds(),
        snapshot=scope.snapshot,
    )
    return DatabaseRelation(database, *names, meanwhile=meanwhile)
