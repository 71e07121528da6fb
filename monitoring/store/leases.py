"""Leases in the store: one row for each deployment whose windows are being judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from monitoring.errors import CannotRun
from monitoring.store.tables import lease


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """A lease in the store: the deployment's number, the run that took it, and until when it holds unless renewed."""

    deployment: int
    owner: str
    expires_at: datetime


def read(connection: Connection) -> tuple[LeaseRecord, ...]:
    """All leases, in the order of the deployments' numbers."""
    rows = connection.execute(select(lease).order_by(lease.c.deployment))
    return tuple(LeaseRecord(deployment=row.deployment, owner=row.owner, expires_at=row.expires_at) for row in rows)


def release(connection: Connection, deployment: int) -> bool:
    """End a deployment's lease, whoever holds it; says whether there was one."""
    return connection.execute(delete(lease).where(lease.c.deployment == deployment)).rowcount > 0


def check_free(connection: Connection, deployment: int, now: datetime) -> None:
    """Check that no run holds a deployment's lease. Raises CannotRun otherwise."""
    expires_at = connection.execute(select(lease.c.expires_at).where(lease.c.deployment == deployment)).scalar()
    if expires_at is not None and expires_at > now:
        raise CannotRun(
            "A run is judging the windows of this deployment.",
            got=f"a lease until {expires_at.isoformat(timespec='seconds')}",
            expected="no lease",
            fix="Try again once that run has ended.",
        )


def take(connection: Connection, deployment: int, owner: str, now: datetime, length: timedelta) -> None:
    """Take a lease that is free, expired, or the owner's already. Raises CannotRun otherwise."""
    row = connection.execute(select(lease.c.owner, lease.c.expires_at).where(lease.c.deployment == deployment)).first()
    if row is None:
        connection.execute(insert(lease).values(deployment=deployment, owner=owner, expires_at=now + length))
    elif row.owner == owner or row.expires_at <= now:
        connection.execute(
            update(lease).where(lease.c.deployment == deployment).values(owner=owner, expires_at=now + length)
        )
    else:
        raise CannotRun(
            "Another run is judging the windows of this deployment.",
            got=f"a lease of {row.owner} until {row.expires_at.isoformat(timespec='seconds')}",
            expected="no lease",
            fix="Wait for that run to end; if it was killed, its lease expires at that time, and "
            "`pitfalls monitor leases --release NUMBER` ends it before.",
        )


def renew(connection: Connection, deployment: int, owner: str, expires_at: datetime) -> None:
    """Extend the owner's lease. Raises CannotRun if it is no longer the owner's."""
    mine = (lease.c.deployment == deployment) & (lease.c.owner == owner)
    if connection.execute(update(lease).where(mine).values(expires_at=expires_at)).rowcount == 0:
        raise CannotRun(
            "Another run has taken over this deployment.",
            got="a lease that has expired",
            expected=f"the lease of {owner}",
            fix="Nothing is lost: run the command again once the other run has ended.",
        )


def free(connection: Connection, deployment: int, owner: str) -> None:
    """End the owner's lease, if it still is the owner's."""
    connection.execute(delete(lease).where((lease.c.deployment == deployment) & (lease.c.owner == owner)))
