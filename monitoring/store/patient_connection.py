"""A connection of psycopg that does not wait for ever for a server that has stopped answering."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

Value = TypeVar("Value")


class PatientConnection(psycopg.Connection[Any]):
    """A connection whose statements fail when the server has not answered for `patience` seconds.

    The server's own statement_timeout ends a statement that is slow; a server that is frozen keeps its sockets open and
    says nothing, which no timeout of libpq notices.
    """

    patience = 30.0

    def wait(self, gen: PQGen[Value], interval: float = 0.1, timeout: float | None = None) -> Value:
        """Wait for the server, at most `patience` seconds. Raises OperationalError past that, and closes."""
        until = time.monotonic() + self.patience
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.Error as error:
            if timeout is not None or time.monotonic() < until:
                raise
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the server has not answered for {self.patience:.0f} s") from error


def connect(conninfo: str, patience: float, **settings: Any) -> PatientConnection:
    """Connect to a server. `patience`: seconds that it may take to answer."""
    connection = PatientConnection.connect(conninfo, connect_timeout=max(round(patience), 2), **settings)
    connection.patience = patience
    return connection
