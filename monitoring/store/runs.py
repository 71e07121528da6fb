"""Runs in the store: when each began and ended, what it judged, and the error that ended it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select, update

from monitoring.records import RunRecord
from monitoring.store.tables import deployment as deployment_table
from monitoring.store.tables import run
from monitoring.store.transactions import Transactions

#: Runs that are kept of each deployment, the last ones.
KEPT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run, and the number, the name and the version of its deployment."""

    deployment: int
    name: str
    version: int
    run: RunRecord


class RunTable:
    """The runs of the monitor in a store."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def begin(self, deployment: int, record: RunRecord) -> int:
        """Add a run, and delete those of the deployment that are older than the last `KEPT`."""
        with self._transactions.writing(deployment) as connection:
            number = connection.execute(
                insert(run).values(deployment=deployment, **asdict(record)).returning(run.c.id)
            ).scalar_one()
            of_deployment = select(run.c.id).where(run.c.deployment == deployment).order_by(run.c.id.desc())
            oldest = connection.execute(of_deployment.limit(1).offset(KEPT)).scalar()
            if oldest is not None:
                connection.execute(delete(run).where((run.c.deployment == deployment) & (run.c.id <= oldest)))
            return int(number)

    def save(self, number: int, record: RunRecord) -> None:
        """Replace a run, by its number in the store."""
        with self._transactions.writing() as connection:
            connection.execute(update(run).where(run.c.id == number).values(**asdict(record)))

    def latest(self, deployment: int, *, latest: int = KEPT) -> tuple[RunRecord, ...]:
        """The last runs of a deployment, at most so many, the newest first."""
        with self._transactions.reading() as connection:
            columns = [column for column in run.c if column.name not in ("id", "deployment")]
            query = select(*columns).where(run.c.deployment == deployment).order_by(run.c.id.desc()).limit(latest)
            return tuple(RunRecord(**row) for row in connection.execute(query).mappings())

    def recent(self, latest: int, *, failed: bool = False) -> tuple[StoredRun, ...]:
        """The last runs of all deployments.

        Args:
            failed: Only those of the last `KEPT` runs that ended with an error.
        """
        with self._transactions.reading() as connection:
            recent = select(run).order_by(run.c.id.desc()).limit(KEPT if failed else latest).subquery()
            of = deployment_table.c
            query = (
                select(recent, of.model, of.name, of.version.label("of_version"))
                .join(deployment_table, of.id == recent.c.deployment)
                .order_by(recent.c.id.desc())
                .limit(latest)
            )
            if failed:
                query = query.where(recent.c.error != "")
            names = [column.name for column in run.c if column.name not in ("id", "deployment")]
            return tuple(
                StoredRun(
                    deployment=row["deployment"],
                    name=row["name"] or row["model"],
                    version=row["of_version"],
                    run=RunRecord(**{name: row[name] for name in names}),
                )
                for row in connection.execute(query).mappings()
            )
