"""Requests over the HTTP API that added labels: who sent how many, and when."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from monitoring.store.tables import added_labels
from monitoring.store.transactions import Transactions

#: Requests that are kept of each deployment, the last ones.
KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedLabels:
    """One request that added labels to a deployment's traffic log.

    Attributes:
        by: Who sent it, as the request says; empty where it does not.
    """

    at: datetime
    by: str
    labels: int


class AddedLabelTable:
    """The requests that added labels, in a store."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(self, deployment: int, added: AddedLabels) -> None:
        """Add a request, and delete those of the deployment that are older than the last `KEPT`."""
        of_deployment = added_labels.c.deployment == deployment
        with self._transactions.writing(deployment) as connection:
            connection.execute(insert(added_labels).values(deployment=deployment, **asdict(added)))
            newest = select(added_labels.c.id).where(of_deployment).order_by(added_labels.c.id.desc())
            oldest = connection.execute(newest.limit(1).offset(KEPT)).scalar()
            if oldest is not None:
                connection.execute(delete(added_labels).where(of_deployment & (added_labels.c.id <= oldest)))

    def latest(self, deployment: int, latest: int | None = None) -> tuple[AddedLabels, ...]:
        """The last requests of a deployment, the newest first; None: all that are kept."""
        columns = [column for column in added_labels.c if column.name not in ("id", "deployment")]
        query = select(*columns).where(added_labels.c.deployment == deployment)
        with self._transactions.reading() as connection:
            rows = connection.execute(query.order_by(added_labels.c.id.desc()).limit(latest))
            return tuple(AddedLabels(**row) for row in rows.mappings())
