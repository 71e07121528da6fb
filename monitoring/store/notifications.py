"""The outbox of notifications: which receivers have been notified of which event, and which never were."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, insert, select, update

from monitoring.records import IncidentRecord, IncidentState
from monitoring.store import incidents
from monitoring.store.events import called_by
from monitoring.store.tables import incident, notification
from monitoring.store.transactions import Transactions

#: The state of a row that stands for several events.
DIGEST = "digest"

_IS_PENDING = notification.c.completed_at.is_(None) & notification.c.given_up_at.is_(None)
_PENDING = (
    select(notification).where((notification.c.deployment == bindparam("of")) & _IS_PENDING).order_by(notification.c.id)
)

#: What can become of an event; one that no route asks for is done without being sent.
Outcome: TypeAlias = Literal["pending", "delivered", "in a digest", "not asked for", "given up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """The notifications of a deployment that did not reach all who are to get them.

    Attributes:
        since: The time of the oldest event; None where there is none.
    """

    waiting: int = 0
    given_up: int = 0
    since: datetime | None = None

    @property
    def total(self) -> int:
        """Both."""
        return self.waiting + self.given_up


NOTHING_UNDELIVERED = Undelivered()


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingNotification:
    """An event that some receiver has not been notified of yet.

    Attributes:
        state: The state that the incident entered; None for a digest.
        attempts: Attempts so far, at most one a run.
        next_attempt_at: It is not tried before; None: the next run tries it.
    """

    number: int
    event: str
    state: IncidentState | None
    at: datetime
    incidents: tuple[IncidentRecord, ...]
    reached: frozenset[str] = frozenset()
    abandoned: frozenset[str] = frozenset()
    attempts: int = 0
    next_attempt_at: datetime | None = None
    events: int = 1
    notified_numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to notify the receivers of an event.

    Attributes:
        completed_at: When no receiver was left to notify and all were reached; None where that is not so.
        given_up_at: When no receiver was left to notify and some were given up; None where that is not so.
    """

    reached: frozenset[str] = frozenset()
    abandoned: frozenset[str] = frozenset()
    completed_at: datetime | None = None
    given_up_at: datetime | None = None
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """An event of the outbox, whatever has become of it.

    Attributes:
        completed_at: When all who asked for it were notified, or it went into a digest; None where that is not so.
        given_up_at: When the last receivers were given up; None where that is not so.
    """

    event: str
    incident: int | None
    state: str
    at: datetime
    attempts: int
    reached: frozenset[str]
    abandoned: frozenset[str]
    completed_at: datetime | None
    given_up_at: datetime | None
    in_digest: bool

    @property
    def outcome(self) -> Outcome:
        """What has become of it."""
        if self.given_up_at is not None:
            return "given up"
        if self.completed_at is None:
            return "pending"
        if self.in_digest:
            return "in a digest"
        return "delivered" if self.reached else "not asked for"


def _outbox_event(row: Row[Any]) -> OutboxEvent:
    return OutboxEvent(
        event=row.event,
        incident=row.incident,
        state=row.state,
        at=row.at,
        attempts=row.attempts,
        reached=frozenset(json.loads(row.reached)),
        abandoned=frozenset(json.loads(row.abandoned)),
        completed_at=row.completed_at,
        given_up_at=row.given_up_at,
        in_digest=row.digest is not None,
    )


def _pending(connection: Connection, row: Any, by_number: Mapping[int, IncidentRecord]) -> PendingNotification:
    numbers, notified = [row.incident], frozenset[int]()
    if row.state == DIGEST:
        query = select(notification.c.incident).where(notification.c.digest == row.id).order_by(notification.c.id)
        numbers = list(connection.execute(query).scalars())
        notified = _notified_numbers(connection, row)
    return PendingNotification(
        number=row.id,
        event=row.event,
        state=None if row.state == DIGEST else row.state,
        at=row.at,
        incidents=tuple(by_number[number] for number in sorted(set(numbers))),
        reached=frozenset(json.loads(row.reached)),
        abandoned=frozenset(json.loads(row.abandoned)),
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        events=len(numbers),
        notified_numbers=notified,
    )


def _notified_numbers(connection: Connection, digest: Any) -> frozenset[int]:
    """The incidents that somebody was notified of by an event of their own, before a digest."""
    query = select(notification.c.incident).where(
        (notification.c.deployment == digest.deployment)
        & (notification.c.id < digest.id)
        & (notification.c.reached != "[]")
        & notification.c.incident.is_not(None)
    )
    return frozenset(connection.execute(query).scalars())


def _is_undelivered() -> ColumnElement[bool]:
    """Whether an event was sent, and did not reach all who are to get it."""
    table = notification.c
    return table.completed_at.is_(None) & ((table.attempts > 0) | table.given_up_at.is_not(None))


def read_undelivered(connection: Connection, deployment: int | None = None) -> dict[int, Undelivered]:
    """The notifications that did not reach all who are to get them, by the numbers of deployments that have any.

    Args:
        deployment: Only those of that deployment; None: of all. Cost: a row for each event that is not delivered.
    """
    table = notification.c
    query = (
        select(table.deployment, func.count(), func.count(table.given_up_at), func.min(table.at))
        .where(_is_undelivered())
        .group_by(table.deployment)
    )
    if deployment is not None:
        query = query.where(table.deployment == deployment)
    return {
        number: Undelivered(waiting=total - given_up, given_up=given_up, since=since)
        for number, total, given_up, since in connection.execute(query)
    }


