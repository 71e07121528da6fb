"""Changes of a deployment's baseline to windows of its own traffic: recorded, and undone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from monitoring.errors import BadInput
from monitoring.records import LEVELS, DeploymentRecord, IncidentAction, Rebaseline
from monitoring.records.state_names import BURN_IN, EVENTS, SUBGROUPS, USUAL_LEVELS, WITNESS
from monitoring.store import checkpoints, deployments, incidents, leases, windows
from monitoring.store.deployments import NOTHING
from monitoring.store.tables import deployment, incident, level_state, rebaseline
from monitoring.store.transactions import Transactions, lock

#: The states that mean something against one baseline alone; the others are of the traffic and its labels.
_OF_THE_BASELINE = (*LEVELS, WITNESS, EVENTS, BURN_IN, SUBGROUPS, USUAL_LEVELS)


def _read(connection: Connection, number: int) -> tuple[Rebaseline, ...]:
    """All changes of a deployment's baseline, in order; those that were undone too."""
    query = select(rebaseline).where(rebaseline.c.deployment == number).order_by(rebaseline.c.position)
    return tuple(map(_record, connection.execute(query)))


def apply(connection: Connection, number: int, record: DeploymentRecord, change: Rebaseline, holder: str = "") -> None:
    """Hold a deployment against a new baseline from now on; its windows and incidents stay.

    Its evidence begins anew, and the former one is kept for `undo`. No window that was judged is judged again. Open
    incidents that were opened before the end of the windows that the baseline was made of are closed with the reason.

    Args:
        holder: Who has the deployment's lease for it; empty: nobody may have it.
    """
    lock(connection, number)
    leases.check_free(connection, number, record.created_at, holder)
    before = connection.execute(select(deployment).where(deployment.c.id == number)).one()
    judged_until = windows.last_end(connection, number)
    since = change.since if judged_until is None else max(change.since, judged_until)
    states = deployments.read_states(connection, number)
    closed = _close(connection, number, change, record.created_at)
    values = {name: getattr(change, name) for name in ("at", "by", "reason", "start", "end")}
    connection.execute(
        insert(rebaseline).values(
            deployment=number,
            position=len(_read(connection, number)),
            since=since,
            former_digest=before.settings_digest,
            former_basis=before.basis,
            former_since=before.since,
            states=json.dumps(states),
            closed=json.dumps(closed),
            **values,
        )
    )
    connection.execute(
        delete(level_state).where((level_state.c.deployment == number) & level_state.c.level.in_(_OF_THE_BASELINE))
    )
    _hold(connection, number, digest=record.settings_digest, basis=record.basis, since=since)


def reject_former(connection: Connection, record: DeploymentRecord) -> None:
    """Refuse a deployment with the baseline that a newer one has taken the place of.

    That is a scheduler which read its config before, or a config that was put back.
    """
    query = (
        select(rebaseline.c.at, rebaseline.c.by)
        .join(deployment, deployment.c.id == rebaseline.c.deployment)
        .where((deployment.c.name == record.called) & (deployment.c.version == record.version))
        .where((rebaseline.c.former_basis == record.basis) & rebaseline.c.undone_at.is_(None))
        .limit(1)
    )
    row = connection.execute(query).first() if record.basis else None
    if row is not None:
        raise BadInput(
            "The deployment has a newer baseline than this config.",
            got=f"{record.called} with the baseline before that of {row.at:%Y-%m-%d %H:%M} UTC, by {row.by}",
            expected="the config that `pitfalls monitor rebaseline` wrote",
            fix="Start again with that config, or undo the change: `pitfalls monitor rebaseline --undo`.",
        )


def _close(connection: Connection, number: int, change: Rebaseline, now: datetime) -> list[tuple[int, str]]:
    """Close the open incidents that the new baseline explains; gives their numbers, and the states they were in."""
    query = select(incident.c.number, incident.c.state).where(
        (incident.c.deployment == number) & (incident.c.state != "closed") & (incident.c.opened_at <= change.end)
    )
    states = [(row.number, row.state) for row in connection.execute(query.order_by(incident.c.number))]
    action = IncidentAction(at=now, by=change.by, kind="close", text=f"New baseline: {change.reason}")
    for incident_number, _ in states:
        incidents.act(connection, number, incident_number, action)
    return states


