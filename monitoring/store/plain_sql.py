"""A few statements on a store without SQLAlchemy, for what has to be quick: by sqlite3, or by psycopg."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote

_SQLITE = "sqlite:///"
_TIME = "%Y-%m-%d %H:%M:%S.%f"

#: Seconds that a database may take to answer; past that, the long way says what is wrong.
_PATIENCE = 5

#: A statement with names such as `:now`, and their values.
Statement: TypeAlias = tuple[str, Mapping[str, object]]


class PlainDatabase(Protocol):
    """A database that takes statements as text."""

    def rows(self, statement: str, values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        """The rows of a query; none where the database cannot answer it."""

    def execute(self, statements: Iterable[Statement]) -> bool:
        """Change something, in one transaction; whether it was done."""


def plain_database(url: str) -> PlainDatabase | None:
    """The database of a store, by the drivers alone.

    Returns:
        The database; None where it is a file that is not there, or one whose driver is not installed.
    """
    if url.startswith(_SQLITE):
        path = Path(url.removeprefix(_SQLITE).partition("?")[0])
        return _Sqlite(path) if path.exists() else None
    scheme, _, rest = url.partition("://")
    if scheme.partition("+")[0] != "postgresql":
        return None
    try:
        import psycopg  # noqa: F401, PLC0415 - an extra
    except ImportError:
        return None
    return _PostgreSQL(f"postgresql://{rest}")


@dataclass(frozen=True, slots=True)
class _Sqlite:
    path: Path

    def rows(self, statement: str, values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        try:
            with closing(sqlite3.connect(f"file:{quote(str(self.path))}?mode=ro", uri=True, timeout=1.0)) as connection:
                return connection.execute(statement, _texts(values)).fetchall()
        except sqlite3.Error:
            return ()

    def execute(self, statements: Iterable[Statement]) -> bool:
        try:
            with closing(sqlite3.connect(self.path, timeout=1.0)) as connection, connection:
                for statement, values in statements:
                    connection.execute(statement, _texts(values))
        except sqlite3.Error:
            return False
        return True


@dataclass(frozen=True, slots=True)
class _PostgreSQL:
    url: str

    def rows(self, statement: str, values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        import psycopg  # noqa: PLC0415 - an extra

        try:
            with self._connection() as connection:
                found: list[tuple[Any, ...]] = connection.execute(_named(statement), values).fetchall()
                return found
        except psycopg.Error:
            return ()

    def execute(self, statements: Iterable[Statement]) -> bool:
        import psycopg  # noqa: PLC0415 - an extra

        try:
            with self._connection() as connection:
                for statement, values in statements:
                    connection.execute(_named(statement), values)
        except psycopg.Error:
            return False
        return True

    def _connection(self) -> Any:
        from monitoring.store.patient_connection import connect  # noqa: PLC0415 - brings psycopg, an extra

        more = {} if "options=" in self.url else {"options": "-c timezone=UTC"}
        return connect(self.url, _PATIENCE, **more)


def _named(statement: str) -> Any:
    """A statement with psycopg's names.

    >>> _named("UPDATE deployment SET checked_at = :now WHERE id = :id")
    'UPDATE deployment SET checked_at = %(now)s WHERE id = %(id)s'
    """
    return re.sub(r":(\w+)", r"%(\1)s", statement)


def _texts(values: Mapping[str, object]) -> dict[str, object]:
    """Values with times as the store's SQLite files have them."""
    return {
        name: value.astimezone(UTC).strftime(_TIME) if isinstance(value, datetime) else value
        for name, value in values.items()
    }
