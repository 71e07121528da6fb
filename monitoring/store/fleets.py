"""Teams in the store: the evidence of each deployment under its team's budget, and the pages that it came to."""

from __future__ import annotations

import json
import math

from sqlalchemy import Connection, delete, insert, select, update

from monitoring.records import FleetEntry, FleetMember, StoredFleetPage
from monitoring.store.column_types import number_json
from monitoring.store.tables import deployment as deployment_table
from monitoring.store.tables import fleet_member, fleet_page
from monitoring.store.transactions import Transactions


def write(connection: Connection, deployment: int, entry: FleetEntry) -> None:
    """Write what a window changed; other deployments that the page names are marked, and their evidence is gone."""
    of_deployment = fleet_member.c.deployment == deployment
    row = connection.execute(select(fleet_member.c.days, fleet_member.c.counted_until).where(of_deployment)).first()
    again = row is not None and entry.at <= row.counted_until
    days = 0.0 if row is None else row.days
    values = {
        "team": entry.team,
        "budget": entry.budget,
        "log_evidence": entry.log_evidence,
        "alarmed": entry.alarmed,
        "days": days if again else days + entry.days,
        "counted_until": row.counted_until if row is not None and again else entry.at,
    }
    if row is None:
        connection.execute(insert(fleet_member).values(deployment=deployment, **values))
    else:
        connection.execute(update(fleet_member).where(of_deployment).values(**values))
    page = entry.page
    if page is None:
        return
    named = [number for number, _ in page.members if number != deployment]
    connection.execute(
        update(fleet_member)
        .where(fleet_member.c.deployment.in_(named) & (fleet_member.c.team == entry.team))
        .values(log_evidence=-math.inf, alarmed=True)
    )
    connection.execute(
        insert(fleet_page).values(
            team=entry.team,
            deployment=deployment,
            at=entry.at,
            budget=entry.budget,
            log_evidence=page.log_evidence,
            members=json.dumps([[number, number_json(share)] for number, share in page.members]),
        )
    )


class FleetTable:
    """The teams of a store."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def members(self, team: str) -> tuple[FleetMember, ...]:
        """The deployments of a team that are in use, by number."""
        query = (
            select(fleet_member)
            .join(deployment_table, deployment_table.c.id == fleet_member.c.deployment)
            .where((fleet_member.c.team == team) & deployment_table.c.retired_at.is_(None))
            .order_by(fleet_member.c.deployment)
        )
        with self._transactions.reading() as connection:
            return tuple(
                FleetMember(
                    deployment=row.deployment,
                    budget=row.budget,
                    log_evidence=row.log_evidence,
                    alarmed=row.alarmed,
                    days=row.days,
                    counted_until=row.counted_until,
                )
                for row in connection.execute(query)
            )

    def pages(self, team: str) -> tuple[StoredFleetPage, ...]:
        """The pages of a team, in order."""
        with self._transactions.reading() as connection:
            rows = connection.execute(select(fleet_page).where(fleet_page.c.team == team).order_by(fleet_page.c.id))
            return tuple(
                StoredFleetPage(
                    deployment=row.deployment,
                    at=row.at,
                    budget=row.budget,
                    log_evidence=row.log_evidence,
                    members=tuple((number, float(share)) for number, share in json.loads(row.members)),
                )
                for row in rows
            )

    def leave(self, deployment: int) -> None:
        """Take a deployment out of its team, whose config names none any more."""
        of_deployment = fleet_member.c.deployment == deployment
        with self._transactions.reading() as connection:
            is_member = connection.execute(select(fleet_member.c.team).where(of_deployment)).first() is not None
        if is_member:
            with self._transactions.writing(deployment) as connection:
                connection.execute(delete(fleet_member).where(of_deployment))
