"""Incidents in the store: written by runs, acted on by people; neither undoes the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, insert, select, update

from monitoring.errors import BadInput
from monitoring.records import JUDGED_AGAIN, IncidentAction, IncidentEvent, IncidentRecord
from monitoring.store import incident_actions, leases
from monitoring.store.column_types import detail_of, detail_text, diagnoses_of, diagnoses_text, history_of, history_text
from monitoring.store.events import changes, enqueue
from monitoring.store.tables import deployment as deployments
from monitoring.store.tables import incident
from monitoring.store.transactions import Transactions

#: The columns of a record; the actions of people are in `monitoring.store.incident_actions`.
COLUMNS = [incident.c[field.name] for field in fields(IncidentRecord) if field.name != "actions"]

#: What people alone change.
_OF_PEOPLE = ("owner", "snoozed_until", "snoozed_until_worse")


def is_as_judged() -> ColumnElement[bool]:
    """The condition that the windows of an incident are not being judged again."""
    return incident.c.closed_from != JUDGED_AGAIN


# What each window asks and writes is made once.
_READ = select(*COLUMNS).where(incident.c.deployment == bindparam("of")).order_by(incident.c.number)
_READ_SOME = _READ.where(incident.c.number.in_(bindparam("numbers", expanding=True)))
_TRACKED = _READ.where(((incident.c.state != "closed") | (incident.c.closed_from != "")) & is_as_judged())
_FOLLOWS = select(deployments.c.follows, deployments.c.quiet_until).where(deployments.c.id == bindparam("of"))
_INSERT = insert(incident)
_UPDATE = update(incident).where(
    (incident.c.deployment == bindparam("of")) & (incident.c.number == bindparam("called"))
)


def write(connection: Connection, deployment: int, records: Sequence[IncidentRecord]) -> None:
    """Add incidents, or replace them by number; each state that one has entered is an event to notify people of.

    An incident that was acknowledged since the run read it stays acknowledged; one that a person closed stays closed.
    One whose windows are judged again takes the place of what it was.
    """
    if not records:
        return
    numbers = [record.number for record in records]
    stored_records = {record.number: record for record in read(connection, deployment, numbers)}
    past = JudgedBefore.of(connection, deployment)
    for record in records:
        stored = stored_records.get(record.number)
        if stored is None:
            values = _values(past.with_people(record))
            connection.execute(_INSERT, {"deployment": deployment, **values})
            enqueue(connection, deployment, record.number, changes(None, record, since=past.until))
        else:
            merged_record = _keeping_closing(_keeping_acknowledgement(record, stored), stored)
            if stored.closed_from == JUDGED_AGAIN:
                merged_record, stored = _as_people_left_it(record, stored), replace(stored, history=())
            values = {name: value for name, value in _values(merged_record).items() if name not in _OF_PEOPLE}
            if merged_record.state != "closed" and record.worsenings > stored.worsenings and stored.snoozed_until_worse:
                values |= {"snoozed_until": None, "snoozed_until_worse": False}
            connection.execute(_UPDATE, {"of": deployment, "called": record.number, **values})
            if not merged_record.state == stored.state == "closed":
                enqueue(connection, deployment, record.number, changes(stored, merged_record, since=past.until))


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBefore:
    """What the deployment before had found when this one took its place.

    Attributes:
        until: The end of its last window; None if there was none.
    """

    until: datetime | None = None
    incidents: tuple[IncidentRecord, ...] = ()

    @classmethod
    def of(cls, connection: Connection, deployment: int) -> JudgedBefore:
        """Read it. Cost: one query, and a second one where a deployment came before."""
        row = connection.execute(_FOLLOWS, {"of": deployment}).first()
        if row is None or row.follows is None or row.quiet_until is None:
            return cls()
        return cls(until=row.quiet_until, incidents=tuple(filter(_has_people, read(connection, row.follows))))

    def with_people(self, record: IncidentRecord) -> IncidentRecord:
        """An incident with what people did with the same watch at that time in the deployment before."""
        if self.until is None or record.opened_at > self.until:
            return record
        for earlier in reversed(self.incidents):
            same = (earlier.level, earlier.watch, earlier.slice) == (record.level, record.watch, record.slice)
            if (
                same
                and earlier.window_start < record.opened_at
                and (earlier.closed_at or self.until) > record.window_start
            ):
                result = replace(record, **{name: getattr(earlier, name) for name in _OF_PEOPLE})
                if earlier.acknowledged_at is None:
                    return result
                at = max(earlier.acknowledged_at, record.opened_at)
                history = (*record.history, IncidentEvent(at=at, state="acknowledged"))
                return replace(result, state="acknowledged", acknowledged_at=at, history=history)
        return record


def _has_people(record: IncidentRecord) -> bool:
    """Whether people acknowledged, snoozed or own an incident."""
    snoozed = record.snoozed_until is not None or record.snoozed_until_worse
    return record.acknowledged_at is not None or snoozed or bool(record.owner)


def read(connection: Connection, deployment: int, numbers: Sequence[int] | None = None) -> tuple[IncidentRecord, ...]:
    """All incidents in the order of their numbers, or those of some numbers, with what people did."""
    query, asked = (_READ, {}) if numbers is None else (_READ_SOME, {"numbers": numbers})
    rows = connection.execute(query, {"of": deployment, **asked}).mappings()
    records = tuple(map(record_of, rows))
    actions = incident_actions.read(connection, deployment, numbers) if records else {}
    return incident_actions.with_actions(records, actions)


def read_one(connection: Connection, deployment: int, number: int) -> IncidentRecord:
    """One incident, with what people did. Raises BadInput if there is none of this number."""
    matches = _with_actions(connection, deployment, select(*COLUMNS).where(_is(deployment, number)))
    if not matches:
        numbers_query = select(incident.c.number).where(incident.c.deployment == deployment).order_by(incident.c.number)
        numbers = ", ".join(map(str, connection.execute(numbers_query).scalars()))
        raise BadInput(
            "No such incident.",
            got=str(number),
            expected=f"one of: {numbers}" if numbers else "none, as there are no incidents",
            fix="`pitfalls monitor incidents list --all` lists them.",
        )
    return matches[0]


def _with_actions(connection: Connection, deployment: int, query: Select[Any]) -> tuple[IncidentRecord, ...]:
    records = tuple(map(record_of, connection.execute(query).mappings()))
    actions = incident_actions.read(connection, deployment, [record.number for record in records]) if records else {}
    return incident_actions.with_actions(records, actions)


def act(connection: Connection, deployment: int, number: int, action: IncidentAction) -> IncidentRecord:
    """Act on an incident, as `monitoring.store.incident_actions.acted` says."""
    before = read_one(connection, deployment, number)
    after = incident_actions.acted(before, action)
    if after != before:
        incident_actions.append(connection, deployment, number, action)
        connection.execute(update(incident).where(_is(deployment, number)).values(**_values(after)))
        events = changes(before, after)
        if action.kind == "reopen":
            events["open-2"] = IncidentEvent(at=action.at, state="open")
        enqueue(connection, deployment, number, events)
    return after


def _keeping_acknowledgement(record: IncidentRecord, stored: IncidentRecord) -> IncidentRecord:
    if stored.acknowledged_at is None or record.acknowledged_at is not None:
        return record
    if record.worsenings > stored.worsenings:
        return record  # acknowledged as it was, and worse since
    state = "acknowledged" if record.state == "open" else record.state
    missing = tuple(event for event in stored.history if event not in record.history)
    history = tuple(sorted((*record.history, *missing), key=lambda event: event.at))
    return replace(record, state=state, acknowledged_at=stored.acknowledged_at, history=history)


def _keeping_closing(record: IncidentRecord, stored: IncidentRecord) -> IncidentRecord:
    """The incident as a person closed it after the run had read it; the next window takes account of that."""
    if not stored.closed_from or record.state == "closed":
        return record
    closing = stored.history[-1]
    history = (*(event for event in record.history if event != closing), closing)
    return replace(record, state="closed", closed_at=stored.closed_at, closed_from=record.state, history=history)


def _as_people_left_it(record: IncidentRecord, stored: IncidentRecord) -> IncidentRecord:
    """An incident that was opened again with its number, with what people did with it before."""
    people = [event for event in stored.history if event.state == "acknowledged"]
    record = replace(record, acknowledged_at=stored.acknowledged_at, history=(*record.history, *people))
    if stored.state == "closed" and any(is_by_a_person(action, stored) for action in stored.actions):
        closing = IncidentEvent(at=stored.closed_at or record.opened_at, state="closed")
        history = (*record.history, closing)
        return replace(record, state="closed", closed_at=closing.at, closed_from=record.state, history=history)
    return record if stored.acknowledged_at is None else replace(record, state="acknowledged")


def is_by_a_person(action: IncidentAction, incident: IncidentRecord) -> bool:
    """Whether an action is the closing of a closed incident, which evidence did not close then."""
    return action.kind == "close" and action.at == incident.closed_at


def _is(deployment: int, number: int) -> Any:
    return (incident.c.deployment == deployment) & (incident.c.number == number)


def record_of(row: Mapping[Any, Any]) -> IncidentRecord:
    """Convert a row of `COLUMNS` to a record."""
    documents = {
        "detail": detail_of(row["detail"]),
        "diagnoses": diagnoses_of(row["diagnoses"]),
        "history": history_of(row["history"]),
    }
    return IncidentRecord(**{**row, **documents})


def _values(record: IncidentRecord) -> dict[str, Any]:
    plain = {column.name: getattr(record, column.name) for column in COLUMNS}
    documents = {
        "detail": detail_text(record.detail),
        "diagnoses": diagnoses_text(record.diagnoses),
        "history": history_text(record.history),
    }
    return {**plain, **documents}


class IncidentTable:
    """The incidents of a store, with what people did."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def read(self, deployment: int) -> tuple[IncidentRecord, ...]:
        """All incidents in the order of their numbers, with what people did."""
        with self._transactions.reading() as connection:
            return read(connection, deployment)

    def recent(self, deployment: int, *, latest: int, before: int | None, closed: bool) -> tuple[IncidentRecord, ...]:
        """The latest incidents, the newest first, with what people did.

        Args:
            before: Only those with a smaller number; None: all.
        """
        with self._transactions.reading() as connection:
            query = (
                select(*COLUMNS)
                .where(incident.c.deployment == deployment)
                .order_by(incident.c.number.desc())
                .limit(latest)
            )
            if before is not None:
                query = query.where(incident.c.number < before)
            if not closed:
                query = query.where(incident.c.state != "closed")
            return _with_actions(connection, deployment, query)

    def get(self, deployment: int, number: int) -> IncidentRecord:
        """One incident, with what people did. Raises BadInput if there is none of this number."""
        with self._transactions.reading() as connection:
            return read_one(connection, deployment, number)

    def tracked(self, deployment: int) -> tuple[IncidentRecord, ...]:
        """Incidents that the next window may change: not closed, or closed by a person since, and none judged again."""
        with self._transactions.reading() as connection:
            return tuple(map(record_of, connection.execute(_TRACKED, {"of": deployment}).mappings()))

    def close_all(self, deployment: int, action: IncidentAction) -> tuple[IncidentRecord, ...]:
        """Close every incident of a deployment that is not closed, with one action; gives them as they are then."""
        with self._transactions.writing(deployment) as connection:
            query = select(incident.c.number).where(
                (incident.c.deployment == deployment) & (incident.c.state != "closed")
            )
            numbers = connection.execute(query.order_by(incident.c.number)).scalars().all()
            return tuple(act(connection, deployment, number, action) for number in numbers)

    def act(self, deployment: int, number: int, action: IncidentAction) -> IncidentRecord:
        """Act on an incident, by its number."""
        with self._transactions.writing(deployment) as connection:
            if action.kind == "reopen":
                leases.check_free(connection, deployment, action.at)
            return act(connection, deployment, number, action)
