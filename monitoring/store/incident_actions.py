"""What people do with incidents: what it changes, and the log of it in the store.

Evidence moves an incident's states, and people act on it: an action changes no evidence. An incident that a person
closes is closed at once; its watches are tested against the baseline again when the next window is judged, as that
alone moves evidence.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Connection, bindparam, func, insert, select

from monitoring.errors import BadInput
from monitoring.records import JUDGED_AGAIN, IncidentAction, IncidentEvent, IncidentRecord
from monitoring.store.tables import incident_action

#: Characters of a note or a reason, and of a name.
LONGEST_TEXT = 4_000
LONGEST_NAME = 200

_FIELDS = [incident_action.c[name] for name in ("at", "by", "kind", "text", "until", "until_worse")]
_READ = (
    select(incident_action.c.incident, *_FIELDS)
    .where(incident_action.c.deployment == bindparam("of"))
    .order_by(incident_action.c.incident, incident_action.c.position)
)
_READ_SOME = _READ.where(incident_action.c.incident.in_(bindparam("numbers", expanding=True)))


def acted(incident: IncidentRecord, action: IncidentAction) -> IncidentRecord:
    """The incident after an action. Acknowledging it a second time changes nothing."""
    _check_texts(action)
    if incident.state == "closed" and action.kind in ("acknowledge", "snooze", "close"):
        _refuse_closed(incident, action)
    if action.kind == "acknowledge" and incident.acknowledged_at is not None:
        return incident
    return replace(_changed(incident, action), actions=(*incident.actions, action))


def _changed(incident: IncidentRecord, action: IncidentAction) -> IncidentRecord:
    if action.kind == "acknowledge":
        state = "acknowledged" if incident.state in ("open", "worse") else incident.state
        history = (*incident.history, IncidentEvent(at=action.at, state="acknowledged"))
        return replace(incident, state=state, acknowledged_at=action.at, history=history)
    if action.kind == "snooze":
        ended = action.until is not None and action.until <= action.at
        until = None if ended else action.until
        return replace(incident, snoozed_until=until, snoozed_until_worse=action.until_worse and not ended)
    if action.kind == "assign":
        return replace(incident, owner=action.text)
    if action.kind == "close":
        closed = replace(incident, closed_at=action.at, closed_from=incident.state)
        return closed.entered("closed", action.at)
    if action.kind == "reopen":
        return _reopened(incident)
    return incident


def _reopened(incident: IncidentRecord) -> IncidentRecord:
    """The incident as before a person closed it, and no longer snoozed: its receivers are told."""
    if not incident.closed_from or incident.closed_from == JUDGED_AGAIN:
        raise BadInput(
            "The incident cannot be reopened.",
            got=f"incident {incident.number}, which is {incident.state}",
            expected="an incident that a person closed, before another window is judged",
            fix="If the harm goes on, a new incident opens that refers to this one."
            if incident.state == "closed"
            else "It is open already.",
        )
    return replace(
        incident,
        state=incident.closed_from,
        closed_at=None,
        closed_from="",
        history=incident.history[:-1],
        snoozed_until=None,
        snoozed_until_worse=False,
    )


def _refuse_closed(incident: IncidentRecord, action: IncidentAction) -> None:
    needless = "A closed incident needs no acknowledgement."
    raise BadInput(
        "The incident is closed.",
        got=str(incident.number),
        expected="an incident that is not closed",
        fix=needless if action.kind == "acknowledge" else "A closed incident takes a note or an owner alone.",
    )


def _check_texts(action: IncidentAction) -> None:
    """Refuse texts that are missing or too long, and a snooze without an end."""
    longest = LONGEST_NAME if action.kind == "assign" else LONGEST_TEXT
    for text, most in ((action.text, longest), (action.by, LONGEST_NAME)):
        if len(text) > most:
            raise BadInput(
                "The text is too long.",
                got=f"{len(text):,} characters",
                expected=f"at most {most:,}",
                fix="Shorten it, or link to where the rest is.",
            )
    if action.kind == "note" and not action.text.strip():
        raise BadInput("The note is empty.", got="no text", expected="a sentence", fix="Say what you found.")
    if action.kind == "snooze" and action.until is None and not action.until_worse:
        raise BadInput(
            "A snooze needs an end.",
            got="neither",
            expected="a time, or until the incident becomes worse",
            fix="Give one of the two, or both: the first of them ends it.",
        )


def append(connection: Connection, deployment: int, number: int, action: IncidentAction) -> None:
    """Add an action to the log of an incident."""
    of_this = (incident_action.c.deployment == deployment) & (incident_action.c.incident == number)
    last = connection.execute(select(func.max(incident_action.c.position)).where(of_this)).scalar()
    values = {column.name: getattr(action, column.name) for column in _FIELDS}
    position = 0 if last is None else last + 1
    connection.execute(
        insert(incident_action).values(deployment=deployment, incident=number, position=position, **values)
    )


def read(
    connection: Connection, deployment: int, numbers: Collection[int] | None = None
) -> dict[int, tuple[IncidentAction, ...]]:
    """The actions on each incident of a deployment, or on those of these numbers, that has any, in order."""
    query, asked = (_READ, {}) if numbers is None else (_READ_SOME, {"numbers": [*numbers]})
    by_incident: dict[int, tuple[IncidentAction, ...]] = {}
    for row in connection.execute(query, {"of": deployment, **asked}).mappings():
        values = dict(row)
        number = values.pop("incident")
        by_incident[number] = (*by_incident.get(number, ()), IncidentAction(**values))
    return by_incident


def with_actions(
    incidents: Sequence[IncidentRecord], actions: dict[int, tuple[IncidentAction, ...]]
) -> tuple[IncidentRecord, ...]:
    """Incidents with their actions."""
    return tuple(replace(record, actions=actions.get(record.number, ())) for record in incidents)
