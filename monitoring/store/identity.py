"""Which deployment of the store a config belongs to: by name, version, evidence and traffic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from monitoring.errors import BadInput
from monitoring.records import LEVELS, DeploymentRecord
from monitoring.store import checkpoints, deployments, rebaselines
from monitoring.store.deployments import NOTHING
from monitoring.store.tables import deployment, level_state, window


@dataclass(frozen=True, slots=True, kw_only=True)
class Predecessor:
    """The deployment of the same name and version that was used last.

    Attributes:
        judged_until: The end of its last window; None if it judged none.
    """

    number: int
    judged_until: datetime | None


def find(connection: Connection, record: DeploymentRecord, *, moved: bool = False, holder: str = "") -> int | None:
    """Find the deployment of the same name, version, evidence and traffic, and mark it as used last.

    One that has an earlier digest is continued: its windows and incidents stay, and it has today's digest from now on;
    if that was of another method, the evidence of its levels begins anew. A deployment without traffic, from a store of
    an earlier release, takes that of the record.
    """
    number = deployments.same(connection, record.model, record.version, record.settings_digest)
    if number is not None:
        _check_traffic(connection, number, record, moved=moved)
    else:
        number = _earlier(connection, record, moved=moved)
        if number is None:
            number = _of_another_method(connection, record, moved=moved)
    if number is None:
        rebaselines.reject_former(connection, record)
        number = _of_former_baseline(connection, record, moved=moved, holder=holder)
    if number is not None:
        values = {"used_at": record.created_at, "name": record.called, "retired_at": None, "retired_as": ""}
        if record.basis:
            values["basis"] = record.basis
        if record.traffic:
            values["traffic"] = record.traffic
        connection.execute(update(deployment).where(deployment.c.id == number).values(**values))
        take_place(connection, number, record)
    return number


def take_place(connection: Connection, number: int, record: DeploymentRecord) -> None:
    """Say of the other deployments of this name and version that they are not in use any more."""
    same_name = (deployment.c.name == record.called) & (deployment.c.version == record.version)
    others = same_name & (deployment.c.id != number)
    connection.execute(
        update(deployment)
        .where(others & deployment.c.retired_at.is_(None))
        .values(retired_at=record.created_at, retired_as="replaced")
    )


def predecessor(connection: Connection, record: DeploymentRecord, *, moved: bool = False) -> Predecessor | None:
    """The deployment that a new one follows."""
    last = deployments.latest(connection, record.called)
    if last is not None:
        _check_traffic(connection, last, record, moved=moved)
    query = (
        select(deployment.c.id)
        .where((deployment.c.name == record.called) & (deployment.c.version == record.version))
        .order_by(deployment.c.used_at.desc(), deployment.c.id.desc())
        .limit(1)
    )
    number = connection.execute(query).scalar()
    if number is None:
        return None
    end = connection.execute(select(func.max(window.c.end)).where(window.c.deployment == number)).scalar()
    return Predecessor(number=number, judged_until=end)


def _earlier(connection: Connection, record: DeploymentRecord, *, moved: bool) -> int | None:
    """The deployment under an earlier digest, which it gives up for today's; None if there is none."""
    for earlier in record.earlier:
        number = deployments.same(connection, record.model, record.version, earlier.digest)
        if number is None or not (moved or _fits(deployments.read(connection, number), record)):
            continue
        _continue(connection, number, record, evidence_goes_on=earlier.evidence_goes_on)
        return number
    return None


def _of_another_method(connection: Connection, record: DeploymentRecord, *, moved: bool) -> int | None:
    """Continue the deployment of the same settings and baseline that another release has judged.

    Of one whose settings are not known, from a store of an earlier release, the budgets and the time zone are compared.
    """
    if not record.basis:
        return None
    query = (
        select(deployment.c.id)
        .where((deployment.c.model == record.model) & (deployment.c.version == record.version))
        .order_by(deployment.c.used_at.desc(), deployment.c.id.desc())
    )
    for number in connection.execute(query).scalars().all():
        stored = deployments.read(connection, number)
        stored_method = (stored.page_budget, stored.notice_budget, stored.timezone)
        same = stored_method == (record.page_budget, record.notice_budget, record.timezone)
        if stored.basis:
            same = stored.basis == record.basis and stored.name == record.called
        if same and (moved or _fits(stored, record)):
            _continue(connection, number, record, evidence_goes_on=False)
            return int(number)
    return None


def _of_former_baseline(connection: Connection, record: DeploymentRecord, *, moved: bool, holder: str) -> int | None:
    """Continue the deployment whose traffic the new baseline was made from; None if there is none."""
    if record.rebaseline is None:
        return None
    query = (
        select(deployment.c.id)
        .where((deployment.c.name == record.called) & (deployment.c.version == record.version))
        .where(deployment.c.basis == record.rebaseline.former_basis)
        .order_by(deployment.c.used_at.desc(), deployment.c.id.desc())
        .limit(1)
    )
    number: int | None = connection.execute(query).scalar()
    if number is None or not (moved or _fits(deployments.read(connection, number), record)):
        return None
    rebaselines.apply(connection, number, record, record.rebaseline, holder)
    return number


def _continue(connection: Connection, number: int, record: DeploymentRecord, *, evidence_goes_on: bool) -> None:
    """Give a deployment today's digest; unless its evidence goes on, that begins anew."""
    values = {"settings_digest": record.settings_digest}
    if not evidence_goes_on:
        restart = (level_state.c.deployment == number) & level_state.c.level.in_(LEVELS)
        connection.execute(delete(level_state).where(restart))
        checkpoints.forget(connection, number)
        values |= {"sensitivity": NOTHING, "baseline": NOTHING}
    connection.execute(update(deployment).where(deployment.c.id == number).values(**values))


def _fits(stored: DeploymentRecord, record: DeploymentRecord) -> bool:
    """Whether the two are of the same traffic, as far as is known."""
    return not stored.traffic or not record.traffic or stored.traffic == record.traffic


def check_traffic(stored: DeploymentRecord, name: str, traffic: str) -> None:
    """Refuse a config whose traffic is not that of the deployment."""
    if stored.traffic and traffic and stored.traffic != traffic:
        raise BadInput(
            "The store has a deployment of this name with other traffic.",
            got=f"{name}, with the traffic {traffic}",
            expected=f"the traffic {stored.traffic}",
            fix="Give this config a name of its own, `name` in its [deployment] section. If the traffic has moved "
            "there, run `pitfalls monitor run --moved` once.",
        )


def _check_traffic(connection: Connection, number: int, record: DeploymentRecord, *, moved: bool) -> None:
    if not moved:
        check_traffic(deployments.read(connection, number), record.called, record.traffic)
