"""Rows of an SQL query as a Parquet file."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotDoneError
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.atomic import staging_folder
from monitoring.config.addresses import parameter_pattern
from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.remote.duckdb_query import duckdb_batches, is_duckdb, time_literals
from monitoring.traffic.remote.snapshot import Snapshot
from monitoring.traffic.remote.urls import shown_url

T = TypeVar("T")

#: Seconds between two calls of what is done meanwhile.
MEANWHILE_SECONDS = 20.0


def within(
    seconds: float, work: Callable[[Callable[[], bool]], T], *, meanwhile: Callable[[], None] = lambda: None
) -> T:
    """Do something that may wait for others, for so long at most.

    It is done in a thread of its own, so that a server that sends its answer byte by byte, or never, holds nobody.
    Past the deadline the thread is left alone; it ends no later than its own next look at the time, or the process.

    >>> within(1.0, lambda stopped: stopped())
    False

    Args:
        work: What is done; it is given a function that says whether nobody waits for it any longer.
        meanwhile: Called every 20 seconds while it is waited for; what it raises ends the wait.

    Raises:
        TimeoutError: It was not done in time.
    """
    future: Future[T] = Future()
    stopped = threading.Event()

    def run() -> None:
        try:
            future.set_result(work(stopped.is_set))
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="deadline").start()
    until = time.monotonic() + seconds
    try:
        while (left := until - time.monotonic()) > 0:
            try:
                return future.result(timeout=min(left, MEANWHILE_SECONDS))
            except NotDoneError:
                if future.done():  # its own error, which is of this kind too
                    raise
            meanwhile()
    finally:
        stopped.set()
    raise TimeoutError(f"not done within {seconds:g} s")


#: Rows that are in memory at once.
ROWS_AT_ONCE = 50_000

#: Seconds that a query may take in all, unless more is allowed.
SECONDS = 900.0

#: Of an SQLite query, between two looks whether somebody still waits for it.
INSTRUCTIONS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlQuery:
    """A query of a database.

    Attributes:
        url: of SQLAlchemy, such as ``postgresql+psycopg://reader@host/scores``; or of a DuckDB file.
        text: one statement, taken as it is: a colon begins no parameter but those of `bounds` and `texts`.
        bounds: values for the parameters ``:start`` and ``:end``, in UTC; none where the query has no parameters.
        texts: values for further parameters.
        password: of the URL's user, where the URL has none.
        seconds: how long connecting, running and reading may take in all.
        snapshot: of a run, whose queries of PostgreSQL read the same rows; None: the query is by itself.
    """

    url: str
    text: str
    bounds: Mapping[str, datetime] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)
    seconds: float = SECONDS
    snapshot: Snapshot | None = field(default=None, repr=False, compare=False)


def query_to_parquet(
    query: SqlQuery,
    target: Path,
    *,
    check: Callable[[pa.Schema], None] = lambda _: None,
    meanwhile: Callable[[], None] = lambda: None,
) -> int:
    """Run a query, and write its rows to a Parquet file.

    The query runs in one read-only transaction where the database has such, is read through a server-side cursor
    where its driver has one, and is rolled back at the end. Decimals become float64, UUIDs text; a column has the type
    that holds all of its values. Cost: `ROWS_AT_ONCE` rows in memory; the file is written twice.

    Raises:
        OSError: the disk fails.
    """
    try:
        return within(query.seconds, lambda stopped: _copy(query, target, check, stopped), meanwhile=meanwhile)
    except TimeoutError as error:
        _reject_time(query, error)


def _copy(query: SqlQuery, target: Path, check: Callable[[pa.Schema], None], stopped: Callable[[], bool]) -> int:
    if is_duckdb(query.url):
        return _copy_duckdb(query, target, check, stopped)
    with staging_folder(target.parent, ".query-") as parts:
        rows = 0
        with _result(query, stopped) as result:
            names = _names(result)
            for number, chunk in enumerate(result.partitions(ROWS_AT_ONCE)):
                if stopped():
                    return rows
                table = _table(names, chunk)
                if not number:
                    check(table.schema)
                pq.write_table(table, parts / f"{number:06}.parquet")
                rows += len(chunk)
        _check_some(query, rows)
        if not rows:
            check(pa.schema([(name, pa.null()) for name in names]))
            pq.write_table(_table(names, []), parts / "000000.parquet")
        joined = parts / "joined.parquet"
        _join(sorted(parts.glob("0*.parquet")), joined)
        if not stopped():
            joined.replace(target)
    return rows


def tables_of_query(query: SqlQuery) -> Iterator[pa.Table]:
    """The rows of a query, as `query_to_parquet` takes them; a table without rows where there are none.

    Yields:
        `ROWS_AT_ONCE` rows at most.
    """
    with _result(query, lambda: False) as result:
        names, some = _names(result), False
        for chunk in result.partitions(ROWS_AT_ONCE):
            some = True
            yield _table(names, chunk)
        if not some:
            yield _table(names, [])


def columns_of_query(query: SqlQuery) -> dict[str, object]:
    """The columns of a query, and what its driver calls their types. Raises as `tables_of_query`."""
    with _result(query, lambda: False) as result:
        return dict(zip(_names(result), (column[1] for column in result.cursor.description), strict=True))


def _copy_duckdb(query: SqlQuery, target: Path, check: Callable[[pa.Schema], None], stopped: Callable[[], bool]) -> int:
    statement, rows = with_bounds(query.text, time_literals(query.bounds)), 0
    with (
        staging_folder(target.parent, ".query-") as parts,
        duckdb_batches(query.url, statement, rows=ROWS_AT_ONCE) as (schema, tables),
    ):
        _check_names(schema.names)
        check(schema)
        with pq.ParquetWriter(parts / "rows.parquet", schema) as writer:
            for table in tables:
                if stopped():
                    return rows
                writer.write_table(table)
                rows += table.num_rows
        _check_some(query, rows)
        (parts / "rows.parquet").replace(target)
    return rows


def _check_some(query: SqlQuery, rows: int) -> None:
    """Raises BadInput for a query of all times that has no rows."""
    if not rows and not query.bounds:
        got = " ".join(query.text.split())[:200]
        raise BadInput("The query has no rows.", got=got, expected="at least one", fix="Check its conditions.")


@contextmanager
def _result(query: SqlQuery, stopped: Callable[[], bool]) -> Iterator[Any]:
    import sqlalchemy as sa  # noqa: PLC0415 - only where a query is asked for

    shown = shown_url(query.url)
    streamed = {"stream_results": True, "yield_per": ROWS_AT_ONCE}
    try:
        with ExitStack() as held:
            if query.snapshot is not None and query.url.startswith("postgresql"):
                connection = query.snapshot.enter(query.url, partial(_held_connection, query))
            else:
                connection = held.enter_context(_connection(query, stopped))
            statement, values = sa.text(_statement(query)), _parameters(query, connection.dialect.name)
            result = connection.execute(statement, values, execution_options=streamed)
            held.callback(result.close)
            yield result
    except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
        raise CannotRun(
            "The query could not be run.",
            got=f"{shown}: {_reason(error)}",
            expected="a database that answers, and a query that it takes",
            fix="Check the address, the credentials and the query with the database's own client.",
        ) from error
    except sa.exc.DBAPIError as error:
        if "statement timeout" in _reason(error):
            _reject_time(query, error)
        raise BadInput(
            "The database refuses the query.",
            got=_reason(error),
            expected="one SELECT statement",
            fix="Try it with the database's own client.",
        ) from error


@contextmanager
def _connection(query: SqlQuery, stopped: Callable[[], bool]) -> Iterator[Any]:
    """A connection that changes nothing; of PostgreSQL, all of its statements read what the first one does."""
    engine = _engine(query)
    is_postgresql = engine.dialect.name == "postgresql"
    options = {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"} if is_postgresql else {}
    try:
        with engine.connect().execution_options(**options) as connection:
            if is_postgresql:  # a server that answers ends a statement itself; windows are judged between two of them
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(round(1_000 * query.seconds), 1)}")
                connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only = ON")
                connection.connection.driver_connection.set_progress_handler(stopped, INSTRUCTIONS)
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _held_connection(query: SqlQuery) -> Iterator[Any]:
    """A connection for several queries, which is cut at the end: a rollback would wait for a statement that hangs."""
    with _connection(query, lambda: False) as connection:
        try:
            yield connection
        finally:
            connection.invalidate()


def _engine(query: SqlQuery) -> Any:
    import sqlalchemy as sa  # noqa: PLC0415 - as above

    try:
        url = sa.make_url(query.url)
        if query.password is not None:
            url = url.set(password=query.password)
        waiting = {"pg8000": "timeout", "psycopg": "connect_timeout", "psycopg2": "connect_timeout"}
        name = waiting.get(url.get_driver_name())
        limits = {} if name is None or name in url.query else {name: max(round(query.seconds), 2)}
        engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=limits)
    except (sa.exc.ArgumentError, ImportError) as error:
        raise BadInput(
            "This is no URL of a database that can be opened.",
            got=f"{shown_url(query.url)}: {str(error).splitlines()[0]}",
            expected="a URL of SQLAlchemy with an installed driver, such as postgresql+psycopg://reader@host/scores",
            fix="Correct it, or install the driver.",
        ) from error
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():  # it would be made
        raise CannotRun(
            "There is no such database.",
            got=shown_url(query.url),
            expected="the file of an SQLite database",
            fix="Check the path.",
        )
    return engine


def _statement(query: SqlQuery) -> str:
    """The statement for SQLAlchemy: every colon is escaped that begins none of the parameters."""
    text = query.text.strip().rstrip(";")
    pattern = parameter_pattern([*query.bounds, *query.texts])
    return re.sub(rf"({pattern})|:", lambda match: match[1] or "\\:", text, flags=re.ASCII)


def _parameters(query: SqlQuery, dialect: str) -> dict[str, datetime | str]:
    """The texts, and the bounds as the database compares them: in UTC, without a zone; of SQLite as text."""
    plain = {name: moment.astimezone(UTC).replace(tzinfo=None) for name, moment in query.bounds.items()}
    bounds = {name: str(moment) for name, moment in plain.items()} if dialect == "sqlite" else plain
    return {**bounds, **query.texts}


def _reject_time(query: SqlQuery, error: Exception) -> NoReturn:
    raise CannotRun(
        "The query took too long.",
        got=f"{shown_url(query.url)}: not done within {query.seconds:g} s",
        expected="all rows before the time limit",
        fix="Make it faster, by an index on the time for example, or allow more: query_timeout in [traffic].",
    ) from error


def _names(result: Any) -> list[str]:
    if not result.returns_rows:
        raise BadInput(
            "The statement returns no rows.", got="a statement that changes data", expected="a SELECT", fix="Write one."
        )
    names = list(result.keys())
    _check_names(names)
    return names


def _check_names(names: Sequence[str]) -> None:
    """Raises BadInput for columns that share a name."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(
            "Columns of the query share a name.",
            got=", ".join(twice),
            expected="each name once",
            fix="Give them names of their own: SELECT a.time AS time, …",
        )


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.table({name: _column(name, values) for name, values in zip(names, columns, strict=True)})


