"""Leases in the store: one row for each deployment whose windows are being judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, DateTime, delete, func, insert, select, update

from monitoring.errors import AnotherRun
from monitoring.store.tables import lease
from monitoring.store.transactions import Transactions


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """A lease in the store: the deployment's number, the run that took it, and until when it holds unless renewed."""

    deployment: int
    owner: str
    expires_at: datetime


def check_free(connection: Connection, deployment: int, now: datetime, holder: str = "") -> None:
    """Check that nobody but `holder` has a deployment's lease. Raises AnotherRun otherwise."""
    now = _database_time(connection, now)
    others = (lease.c.deployment == deployment) & (lease.c.owner != holder)
    expires_at = connection.execute(select(lease.c.expires_at).where(others)).scalar()
    if expires_at is not None and expires_at > now:
        raise AnotherRun(
            "A run is judging the windows of this deployment.",
            got=f"a lease until {expires_at.isoformat(timespec='seconds')}",
            expected="no lease",
            fix="Try again once that run has ended.",
        )


def _take(connection: Connection, deployment: int, owner: str, now: datetime, length: timedelta) -> None:
    """Take a lease that is free, expired, or the owner's already.

    One that ends later than any lease may was left by a process whose clock was ahead, and counts as expired.

    Raises:
        AnotherRun: Another run holds it.
    """
    now = _database_time(connection, now)
    longest = max(length, timedelta(seconds=LEASE_SECONDS))
    row = connection.execute(select(lease.c.owner, lease.c.expires_at).where(lease.c.deployment == deployment)).first()
    if row is None:
        connection.execute(insert(lease).values(deployment=deployment, owner=owner, expires_at=now + length))
    elif row.owner == owner or row.expires_at <= now or row.expires_at > now + longest:
        connection.execute(
            update(lease).where(lease.c.deployment == deployment).values(owner=owner, expires_at=now + length)
        )
    else:
        raise AnotherRun(
            "Another run is judging the windows of this deployment.",
            got=f"a lease of {row.owner} until {row.expires_at.isoformat(timespec='seconds')}",
            expected="no lease",
            fix="Wait for that run to end; if it was killed, its lease expires at that time, and "
            "`pitfalls monitor leases --release NUMBER` ends it before.",
        )


def _renew(connection: Connection, deployment: int, owner: str, now: datetime, length: timedelta) -> None:
    """Extend the owner's lease. Raises AnotherRun if it is no longer the owner's."""
    expires_at = _database_time(connection, now) + length
    of_owner = (lease.c.deployment == deployment) & (lease.c.owner == owner)
    if connection.execute(update(lease).where(of_owner).values(expires_at=expires_at)).rowcount == 0:
        raise AnotherRun(
            "Another run has taken over this deployment.",
            got="a lease that has expired",
            expected=f"the lease of {owner}",
            fix="Nothing is lost: run the command again once the other run has ended.",
        )


def _free(connection: Connection, deployment: int, owner: str) -> None:
    """End the owner's lease, if it still is the owner's."""
    connection.execute(delete(lease).where((lease.c.deployment == deployment) & (lease.c.owner == owner)))


def _database_time(connection: Connection, now: datetime) -> datetime:
    """The time by which leases expire: a PostgreSQL server's, as its clients' clocks may differ; SQLite has none."""
    if connection.dialect.name != "postgresql":
        return now
    return connection.execute(select(func.clock_timestamp(type_=DateTime(timezone=True)))).scalar_one()


class LeaseTable:
    """The leases of a store: the deployments whose windows are being judged, each by one run."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def read(self) -> tuple[LeaseRecord, ...]:
        """All leases, in the order of the deployments' numbers."""
        with self._transactions.reading() as connection:
            rows = connection.execute(select(lease).order_by(lease.c.deployment))
            return tuple(
                LeaseRecord(deployment=row.deployment, owner=row.owner, expires_at=row.expires_at) for row in rows
            )

    def release(self, deployment: int) -> bool:
        """End a deployment's lease, whoever holds it; says whether there was one."""
        with self._transactions.writing(deployment) as connection:
            return connection.execute(delete(lease).where(lease.c.deployment == deployment)).rowcount > 0

    def take(self, deployment: int, owner: str, now: datetime, seconds: int) -> Lease:
        """Take the lease of a deployment: its holder alone judges windows.

        Args:
            seconds: How long the lease lasts unless it is renewed.

        Raises:
            AnotherRun: Another run holds the lease.
        """
        length = timedelta(seconds=seconds)

        def renewal(later: datetime) -> None:
            with self._transactions.writing(deployment) as connection:
                _renew(connection, deployment, owner, later, length)

        def ending() -> None:
            with self._transactions.writing(deployment) as connection:
                _free(connection, deployment, owner)

        with self._transactions.writing(deployment) as connection:
            _take(connection, deployment, owner, now, length)
        return Lease(owner=owner, renewal=renewal, ending=ending, kept=(now, length / RENEWALS))


#: Seconds a run may take for one window, or for one notification, before another run may take over.
LEASE_SECONDS = 120

#: How often in its length a lease is renewed while its holder is at work.
RENEWALS = 10


class Lease:
    """A lease that is held until it is released or expires. A context manager that releases it at its end.

    A run that was killed leaves its lease behind; the next run can take it once it has expired. A run whose lease
    expired and was taken over gets AnotherRun when it renews it, or CannotRun at the latest when it commits a window
    that the other run has judged.
    """

    def __init__(
        self,
        *,
        owner: str,
        renewal: Callable[[datetime], None],
        ending: Callable[[], None],
        kept: tuple[datetime, timedelta] | None = None,
    ) -> None:
        """Holds it.

        Args:
            kept: When it was taken, and after how long `keep` renews it; None: each time.
        """
        self.owner = owner
        self._renewal = renewal
        self._ending = ending
        self._kept = kept

    def renew(self, now: datetime) -> None:
        """Extend the lease from now. Raises AnotherRun if another run has taken it over."""
        self._renewal(now)
        if self._kept is not None:
            self._kept = (now, self._kept[1])

    def keep(self, now: datetime) -> None:
        """Renew the lease if a tenth of its length has passed since it last was: free to be called after each batch."""
        if self._kept is None or not timedelta(0) <= now - self._kept[0] < self._kept[1]:
            self.renew(now)

    def release(self) -> None:
        """End the lease; does nothing if another run has taken it over, or the second time."""
        self._ending()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