def _reopen(connection: Connection, number: int, row: Row[Any], action: IncidentAction) -> None:
    """Open the incidents again that a change closed."""
    for incident_number, state in json.loads(row.closed):
        of_incident = (
            (incident.c.deployment == number) & (incident.c.number == incident_number) & (incident.c.state == "closed")
        )
        if connection.execute(update(incident).where(of_incident).values(closed_from=state)).rowcount:
            incidents.act(connection, number, incident_number, action)


def _hold(connection: Connection, number: int, *, digest: str, basis: str, since: datetime | None) -> None:
    """Hold a deployment against a baseline.

    What a run computes of it, the check of the last one, and checkpoints, whose evidence is of another baseline, are
    gone.
    """
    checkpoints.forget(connection, number)
    values = {"settings_digest": digest, "basis": basis, "since": since, "inputs": "", "traffic_state": ""}
    values |= {"sensitivity": NOTHING, "baseline": NOTHING, "measured": NOTHING}
    connection.execute(update(deployment).where(deployment.c.id == number).values(**values))


def _record(row: Row[Any]) -> Rebaseline:
    return Rebaseline(
        at=row.at,
        by=row.by,
        reason=row.reason,
        start=row.start,
        end=row.end,
        since=row.since,
        former_basis=row.former_basis,
        closed=tuple(number for number, _ in json.loads(row.closed)),
        undone_at=row.undone_at,
        undone_by=row.undone_by,
    )


class RebaselineTable:
    """The changes of baselines in a store."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def read(self, deployment: int) -> tuple[Rebaseline, ...]:
        """All changes of a deployment's baseline to windows of its own traffic, in order; those undone too."""
        with self._transactions.reading() as connection:
            return _read(connection, deployment)

    def undo(self, number: int, by: str, now: datetime, holder: str = "") -> Rebaseline:
        """Hold a deployment against the baseline before its last one again, as if that had never been.

        The evidence is that of then. Windows that were judged against the last baseline are deleted, to be judged
        again; incidents that these opened are closed, and those that the change closed are open again, as far as nobody
        reopened them.

        Args:
            holder: Who has the deployment's lease for it; empty: nobody may have it.
        """
        with self._transactions.writing(number) as connection:
            leases.check_free(connection, number, now, holder)
            query = select(rebaseline).where((rebaseline.c.deployment == number) & rebaseline.c.undone_at.is_(None))
            row = connection.execute(query.order_by(rebaseline.c.position.desc()).limit(1)).first()
            if row is None:
                raise BadInput(
                    "There is no new baseline to undo.",
                    got=f"deployment {number}, whose baseline is its first one, or is the former one again",
                    expected="a deployment that was re-baselined",
                    fix="`pitfalls monitor status` shows whether it was.",
                )
            windows.delete_from(connection, number, row.since)
            note = IncidentAction(at=now, by=by, kind="close", text="The new baseline was undone.")
            opened = select(incident.c.number).where((incident.c.deployment == number) & (incident.c.state != "closed"))
            for later in connection.execute(opened.where(incident.c.opened_at > row.since)).scalars().all():
                incidents.act(connection, number, later, note)
            _reopen(connection, number, row, replace(note, kind="reopen"))
            connection.execute(delete(level_state).where(level_state.c.deployment == number))
            deployments.write_states(connection, number, json.loads(row.states))
            _hold(connection, number, digest=row.former_digest, basis=row.former_basis, since=row.former_since)
            of_rebaseline = (rebaseline.c.deployment == number) & (rebaseline.c.position == row.position)
            connection.execute(update(rebaseline).where(of_rebaseline).values(undone_at=now, undone_by=by))
            return replace(_record(row), undone_at=now, undone_by=by)
