"""Events of incidents: each state that one enters is a row of the outbox, written in the transaction that causes it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, select

from monitoring.records import IncidentEvent, IncidentRecord
from monitoring.store.tables import deployment as deployments
from monitoring.store.tables import notification


def event_names(incident: IncidentRecord) -> dict[str, IncidentEvent]:
    """The states that an incident has entered, by a name that each keeps for the life of the incident.

    Returns:
        The events in order: the opening is `0`, worsenings are `1`, `2` and so on, and the others have their state.
    """
    counts: Counter[str] = Counter()
    named = {}
    for event in incident.history or (IncidentEvent(at=incident.opened_at, state="open"),):
        counts[event.state] += 1
        count = counts[event.state]
        if event.state == "worse":
            name = str(count)
        else:
            name = "0" if event.state == "open" and count == 1 else f"{event.state}-{count}"
        named[name] = event
    return named


def changes(
    before: IncidentRecord | None, after: IncidentRecord, *, since: datetime | None = None
) -> dict[str, IncidentEvent]:
    """The events of a change, by their names."""
    earlier_names = {} if before is None else event_names(before)
    return {
        name: event
        for name, event in event_names(after).items()
        if name not in earlier_names and (since is None or event.at > since)
    }


def enqueue(connection: Connection, deployment: int, number: int, events: Mapping[str, IncidentEvent]) -> None:
    """Write events of an incident to the outbox; a name that is taken, as a closing was undone, is counted on.

    A state that the incident has entered at the same time before, as its windows are judged again, is no event.
    """
    if not events:
        return
    of_this = (notification.c.deployment == deployment) & (notification.c.incident == number)
    before = connection.execute(
        select(notification.c.event, notification.c.state, notification.c.at).where(of_this)
    ).all()
    used_names, entered = {row.event for row in before}, {(row.state, row.at) for row in before}
    prefix = f"{called_by(connection, deployment)}/{deployment}/{number}"
    for name, event in events.items():
        if (event.state, event.at) in entered:
            continue
        later = (f"{event.state}-{count}" for count in itertools.count(2))
        free = next(
            candidate for candidate in itertools.chain((name,), later) if f"{prefix}/{candidate}" not in used_names
        )
        used_names.add(f"{prefix}/{free}")
        values = {"event": f"{prefix}/{free}", "incident": number, "state": event.state, "at": event.at}
        connection.execute(
            insert(notification).values(deployment=deployment, **values, reached="[]", abandoned="[]", attempts=0)
        )


def called_by(connection: Connection, deployment: int) -> str:
    """The name of a deployment."""
    row = connection.execute(
        select(deployments.c.name, deployments.c.model).where(deployments.c.id == deployment)
    ).one()
    return str(row.name or row.model)
