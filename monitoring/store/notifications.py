"""Who was told of which incident: written with the incident, so that no death of a process loses a telling."""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from monitoring.records import IncidentRecord
from monitoring.store.incidents import COLUMNS, record_of
from monitoring.store.tables import incident


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedTelling:
    """An incident that somebody has still to be told of: the receivers that were reached, and in how many attempts."""

    incident: IncidentRecord
    told: frozenset[str] = frozenset()
    tellings: int = 0


def read(connection: Connection, deployment: int) -> tuple[OwedTelling, ...]:
    """The incidents with a telling owed, in order of their number."""
    query = (
        select(*COLUMNS, incident.c.told, incident.c.tellings)
        .where((incident.c.deployment == deployment) & incident.c.told_at.is_(None))
        .order_by(incident.c.number)
    )
    found = []
    for row in connection.execute(query).mappings():
        values = dict(row)
        told, tellings = json.loads(values.pop("told")), values.pop("tellings")
        found.append(OwedTelling(incident=record_of(values), told=frozenset(told), tellings=tellings))
    return tuple(found)


def write(connection: Connection, deployment: int, number: int, told: AbstractSet[str], at: datetime | None) -> None:
    """One more attempt: who has been reached by now, and when nobody was owed anything more (None: somebody is)."""
    statement = (
        update(incident)
        .where((incident.c.deployment == deployment) & (incident.c.number == number))
        .values(told=json.dumps(sorted(told)), told_at=at, tellings=incident.c.tellings + 1)
    )
    connection.execute(statement)