def _column(name: str, values: Sequence[Any]) -> pa.Array:
    plain = [_plain(value) for value in values]
    try:
        return pa.array(plain)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        kinds = sorted({type(value).__name__ for value in plain if value is not None})
        raise BadInput(
            f"Column {name} of the query has values of several kinds.",
            got=", ".join(kinds),
            expected="numbers, texts, booleans or times",
            fix=f"Convert it in the query: CAST({name} AS ...).",
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return str(value) if isinstance(value, UUID) else value


def _join(parts: Sequence[Path], target: Path) -> None:
    """Write the parts as one file, whose columns have the types that hold all values."""
    try:
        schema = pa.unify_schemas([pq.read_schema(part) for part in parts], promote_options="permissive")
    except pa.ArrowTypeError as error:
        raise BadInput(
            "A column of the query has values of several kinds.",
            got=str(error).splitlines()[0],
            expected="numbers, texts, booleans or times",
            fix="Convert it in the query: CAST(... AS ...).",
        ) from error
    with pq.ParquetWriter(target, schema) as writer:
        for part in parts:
            table = pq.read_table(part)
            if table.num_rows:
                writer.write_table(table.cast(schema))


def _reason(error: Any) -> str:
    """What the driver says, without the statement and its parameters."""
    details = error.orig.args[0] if error.orig.args else ""
    text = str(details["M"]) if isinstance(details, dict) and "M" in details else str(error.orig)  # pg8000 has fields
    return (text or type(error.orig).__name__).splitlines()[0]


def with_bounds(text: str, bounds: Mapping[str, str]) -> str:
    """A query with literals in place of its parameters, for a database that is asked without SQLAlchemy.

    >>> with_bounds("a::date >= :start", {"start": "DATE '2024-01-01'"})
    "a::date >= DATE '2024-01-01'"
    """
    pattern = parameter_pattern(bounds)
    return re.sub(pattern, lambda match: bounds[match[0][1:]], text, flags=re.ASCII).strip().rstrip(";")
