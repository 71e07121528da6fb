"""Checkpoints: a deployment as it was before a window, from which that window can be judged again."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from monitoring.records import JUDGED_AGAIN, IncidentAction, IncidentEvent, IncidentRecord
from monitoring.records.state_names import StateName
from monitoring.store import deployments, incident_actions, incidents
from monitoring.store.column_types import history_text
from monitoring.store.events import enqueue
from monitoring.store.tables import checkpoint, incident, level_state, notification

#: The columns of an incident that evidence changes; its history and people's columns go on.
_OF_EVIDENCE = ("state", "watch", "slice", "diagnoses", "recovery", "detail", "closed_from")

IncidentColumns: TypeAlias = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A deployment as it was before a window.

    Attributes:
        states: Everything that passes from one window to the next, by name, as text; empty before the first window.
    """

    states: Mapping[StateName, str]
    incidents: Mapping[int, IncidentColumns]


def keep(connection: Connection, deployment: int, start: datetime) -> None:
    """Keep the deployment as it is now, before the window that begins at a time is judged."""
    tracked = ((incident.c.state != "closed") | (incident.c.closed_from != "")) & incidents.is_as_judged()
    query = select(incident.c.number, *(incident.c[name] for name in _OF_EVIDENCE))
    rows = connection.execute(query.where((incident.c.deployment == deployment) & tracked)).mappings()
    document = {"states": deployments.read_states(connection, deployment), "incidents": [dict(row) for row in rows]}
    content = zlib.compress(json.dumps(document).encode(), 1)
    connection.execute(delete(checkpoint).where(_is(deployment, start)))
    connection.execute(insert(checkpoint).values(deployment=deployment, start=start, content=content))


def forget(connection: Connection, deployment: int, before: datetime | None = None) -> None:
    """Delete the checkpoints of a deployment, or those before windows that begin before a time."""
    of_deployment = checkpoint.c.deployment == deployment
    connection.execute(
        delete(checkpoint).where(of_deployment if before is None else of_deployment & (checkpoint.c.start < before))
    )


def forget_from(connection: Connection, deployment: int, start: datetime) -> None:
    """Delete the checkpoints before windows that begin at a time or later."""
    connection.execute(
        delete(checkpoint).where((checkpoint.c.deployment == deployment) & (checkpoint.c.start >= start))
    )


def starts(connection: Connection, deployment: int) -> tuple[datetime, ...]:
    """When the windows begin that have a checkpoint, in order."""
    query = select(checkpoint.c.start).where(checkpoint.c.deployment == deployment).order_by(checkpoint.c.start)
    return tuple(connection.execute(query).scalars())


def read(connection: Connection, deployment: int, start: datetime) -> Checkpoint | None:
    """The checkpoint before the window that begins at a time; None if there is none."""
    content = connection.execute(select(checkpoint.c.content).where(_is(deployment, start))).scalar()
    if content is None:
        return None
    document = json.loads(zlib.decompress(content))
    return Checkpoint(
        states=document["states"], incidents={int(row.pop("number")): row for row in document["incidents"]}
    )


def restore(
    connection: Connection, deployment: int, start: datetime, before: Checkpoint, action: IncidentAction
) -> None:
    """Put a deployment back to where it was before a window, but for what people did and were told.

    Incidents that were opened since go on where the same windows open them again, and their logs say so; `settle`
    closes the others. Those that evidence closed since are open again. One that a person closed since stays closed,
    which the next window takes account of. Nobody is notified before `settle`.
    """
    connection.execute(delete(level_state).where(level_state.c.deployment == deployment))
    deployments.write_states(connection, deployment, before.states)
    for record in incidents.read(connection, deployment):
        if record.opened_at > start:
            incident_actions.append(connection, deployment, record.number, replace(action, kind="note"))
            _set(connection, deployment, record.number, {"closed_from": JUDGED_AGAIN})
        elif (then := before.incidents.get(record.number)) is not None:
            _restore_incident(connection, deployment, record, then, start)


def settle(connection: Connection, deployment: int, action: IncidentAction) -> None:
    """Close the incidents that no window has opened again, and tell people of those that are open again."""
    for record in incidents.read(connection, deployment):
        if record.closed_from == JUDGED_AGAIN:
            if record.state != "closed":
                text = "The windows since were judged again, and did not open it."
                incidents.act(connection, deployment, record.number, replace(action, kind="close", text=text))
            _set(connection, deployment, record.number, {"closed_from": ""})
        elif record.state != "closed" and _is_announced_as_closed(connection, deployment, record.number):
            text = "The windows since were judged again, and did not close it."
            incident_actions.append(connection, deployment, record.number, replace(action, kind="reopen", text=text))
            enqueue(connection, deployment, record.number, {"open-2": IncidentEvent(at=action.at, state="open")})


def _is_announced_as_closed(connection: Connection, deployment: int, number: int) -> bool:
    """Whether the last event of an incident is that it was closed."""
    of_incident = (notification.c.deployment == deployment) & (notification.c.incident == number)
    query = select(notification.c.state).where(of_incident).order_by(notification.c.id.desc()).limit(1)
    return connection.execute(query).scalar() == "closed"


def _restore_incident(
    connection: Connection, deployment: int, record: IncidentRecord, then: IncidentColumns, start: datetime
) -> None:
    by_person = any(incidents.is_by_a_person(action, record) for action in record.actions)
    if record.state == "closed" and (then["state"] == "closed" or by_person):
        _set(connection, deployment, record.number, {"closed_from": then["closed_from"] or then["state"]})
        return
    values: dict[str, Any] = {**then, "closed_at": None}
    if record.acknowledged_at is not None:
        values["state"] = "acknowledged"
    history = tuple(event for event in record.history if event.at <= start or event.state == "acknowledged")
    _set(connection, deployment, record.number, {**values, "history": history_text(history)})


def _set(connection: Connection, deployment: int, number: int, values: Mapping[str, Any]) -> None:
    of_incident = (incident.c.deployment == deployment) & (incident.c.number == number)
    connection.execute(update(incident).where(of_incident).values(**values))


def _is(deployment: int, start: datetime) -> ColumnElement[bool]:
    return (checkpoint.c.deployment == deployment) & (checkpoint.c.start == start)
