"""Incidents in the store: written by runs, acknowledged by people; neither undoes the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from monitoring.errors import BadInput
from monitoring.records import IncidentEvent, IncidentRecord
from monitoring.store.details import detail_of, detail_text, history_of, history_text
from monitoring.store.tables import deployment as deployments
from monitoring.store.tables import incident

#: The columns of a record; those of its notifications are in `monitoring.store.notifications`.
COLUMNS = [incident.c[field.name] for field in fields(IncidentRecord)]


def write(connection: Connection, deployment: int, records: Sequence[IncidentRecord]) -> None:
    """Add incidents, or replace them by number.

    An incident that was acknowledged since the run read it stays acknowledged.

    Args:
        connection: A transaction that writes.
        deployment: The deployment's number.
        records: The incidents.
    """
    if not records:
        return
    known = {record.number: record for record in read(connection, deployment)}
    past = JudgedBefore.of(connection, deployment)
    for record in records:
        stored = known.get(record.number)
        if stored is None:
            values = _values(past.acknowledged(record)) | past.telling(record)
            connection.execute(insert(incident).values(deployment=deployment, **values))
        else:
            values = _values(_keeping_acknowledgement(record, stored))
            if _worsenings(record) > _worsenings(stored):  # everybody is told again
                values |= {"told": "[]", "tellings": 0, "told_at": None, "given_up_at": None} | past.telling(record)
            connection.execute(update(incident).where(_is(deployment, record.number)).values(**values))


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBefore:
    """What the deployment before had found when this one took its place.

    Attributes:
        until: The end of its last window; None if there was none.
        incidents: Its incidents that were acknowledged.
    """

    until: datetime | None = None
    incidents: tuple[IncidentRecord, ...] = ()

    @classmethod
    def of(cls, connection: Connection, deployment: int) -> JudgedBefore:
        """Read it. Cost: one query, and a second one where a deployment came before."""
        query = select(deployments.c.follows, deployments.c.quiet_until).where(deployments.c.id == deployment)
        row = connection.execute(query).first()
        if row is None or row.follows is None or row.quiet_until is None:
            return cls()
        found = tuple(one for one in read(connection, row.follows) if one.acknowledged_at is not None)
        return cls(until=row.quiet_until, incidents=found)

    def telling(self, record: IncidentRecord) -> dict[str, Any]:
        """The columns of an incident that is not told, as the deployment before had judged that time; else none."""
        last = record.history[-1].at if record.history else record.opened_at
        return {"told_at": last} if self.until is not None and last <= self.until else {}

    def acknowledged(self, record: IncidentRecord) -> IncidentRecord:
        """An incident with the acknowledgement that the deployment before has of the same watch at that time."""
        if self.until is None or record.opened_at > self.until:
            return record
        for one in reversed(self.incidents):
            same = (one.level, one.watch, one.slice) == (record.level, record.watch, record.slice)
            overlap = one.window_start < record.opened_at and (one.closed_at or self.until) > record.window_start
            if same and overlap and one.acknowledged_at is not None:
                at = max(one.acknowledged_at, record.opened_at)
                history = (*record.history, IncidentEvent(at=at, state="acknowledged"))
                return replace(record, state="acknowledged", acknowledged_at=at, history=history)
        return record


def read(connection: Connection, deployment: int) -> tuple[IncidentRecord, ...]:
    """All incidents in the order of their numbers."""
    query = select(*COLUMNS).where(incident.c.deployment == deployment).order_by(incident.c.number)
    return tuple(map(record_of, connection.execute(query).mappings()))


def acknowledge(connection: Connection, deployment: int, number: int, at: datetime) -> IncidentRecord:
    """Acknowledge an incident.

    An open one becomes acknowledged, a recovering one stays recovering, and a second time changes nothing.

    Args:
        connection: A transaction that writes.
        deployment: The deployment's number.
        number: The incident's number.
        at: When it was acknowledged.

    Returns:
        The incident afterwards.

    Raises:
        BadInput: There is no such incident, or it is closed.
    """
    row = connection.execute(select(*COLUMNS).where(_is(deployment, number))).mappings().first()
    if row is None:
        numbers = [str(record.number) for record in read(connection, deployment)]
        raise BadInput(
            "No such incident.",
            got=str(number),
            expected=f"one of: {', '.join(numbers)}" if numbers else "none, as there are no incidents",
            fix="`pitfalls monitor status` lists them.",
        )
    record = record_of(row)
    if record.state == "closed":
        raise BadInput(
            "The incident is closed.",
            got=str(number),
            expected="an incident that is not closed",
            fix="A closed incident needs no acknowledgement.",
        )
    if record.acknowledged_at is not None:
        return record
    state = "acknowledged" if record.state in ("open", "worse") else record.state
    history = (*record.history, IncidentEvent(at=at, state="acknowledged"))
    changed = replace(record, state=state, acknowledged_at=at, history=history)
    values = {"state": changed.state, "acknowledged_at": at, "history": history_text(history)}
    connection.execute(update(incident).where(_is(deployment, number)).values(**values))
    return changed


def _keeping_acknowledgement(record: IncidentRecord, stored: IncidentRecord) -> IncidentRecord:
    if stored.acknowledged_at is None or record.acknowledged_at is not None:
        return record
    if _worsenings(record) > _worsenings(stored):
        return record  # acknowledged as it was, and worse since
    state = "acknowledged" if record.state == "open" else record.state
    missing = tuple(event for event in stored.history if event not in record.history)
    history = tuple(sorted((*record.history, *missing), key=lambda event: event.at))
    return replace(record, state=state, acknowledged_at=stored.acknowledged_at, history=history)


def _worsenings(record: IncidentRecord) -> int:
    return sum(event.state == "worse" for event in record.history)


def _is(deployment: int, number: int) -> Any:
    return (incident.c.deployment == deployment) & (incident.c.number == number)


def record_of(row: Mapping[Any, Any]) -> IncidentRecord:
    """Convert a row of `COLUMNS` to a record."""
    record = IncidentRecord(**{**row, "detail": detail_of(row["detail"]), "history": ()})
    return replace(record, history=history_of(row["history"], record))


def _values(record: IncidentRecord) -> dict[str, Any]:
    plain = {field.name: getattr(record, field.name) for field in fields(record)}
    return {**plain, "detail": detail_text(record.detail), "history": history_text(record.history)}
