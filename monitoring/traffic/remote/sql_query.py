"""Rows of an SQL query as a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.atomic import staging_folder
from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.remote.urls import shown_url

#: Rows that are in memory at once.
ROWS_AT_ONCE = 50_000


def query_to_parquet(url: str, query: str, target: Path) -> int:
    """Run a query, and write its rows to a Parquet file.

    The query runs in one read-only transaction where the database has such, is read through a server-side cursor
    where its driver has one, and is rolled back at the end. Decimals become float64, UUIDs text; a column has the type
    that holds all of its values. Cost: `ROWS_AT_ONCE` rows in memory; the file is written twice.

    Args:
        url: Of SQLAlchemy, such as ``postgresql+pg8000://reader@host/scores``.
        query: One statement, taken as it is: a colon begins no parameter.
        target: The file; replaced whole, and only if everything was read.

    Returns:
        The number of rows.

    Raises:
        BadInput: the URL, its driver or the query is wrong, or a column has values of several kinds.
        CannotRun: the database cannot be reached.
        OSError: the disk fails.
    """
    with staging_folder(target.parent, ".query-") as parts:
        rows = 0
        with _result(url, query) as result:
            names = _names(result)
            for number, chunk in enumerate(result.partitions(ROWS_AT_ONCE)):
                pq.write_table(_table(names, chunk), parts / f"{number:06}.parquet")
                rows += len(chunk)
        if not rows:
            got = " ".join(query.split())[:200]
            raise BadInput("The query has no rows.", got=got, expected="at least one", fix="Check its conditions.")
        joined = parts / "joined.parquet"
        _join(sorted(parts.glob("0*.parquet")), joined)
        joined.replace(target)
    return rows


@contextmanager
def _result(url: str, query: str) -> Iterator[Any]:
    import sqlalchemy as sa  # noqa: PLC0415 - only where a query is asked for

    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
    except (sa.exc.ArgumentError, ImportError) as error:
        raise BadInput(
            "This is no URL of a database that can be opened.",
            got=f"{shown_url(url)}: {str(error).splitlines()[0]}",
            expected="a URL of SQLAlchemy with an installed driver, such as postgresql+pg8000://reader@host/scores",
            fix="Correct it, or install the driver.",
        ) from error
    options: dict[str, Any] = {"stream_results": True, "yield_per": ROWS_AT_ONCE}
    if engine.dialect.name == "postgresql":
        options["postgresql_readonly"] = True
    try:
        with engine.connect().execution_options(**options) as connection:
            yield connection.execute(sa.text(query.strip().rstrip(";").replace(":", "\\:")))
    except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
        raise CannotRun(
            "The query could not be run.",
            got=f"{shown_url(url)}: {_reason(error)}",
            expected="a database that answers, and a query that it takes",
            fix="Check the address, the credentials and the query with the database's own client.",
        ) from error
    except sa.exc.DBAPIError as error:
        raise BadInput(
            "The database refuses the query.",
            got=_reason(error),
            expected="one SELECT statement",
            fix="Try it with the database's own client.",
        ) from error
    finally:
        engine.dispose()


def _names(result: Any) -> list[str]:
    if not result.returns_rows:
        raise BadInput(
            "The statement returns no rows.", got="a statement that changes data", expected="a SELECT", fix="Write one."
        )
    names = list(result.keys())
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(
            "Columns of the query share a name.",
            got=", ".join(twice),
            expected="each name once",
            fix="Give them names of their own: SELECT a.time AS time, …",
        )
    return names


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    columns = zip(*rows, strict=True)
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
    schema = pa.unify_schemas([pq.read_schema(part) for part in parts], promote_options="permissive")
    with pq.ParquetWriter(target, schema) as writer:
        for part in parts:
            writer.write_table(pq.read_table(part).cast(schema))


def _reason(error: Any) -> str:
    """What the driver says, without the statement and its parameters."""
    return (str(error.orig) or type(error.orig).__name__).splitlines()[0]
