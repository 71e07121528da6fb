"""The outbox of notifications: which receivers have been notified of which incident.

It is written in the transaction of the incident, so that a process that dies loses no notification.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from monitoring.records import IncidentRecord
from monitoring.store.incidents import COLUMNS, record_of
from monitoring.store.tables import incident


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingNotification:
    """An incident that some receiver has not been notified of yet.

    Attributes:
        incident: The incident.
        notified: Receivers that have been notified, as `monitoring.incidents.notification.receiver_of` names them.
        attempts: Attempts so far, at most one a run.
    """

    incident: IncidentRecord
    notified: frozenset[str] = frozenset()
    attempts: int = 0


def read(connection: Connection, deployment: int) -> tuple[PendingNotification, ...]:
    """Read the pending notifications of a deployment, in the order of the incidents' numbers."""
    query = (
        select(*COLUMNS, incident.c.told, incident.c.tellings)
        .where((incident.c.deployment == deployment) & incident.c.told_at.is_(None) & incident.c.given_up_at.is_(None))
        .order_by(incident.c.number)
    )
    found = []
    for row in connection.execute(query).mappings():
        values = dict(row)
        notified, attempts = json.loads(values.pop("told")), values.pop("tellings")
        found.append(PendingNotification(incident=record_of(values), notified=frozenset(notified), attempts=attempts))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to notify the receivers of an incident.

    Attributes:
        notified: All receivers notified so far.
        completed_at: When no receiver was left to notify; None while one is.
        given_up_at: When it was given up; None while it is not.
    """

    notified: frozenset[str] = frozenset()
    completed_at: datetime | None = None
    given_up_at: datetime | None = None


def write(connection: Connection, deployment: int, number: int, attempt: Attempt) -> None:
    """Record one more attempt to notify the receivers of an incident."""
    statement = (
        update(incident)
        .where((incident.c.deployment == deployment) & (incident.c.number == number))
        .values(
            told=json.dumps(sorted(attempt.notified)),
            told_at=attempt.completed_at,
            given_up_at=attempt.given_up_at,
            tellings=incident.c.tellings + 1,
        )
    )
    connection.execute(statement)


def read_given_up(connection: Connection, deployment: int) -> tuple[int, ...]:
    """The numbers of the incidents whose notification was given up."""
    query = select(incident.c.number).where((incident.c.deployment == deployment) & incident.c.given_up_at.is_not(None))
    return tuple(connection.execute(query.order_by(incident.c.number)).scalars())
