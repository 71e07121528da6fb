"""Leases in the store: one row for each deployment whose windows are being judged."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from monitoring.errors import CannotRun
from monitoring.store.tables import lease


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
            fix="Wait for that run to end; if it was killed, its lease expires at that time.",
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
