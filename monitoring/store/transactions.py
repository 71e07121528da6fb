"""Transactions of a store: one connection each, with the database's errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from monitoring.errors import BadInput
from monitoring.store.opening import reject_store, shown_url, writing
from monitoring.store.tables import deployment as deployment_table

_FIX = "Nothing was changed; run again once the database can be reached and written."


class Transactions:
    """The transactions of an opened store."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that reads."""
        with self.failing_clearly(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self, deployment: int | None = None) -> Iterator[Connection]:
        """A connection that writes, and locks a deployment until it ends. Raises BadInput if there is no such."""
        with self.failing_clearly(), writing(self.engine).begin() as connection:
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


def lock(connection: Connection, number: int) -> None:
    """Lock a deployment until the transaction ends. Raises BadInput if there is none of this number."""
    row = connection.execute(
        select(deployment_table.c.id).where(deployment_table.c.id == number).with_for_update()
    ).first()
    if row is None:
        raise no_such_deployment(number)


def no_such_deployment(number: int) -> BadInput:
    """The error for a number that no deployment has."""
    return BadInput(
        "No such deployment in this store.",
        got=str(number),
        expected="the number of a deployment in this store",
        fix="`pitfalls monitor deployments` lists them.",
    )