class OutboxTable:
    """The outbox of a store: events that people are to be notified of, and what became of them."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def pending(self, deployment: int) -> tuple[PendingNotification, ...]:
        """Read the pending notifications of a deployment, in the order of the events."""
        with self._transactions.reading() as connection:
            rows = connection.execute(_PENDING, {"of": deployment}).all()
            if not rows:
                return ()
            by_number = {record.number: record for record in incidents.read(connection, deployment)}
            return tuple(_pending(connection, row, by_number) for row in rows)

    def save_attempt(self, deployment: int, number: int, attempt: Attempt) -> None:
        """Record one more attempt to notify the receivers of an event, by its number in the store."""
        with self._transactions.writing(deployment) as connection:
            statement = (
                update(notification)
                .where(notification.c.id == number)
                .values(
                    reached=json.dumps(sorted(attempt.reached)),
                    abandoned=json.dumps(sorted(attempt.abandoned)),
                    completed_at=attempt.completed_at,
                    given_up_at=attempt.given_up_at,
                    next_attempt_at=attempt.next_attempt_at,
                    attempts=notification.c.attempts + 1,
                )
            )
            connection.execute(statement)

    def save_digest(self, deployment: int, events: Sequence[PendingNotification], at: datetime) -> None:
        """Put one row in the place of several pending events; they are completed by it."""
        with self._transactions.writing(deployment) as connection:
            numbers = [entry.number for entry in events]
            event = f"{called_by(connection, deployment)}/{deployment}/digest/{numbers[0]}-{numbers[-1]}"
            values = {"event": event, "state": DIGEST, "at": max(entry.at for entry in events)}
            statement = insert(notification).values(
                deployment=deployment, **values, reached="[]", abandoned="[]", attempts=0
            )
            number = connection.execute(statement.returning(notification.c.id)).scalar_one()
            replaced = update(notification).where(notification.c.id.in_(numbers)).values(digest=number, completed_at=at)
            connection.execute(replaced)

    def forget(self, deployment: int, before: datetime) -> int:
        """Delete events that were delivered, given up or not asked for before a time.

        Those of incidents that are not closed stay, and those of a digest that is not finished.
        """
        with self._transactions.writing(deployment) as connection:
            alive = select(incident.c.number).where(
                (incident.c.deployment == deployment) & (incident.c.state != "closed")
            )
            table = notification.c
            finished = (table.completed_at < before) | (table.given_up_at < before)
            pending = select(table.id).where(
                (table.deployment == deployment)
                & (table.state == DIGEST)
                & table.completed_at.is_(None)
                & table.given_up_at.is_(None)
            )
            old = (
                (table.deployment == deployment)
                & finished
                & (table.incident.is_(None) | table.incident.not_in(alive))
                & (table.digest.is_(None) | table.digest.not_in(pending))
            )
            return int(connection.execute(delete(notification).where(old)).rowcount)

    def read(self, deployment: int, incident: int | None = None) -> tuple[OutboxEvent, ...]:
        """Read the outbox of a deployment, or of one of its incidents, in the order of the events."""
        with self._transactions.reading() as connection:
            query = select(notification).where(notification.c.deployment == deployment).order_by(notification.c.id)
            if incident is not None:
                query = query.where(notification.c.incident == incident)
            return tuple(map(_outbox_event, connection.execute(query)))

    def undelivered(self, latest: int) -> tuple[tuple[int, OutboxEvent], ...]:
        """Events of all deployments that are pending or were given up: at most so many, the newest first.

        Returns:
            The number of the deployment and the event of each. Cost: every event of the store is looked at.
        """
        with self._transactions.reading() as connection:
            open_events = notification.c.completed_at.is_(None)
            query = select(notification).where(open_events).order_by(notification.c.id.desc()).limit(latest)
            return tuple((row.deployment, _outbox_event(row)) for row in connection.execute(query))

    def retry(self, deployment: int) -> tuple[str, ...]:
        """Make notifications that were given up, or wait for their next attempt, pending anew.

        Receivers that were reached are not notified again.
        """
        with self._transactions.writing(deployment) as connection:
            table = notification.c
            undelivered = (table.deployment == deployment) & _is_undelivered()
            query = select(table.event).where(undelivered).order_by(table.id)
            events = tuple(connection.execute(query).scalars())
            values = {"given_up_at": None, "abandoned": "[]", "attempts": 0, "next_attempt_at": None}
            connection.execute(update(notification).where(undelivered).values(**values))
            return events

    def undelivered_of(self, deployment: int) -> Undelivered:
        """What of a deployment did not reach all who are to get it."""
        with self._transactions.reading() as connection:
            return read_undelivered(connection, deployment).get(deployment, NOTHING_UNDELIVERED)

    def given_up(self, deployment: int) -> tuple[str, ...]:
        """The events of which some receiver was never notified, in order."""
        with self._transactions.reading() as connection:
            given_up = (notification.c.deployment == deployment) & notification.c.given_up_at.is_not(None)
            return tuple(
                connection.execute(select(notification.c.event).where(given_up).order_by(notification.c.id)).scalars()
            )
