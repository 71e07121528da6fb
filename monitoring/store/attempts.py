"""Attempts at judging windows in the store: one row for each window that a run has begun to judge."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, insert, select, update

from monitoring.records import WindowAttempt
from monitoring.store import checkpoints
from monitoring.store.tables import window_attempt
from monitoring.store.transactions import Transactions

#: Characters of an error that are kept.
LONGEST_ERROR = 4_000


def _is(deployment: int, start: datetime) -> ColumnElement[bool]:
    return (window_attempt.c.deployment == deployment) & (window_attempt.c.start == start)


class AttemptTable:
    """The attempts at judging windows of a store."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def begin(self, deployment: int, attempt: WindowAttempt, *, checkpoint: bool) -> None:
        """Count one more attempt at a window; with a checkpoint, the window can be judged again later.

        Args:
            attempt: The window, and the time; its number of attempts is that in the store.
            checkpoint: Whether the deployment is kept as it stands before the window.
        """
        with self._transactions.writing(deployment) as connection:
            values = {"end": attempt.end, "started_at": attempt.started_at, "judged_at": None, "error": ""}
            counted = {"attempts": window_attempt.c.attempts + 1, **values}
            if not connection.execute(
                update(window_attempt).where(_is(deployment, attempt.start)).values(**counted)
            ).rowcount:
                row = {"deployment": deployment, "start": attempt.start, "attempts": 1, **values}
                connection.execute(insert(window_attempt).values(**row))
            if checkpoint:
                checkpoints.keep(connection, deployment, attempt.start)

    def end(self, deployment: int, start: datetime, *, at: datetime, error: str = "") -> None:
        """Record how the last attempt at a window ended.

        Args:
            error: The error that ended it; empty: the window was judged.
        """
        with self._transactions.writing(deployment) as connection:
            values = {"judged_at": None if error else at, "error": error[:LONGEST_ERROR]}
            connection.execute(update(window_attempt).where(_is(deployment, start)).values(**values))

    def read(self, deployment: int, since: datetime | None = None) -> tuple[WindowAttempt, ...]:
        """The attempts at windows that begin at a time or later, or at all, in order of time."""
        with self._transactions.reading() as connection:
            columns = [column for column in window_attempt.c if column.name != "deployment"]
            query = select(*columns).where(window_attempt.c.deployment == deployment).order_by(window_attempt.c.start)
            if since is not None:
                query = query.where(window_attempt.c.start >= since)
            return tuple(WindowAttempt(**row) for row in connection.execute(query).mappings())
