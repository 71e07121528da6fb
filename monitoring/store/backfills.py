"""Backfills in the store: windows that are put back to be judged again, and what they were before."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from monitoring.errors import CannotRun
from monitoring.records import Backfill, IncidentAction, WindowRevision
from monitoring.store import checkpoints, windows
from monitoring.store.tables import backfill, deployment, window, window_revision
from monitoring.store.transactions import Transactions


def _put_back(connection: Connection, number: int, start: datetime, backfill_id: int, request: Backfill) -> None:
    """Put the windows from a time on aside, and the deployment back to where it was before them."""
    before = checkpoints.read(connection, number, start)
    if before is None:
        raise CannotRun(
            "This window cannot be judged again.",
            got=f"the window that begins at {start.isoformat()}",
            expected="a window before which the evidence is kept",
            fix="Nothing was changed: run the command again.",
        )
    later = (window.c.deployment == number) & (window.c.start >= start)
    columns = [
        window.c[name]
        for name in ("start", "end", "rows", "labels", "status", "page_log_evidence", "notice_log_evidence")
    ]
    rows = [
        {"deployment": number, "backfill": backfill_id, **row}
        for row in connection.execute(select(*columns).where(later).order_by(window.c.start)).mappings()
    ]
    if rows:
        connection.execute(insert(window_revision), rows)
    connection.execute(update(backfill).where(backfill.c.id == backfill_id).values(revised=len(rows)))
    windows.delete_from(connection, number, start)
    text = f"Windows from {start:%Y-%m-%d %H:%M} UTC on are judged again."
    action = IncidentAction(at=request.at, by=request.by, kind="close", text=text)
    checkpoints.restore(connection, number, start, before, action)
    checkpoints.forget_from(connection, number, start)


def _read(connection: Connection, number: int) -> tuple[Backfill, ...]:
    """The backfills of a deployment, the newest first."""
    query = select(backfill).where(backfill.c.deployment == number).order_by(backfill.c.id.desc())
    return tuple(
        Backfill(
            start=row.start,
            end=row.end,
            by=row.by,
            at=row.at,
            only=row.only or None,
            until=row.until,
            revised=row.revised,
            ended_at=row.ended_at,
            number=row.id,
        )
        for row in connection.execute(query)
    )


class BackfillTable:
    """The backfills of a store: windows that are put back to be judged again, and what they were before."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def forget_checkpoints(self, deployment: int, before: datetime) -> None:
        """Delete what judging windows again that begin before a time would need."""
        with self._transactions.writing(deployment) as connection:
            checkpoints.forget(connection, deployment, before)

    def rejudgeable(self, deployment: int) -> tuple[datetime, ...]:
        """When the windows begin that can be judged again, in order."""
        with self._transactions.reading() as connection:
            return checkpoints.starts(connection, deployment)

    def begin(
        self, number: int, request: Backfill, *, again_from: datetime | None, checked_at: datetime | None
    ) -> Backfill:
        """Begin a backfill: judged windows are put aside, and the deployment stands where it stood before them.

        The evidence is that of then, so that each window moves it once and in order. What the windows were is kept in
        short; their scores are not. Incidents: see `checkpoints.restore`.

        Args:
            again_from: When the first window begins that is judged again; None: none is.
            checked_at: When all that was due before that window had been judged; None: that is not known.
        """
        with self._transactions.writing(number) as connection:
            values = {name: value for name, value in asdict(request).items() if name not in ("number", "only")}
            statement = insert(backfill).values(deployment=number, only=request.only or "", **values)
            backfill_id = int(connection.execute(statement.returning(backfill.c.id)).scalar_one())
            if again_from is not None:
                _put_back(connection, number, again_from, backfill_id, request)
                changed: dict[str, Any] = {"inputs": "", "traffic_state": ""}
                if checked_at is not None:
                    changed["checked_at"] = checked_at
                connection.execute(update(deployment).where(deployment.c.id == number).values(**changed))
            return next(record for record in _read(connection, number) if record.number == backfill_id)

    def end(self, deployment: int, at: datetime) -> None:
        """Record that the backfills of a deployment have judged all their windows, and settle what these opened."""
        with self._transactions.writing(deployment) as connection:
            for ended in _read(connection, deployment):
                if ended.ended_at is None:
                    checkpoints.settle(connection, deployment, IncidentAction(at=at, by=ended.by, kind="close"))
                    connection.execute(update(backfill).where(backfill.c.id == ended.number).values(ended_at=at))

    def read(self, deployment: int) -> tuple[Backfill, ...]:
        """The backfills of a deployment, the newest first."""
        with self._transactions.reading() as connection:
            return _read(connection, deployment)

    def revisions(self, number: int, since: datetime | None = None) -> dict[datetime, tuple[WindowRevision, ...]]:
        """What windows were before each backfill, in order of the backfills, by the start of the window."""
        with self._transactions.reading() as connection:
            query = select(window_revision).where(window_revision.c.deployment == number)
            if since is not None:
                query = query.where(window_revision.c.end > since)
            by_start: dict[datetime, list[WindowRevision]] = defaultdict(list)
            for row in connection.execute(query.order_by(window_revision.c.start, window_revision.c.backfill)):
                by_start[row.start].append(
                    WindowRevision(
                        start=row.start,
                        end=row.end,
                        backfill=row.backfill,
                        rows=row.rows,
                        labels=row.labels,
                        status=row.status,
                        page_log_evidence=row.page_log_evidence,
                        notice_log_evidence=row.notice_log_evidence,
                    )
                )
            return {start: tuple(each) for start, each in by_start.items()}
