"""Transactions of a store: one connection each, with the database's errors as ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Executable, Table, bindparam, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from monitoring.errors import BadInput
from monitoring.store.opening import reject_store, shown_url, writing
from monitoring.store.tables import deployment as deployment_table

_FIX = "Nothing was changed; run again once the database can be reached and written."


_LOCK = select(deployment_table.c.id).where(deployment_table.c.id == bindparam("number")).with_for_update()


class Transactions:
    """The transactions of an opened store."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = writing(engine)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that reads."""
        with self.failing_clearly(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self, deployment: int | None = None) -> Iterator[Connection]:
        """A connection that writes, and locks a deployment until it ends. Raises BadInput if there is no such."""
        with self.failing_clearly(), self._writer.begin() as connection:
            if deployment is not None:
                lock(connection, deployment)
            yield connection

    @contextmanager
    def failing_clearly(self) -> Iterator[None]:
        """Say with CannotRun that the database failed; what breaks its constraints is for the caller."""
        try:
            yield
        except IntegrityError:
            raise
        except (DBAPIError, ConnectionError, TimeoutError) as error:
            reject_store(error, shown_url(self.engine.url), _FIX)
        except StatementError as error:
            if isinstance(error.orig, ValueError):  # a value that is not stored, such as NaN
                raise error.orig from error
            raise


def upserts(table: Table, *, only_changed: Sequence[str] = (), counted: str = "") -> Mapping[str, Executable]:
    """The statement that adds rows of a table, or replaces those of the same key, by the name of the database.

    Args:
        only_changed: Only rows in which one of these columns is another are replaced.
        counted: A number to which 1 is added where the row is there; the other columns are replaced.
    """
    statements: dict[str, Executable] = {}
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert)):
        statement = insert(table)
        new: dict[str, ColumnElement[Any]] = {
            column.name: statement.excluded[column.name] for column in table.c if not column.primary_key
        }
        if counted:
            new[counted] = table.c[counted] + 1
        changed = [table.c[column] != new[column] for column in only_changed]
        where = or_(*changed) if changed else None
        statements[name] = statement.on_conflict_do_update(index_elements=table.primary_key, set_=new, where=where)
    return MappingProxyType(statements)


def lock(connection: Connection, number: int) -> None:
    """Lock a deployment until the transaction ends. Raises BadInput if there is none of this number."""
    if connection.execute(_LOCK, {"number": number}).first() is None:
        raise no_such_deployment(number)


def no_such_deployment(number: int) -> BadInput:
    """The error for a number that no deployment has."""
    return BadInput(
        "No such deployment in this store.",
        got=str(number),
        expected="the number of a deployment in this store",
        fix="`pitfalls monitor deployments` lists them.",
    )
