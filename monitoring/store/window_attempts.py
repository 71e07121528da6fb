"""Attempts at judging windows in the store: one row for each window that a run has begun to judge."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, select, update

from monitoring.records import WindowAttempt
from monitoring.store.tables import window_attempt

#: Characters of an error that are kept.
LONGEST_ERROR = 4_000


def begin(connection: Connection, deployment: int, attempt: WindowAttempt) -> None:
    """Count one more attempt at a window.

    Args:
        connection: A transaction that writes.
        deployment: The deployment's number.
        attempt: The window, and the time; its number of attempts is that in the store.
    """
    values = {"end": attempt.end, "started_at": attempt.started_at, "judged_at": None, "error": ""}
    counted = {"attempts": window_attempt.c.attempts + 1, **values}
    if not connection.execute(update(window_attempt).where(_is(deployment, attempt.start)).values(**counted)).rowcount:
        row = {"deployment": deployment, "start": attempt.start, "attempts": 1, **values}
        connection.execute(insert(window_attempt).values(**row))


def end(connection: Connection, deployment: int, start: datetime, *, at: datetime, error: str) -> None:
    """Record how the last attempt at a window ended.

    Args:
        connection: A transaction that writes.
        deployment: The deployment's number.
        start: When the window begins.
        at: The time, aware.
        error: The error that ended it; empty: the window was judged.
    """
    values = {"judged_at": None if error else at, "error": error[:LONGEST_ERROR]}
    connection.execute(update(window_attempt).where(_is(deployment, start)).values(**values))


def read(connection: Connection, deployment: int, since: datetime | None) -> tuple[WindowAttempt, ...]:
    """The attempts at windows that begin at a time or later, or at all, in order of time."""
    columns = [column for column in window_attempt.c if column.name != "deployment"]
    query = select(*columns).where(window_attempt.c.deployment == deployment).order_by(window_attempt.c.start)
    if since is not None:
        query = query.where(window_attempt.c.start >= since)
    return tuple(WindowAttempt(**row) for row in connection.execute(query).mappings())


def _is(deployment: int, start: datetime) -> ColumnElement[bool]:
    return (window_attempt.c.deployment == deployment) & (window_attempt.c.start == start)
