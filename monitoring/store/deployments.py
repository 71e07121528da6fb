"""Deployments in the store, with their states between windows, their sensitivity and their baseline scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from monitoring.records import BaselineScore, DeploymentRecord, MeasuredMetric, MetricCode, Sensitivity
from monitoring.records.state_names import StateName
from monitoring.store.checks import Check
from monitoring.store.column_types import number_json
from monitoring.store.tables import deployment, level_state
from monitoring.store.transactions import Transactions, no_such_deployment, upserts

#: Why a deployment is not in use any more: others answer the traffic, or other settings have taken its place.
RetiredAs: TypeAlias = Literal["not serving", "replaced"]

#: No documents, as JSON.
NOTHING = "[]"

#: The fields of a baseline score that may be an infinity.
_FLOATS = ("mean", "deviation", "tolerance", "gain")


_READ = select(deployment).where(deployment.c.id == bindparam("of"))
_READ_STATES = select(level_state.c.level, level_state.c.text).where(level_state.c.deployment == bindparam("of"))
_WRITE_STATE = upserts(level_state, only_changed=("text",))


def same(connection: Connection, model: str, version: int, settings_digest: str) -> int | None:
    """The number of the deployment of that model, version and settings; None if there is none."""
    query = select(deployment.c.id).where(
        (deployment.c.model == model)
        & (deployment.c.version == version)
        & (deployment.c.settings_digest == settings_digest)
    )
    number: int | None = connection.execute(query).scalar()
    return number


def create(
    connection: Connection, record: DeploymentRecord, *, follows: int | None = None, quiet_until: datetime | None = None
) -> int:
    """Create a deployment.

    Args:
        quiet_until: Incidents that opened until then are not told: the deployment before told them.
    """
    statement = insert(deployment).values(
        model=record.model,
        version=record.version,
        settings_digest=record.settings_digest,
        created_at=record.created_at,
        used_at=record.created_at,
        timezone=record.timezone,
        page_budget=record.page_budget,
        page_threshold=record.page_threshold,
        notice_budget=record.notice_budget,
        notice_threshold=record.notice_threshold,
        sensitivity=NOTHING,
        baseline=NOTHING,
        name=record.called,
        traffic=record.traffic,
        basis=record.basis,
        follows=follows,
        quiet_until=quiet_until,
        since=record.since,
        metrics=json.dumps([asdict(metric) for metric in record.metrics]),
    )
    return int(connection.execute(statement.returning(deployment.c.id)).scalar_one())


def read(connection: Connection, number: int) -> DeploymentRecord:
    """Read one deployment. Raises BadInput if there is none of this number."""
    row = connection.execute(_READ, {"of": number}).first()
    if row is None:
        raise no_such_deployment(number)
    return deployment_record_of(row)


def latest(connection: Connection, name: str | None, version: int | None = None) -> int | None:
    """The number of the deployment used last, of one name and version or of any; None if there is none."""
    query = select(deployment.c.id).order_by(deployment.c.used_at.desc(), deployment.c.id.desc()).limit(1)
    if name is not None:
        query = query.where(deployment.c.name == name)
    if version is not None:
        query = query.where(deployment.c.version == version)
    number: int | None = connection.execute(query).scalar()
    return number


def read_states(connection: Connection, number: int) -> dict[StateName, str]:
    """The states kept between windows, by name; empty before the first window."""
    return {row.level: row.text for row in connection.execute(_READ_STATES, {"of": number})}


def write_states(connection: Connection, number: int, states: Mapping[StateName, str]) -> None:
    """Replace these states where they have changed, and leave the others."""
    if not states:
        return
    rows = [{"deployment": number, "level": level, "text": text} for level, text in states.items()]
    connection.execute(_WRITE_STATE[connection.dialect.name], rows)


def baseline_score_of(document: Mapping[str, Any]) -> BaselineScore:
    """Convert a document that `write_baseline` wrote to a record."""
    return BaselineScore(**{**document, **{name: float(document[name]) for name in _FLOATS}})


def _documents(connection: Connection, number: int, column: str) -> list[dict[str, Any]]:
    text = connection.execute(select(deployment.c[column]).where(deployment.c.id == number)).scalar()
    if text is None:
        raise no_such_deployment(number)
    documents: list[dict[str, Any]] = json.loads(text)
    return documents


def deployment_record_of(row: Row[Any]) -> DeploymentRecord:
    """Convert a row of a deployment to a record."""
    return DeploymentRecord(
        model=row.model,
        version=row.version,
        settings_digest=row.settings_digest,
        created_at=row.created_at,
        timezone=row.timezone,
        page_budget=row.page_budget,
        page_threshold=row.page_threshold,
        notice_budget=row.notice_budget,
        notice_threshold=row.notice_threshold,
        name=row.name,
        traffic=row.traffic,
        basis=row.basis,
        number=row.id,
        follows=row.follows,
        since=row.since,
        metrics=tuple(MetricCode(**fields) for fields in json.loads(row.metrics)),
    )


class DeploymentTable:
    """The deployments of a store, with their states, baselines and checks."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def read(self, number: int) -> DeploymentRecord:
        """One deployment. Raises BadInput if there is none of this number."""
        with self._transactions.reading() as connection:
            return read(connection, number)

    def all(self) -> tuple[DeploymentRecord, ...]:
        """All deployments in order of creation."""
        with self._transactions.reading() as connection:
            return tuple(
                deployment_record_of(row) for row in connection.execute(select(deployment).order_by(deployment.c.id))
            )

    def of_name(self, name: str) -> tuple[DeploymentRecord, ...]:
        """All deployments of a name, in order of creation, also those that are not in use any more."""
        query = select(deployment).where(deployment.c.name == name).order_by(deployment.c.id)
        with self._transactions.reading() as connection:
            return tuple(map(deployment_record_of, connection.execute(query)))

    def latest(self, name: str | None = None, version: int | None = None) -> int | None:
        """The number of the deployment used last, of one name and version or of any; None if there is none."""
        with self._transactions.reading() as connection:
            return latest(connection, name, version)

    def find(self, model: str, version: int, settings_digest: str) -> int | None:
        """The number of the deployment of that model, version and settings; None if there is none."""
        with self._transactions.reading() as connection:
            return same(connection, model, version, settings_digest)

    def states(self, number: int) -> dict[StateName, str]:
        """Everything that passes from the last window to the next, by name, as text."""
        with self._transactions.reading() as connection:
            return read_states(connection, number)

    def save_sensitivity(self, number: int, sensitivity: tuple[Sensitivity, ...]) -> None:
        """Replace the smallest detectable harms."""
        with self._transactions.writing(number) as connection:
            documents = [
                {**asdict(entry), "windows": int(entry.windows), "rise": number_json(entry.rise)}
                for entry in sensitivity
            ]
            connection.execute(
                update(deployment).where(deployment.c.id == number).values(sensitivity=json.dumps(documents))
            )

    def sensitivity(self, number: int) -> tuple[Sensitivity, ...]:
        """The smallest detectable harms; empty until they are saved."""
        with self._transactions.reading() as connection:
            return tuple(
                Sensitivity(**{**document, "rise": None if document["rise"] is None else float(document["rise"])})
                for document in _documents(connection, number, "sensitivity")
            )

    def save_baseline(
        self, number: int, baseline: tuple[BaselineScore, ...], measured: tuple[MeasuredMetric, ...] = ()
    ) -> None:
        """Replace the baseline scores, and the metrics that are shown of it."""
        with self._transactions.writing(number) as connection:
            documents = [
                {
                    **asdict(score),
                    "windows": int(score.windows),
                    **{name: number_json(getattr(score, name)) for name in _FLOATS},
                }
                for score in baseline
            ]
            values = {
                "baseline": json.dumps(documents),
                "measured": json.dumps([asdict(metric) for metric in measured]),
            }
            connection.execute(update(deployment).where(deployment.c.id == number).values(values))

    def baseline(self, number: int) -> tuple[BaselineScore, ...]:
        """The baseline scores; empty until they are saved."""
        with self._transactions.reading() as connection:
            return tuple(map(baseline_score_of, _documents(connection, number, "baseline")))

    def measured(self, number: int) -> tuple[MeasuredMetric, ...]:
        """The metrics that are shown, over the baseline's windows; empty until they are saved."""
        with self._transactions.reading() as connection:
            return tuple(MeasuredMetric(**fields) for fields in _documents(connection, number, "measured"))

    def in_use(self, name: str) -> tuple[DeploymentRecord, ...]:
        """The deployments of a name that are in use, in order of creation."""
        with self._transactions.reading() as connection:
            query = select(deployment).where((deployment.c.name == name) & deployment.c.retired_at.is_(None))
            return tuple(map(deployment_record_of, connection.execute(query.order_by(deployment.c.id))))

    def retire(self, number: int, at: datetime, *, retired_as: RetiredAs) -> None:
        """Say that a deployment is not in use any more; one that is run again is."""
        with self._transactions.writing(number) as connection:
            values = {"retired_at": at, "retired_as": retired_as}
            connection.execute(update(deployment).where(deployment.c.id == number).values(**values))

    def save_check(self, number: int, check: Check) -> None:
        """Replace what the last complete run left."""
        with self._transactions.writing(number) as connection:
            connection.execute(update(deployment).where(deployment.c.id == number).values(**asdict(check)))

    def check(self, number: int) -> Check:
        """What the last complete run left."""
        with self._transactions.reading() as connection:
            query = select(*(deployment.c[field.name] for field in fields(Check))).where(deployment.c.id == number)
            row = connection.execute(query).mappings().first()
            return Check() if row is None else Check(**row)
