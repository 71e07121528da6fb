"""Rows of a query of a DuckDB file, as Arrow batches: columns keep their types, and nothing passes through Python."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput, CannotRun

#: Of a query that reads files beside the database: a reader's call, or a file's name in place of a table.
_NAMES_FILES = re.compile(r"\b(?:read_\w+|glob|\w+_scan)\s*\(|\b(?:from|join)\s+'", re.IGNORECASE)

_URL = re.compile(r"duckdb:///(?P<path>[^?]*)")


def is_duckdb(url: str) -> bool:
    """Whether a URL is of a DuckDB file."""
    return url.startswith("duckdb://")


def import_duckdb(got: str) -> Any:
    """The library; BadInput where it is not installed."""
    try:
        return importlib.import_module("duckdb")
    except ImportError as error:
        raise BadInput(
            "A DuckDB database is read by the library duckdb, which is not installed.",
            got=got,
            expected="duckdb",
            fix="pip install 'pitfalls-tf-monitor[sql]'",
        ) from error


def open_duckdb(path: str, query: str) -> Any:
    """A connection that reads a file, in UTC.

    A view in somebody else's file may read other files or the network: it may not, unless the query itself names a
    file. No extension is installed or loaded by itself.
    """
    settings = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    if _NAMES_FILES.search(query) is None:
        settings["enable_external_access"] = "false"
    connection = import_duckdb(path).connect(path, read_only=True, config=settings)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def fix_of(error: Exception, other: str) -> str:
    """What to do about a query that is refused."""
    if "disabled by configuration" not in str(error):
        return other
    return "A view of the database reads a file, which it may not: name the file in the query itself, read_csv('FILE')."


@contextmanager
def duckdb_batches(url: str, statement: str, *, rows: int) -> Iterator[tuple[pa.Schema, Iterator[pa.Table]]]:
    """Run a query of a file, which is opened for reading.

    Args:
        url: ``duckdb:///relative.db`` or ``duckdb:////absolute.db``.
        statement: One SELECT, in which times are of UTC.

    Yields:
        The columns, and the rows. Decimals are float64, UUIDs and enumerations text.
    """
    duckdb = import_duckdb(url)
    match = _URL.fullmatch(url)
    path = Path(match["path"]) if match else None
    if path is None or not path.is_file():
        raise CannotRun(
            "There is no such database.",
            got=url,
            expected="the file of a DuckDB database, as duckdb:///scores.duckdb",
            fix="Check the path; an absolute one has four slashes.",
        )
    try:
        connection = open_duckdb(str(path), statement)
    except duckdb.Error as error:
        raise CannotRun(
            "The database cannot be opened.",
            got=f"{path}: {str(error).splitlines()[0]}",
            expected="a DuckDB file that no other process writes",
            fix="Close the other process, or copy the file.",
        ) from error
    try:
        result = connection.sql(statement)
        if result is None:
            raise BadInput("The statement returns no rows.", got=statement[:200], expected="a SELECT", fix="Write one.")
        take = getattr(result, "to_arrow_reader", None) or result.fetch_record_batch  # of versions before 2
        reader = take(rows)
        schema = pa.schema([(field.name, _plain_type(field.type)) for field in reader.schema])
        yield schema, (_plain(pa.Table.from_batches([batch]), schema) for batch in reader)
    except duckdb.Error as error:
        raise BadInput(
            "The database refuses the query.",
            got=str(error).splitlines()[0],
            expected="one SELECT statement",
            fix=fix_of(error, "Try it with the database's own client."),
        ) from error
    finally:
        connection.close()


def time_literals(bounds: Mapping[str, datetime]) -> dict[str, str]:
    """Times as literals of SQL, in UTC without a zone.

    >>> time_literals({"start": datetime(2024, 1, 1, tzinfo=UTC)})
    {'start': "TIMESTAMP '2024-01-01T00:00:00'"}
    """
    plain = {name: moment.astimezone(UTC).replace(tzinfo=None) for name, moment in bounds.items()}
    return {name: f"TIMESTAMP '{moment.isoformat()}'" for name, moment in plain.items()}


def _plain_type(kind: pa.DataType) -> pa.DataType:
    kind = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    if pa.types.is_dictionary(kind):
        return kind.value_type
    return pa.float64() if pa.types.is_decimal(kind) else kind


def _plain(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns: list[Any] = []
    for column, field in zip(table.columns, schema, strict=True):
        plain = column.cast(column.type.storage_type) if isinstance(column.type, pa.BaseExtensionType) else column
        columns.append(pc.cast(plain, field.type))
    return pa.Table.from_arrays(columns, schema=schema)
