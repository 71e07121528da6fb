"""What the store says of all deployments at once, in a few queries whatever the length of their histories."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from monitoring.records import (
    NO_CLAIMS,
    WHOLE,
    BaselineScore,
    DeploymentRecord,
    IncidentRecord,
    ScoreRecord,
    WindowClaims,
    WindowRecord,
)
from monitoring.store import incidents
from monitoring.store.deployments import baseline_score_of, deployment_record_of
from monitoring.store.notifications import NOTHING_UNDELIVERED, Undelivered, read_undelivered
from monitoring.store.outlines import DeploymentOutline, read_outlines
from monitoring.store.tables import deployment, drill, incident, incident_action, run, score, window
from monitoring.store.transactions import Transactions
from monitoring.store.windows import CLAIMS, LIGHT, SCORE, claims_of, light_record, score_record_of
from monitoring.tasks.output_names import split_output


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentSummary:
    """One deployment of the store.

    Attributes:
        failure: The error of its last run; empty where that judged what was due, or a later one had nothing to judge.
        shown_in: The time zone in which a reader wants times; empty: that of the deployment.
    """

    number: int
    record: DeploymentRecord
    used_at: datetime
    last: tuple[datetime, datetime] | None
    incidents: tuple[IncidentRecord, ...]
    failure: str = ""
    suspected: bool = False
    claims: WindowClaims = NO_CLAIMS
    checked_at: datetime | None = None
    next_due_at: datetime | None = None
    undelivered: Undelivered = NOTHING_UNDELIVERED
    shown_in: str = ""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which times are shown."""
        return ZoneInfo(self.shown_in or self.record.timezone)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentHistory:
    """The last windows of a deployment.

    Attributes:
        windows: The windows in order of time, without their scores, findings and estimates.
        scores: Scores of some watches on the whole traffic in the last of them: one tuple a window, in order of time.
    """

    windows: tuple[WindowRecord, ...] = ()
    scores: tuple[tuple[ScoreRecord, ...], ...] = ()
    baseline: tuple[BaselineScore, ...] = ()


def batches(numbers: Collection[int]) -> list[list[int]]:
    """The numbers in order, 500 together at most: a database takes a bounded number of values in a statement."""
    ordered = sorted(numbers)
    return [ordered[first : first + 500] for first in range(0, len(ordered), 500)]


def _summaries(
    connection: Connection, numbers: Collection[int] | None = None, *, model: str | None = None
) -> tuple[DeploymentSummary, ...]:
    """Deployments in order of creation. Cost: two searches of an index for each.

    Args:
        numbers: The numbers of those to read; None: all.
        model: Only the deployments of that model; None: of all.
    """
    columns = [column for column in deployment.c if column.name not in ("sensitivity", "baseline", "measured")]
    last = [window.c[name] for name in ("start", "end", "status")]
    last_run = (
        select(run.c.error, run.c.started_at).where(run.c.deployment == deployment.c.id).order_by(run.c.id.desc())
    )
    error, began = (
        last_run.with_only_columns(column).limit(1).scalar_subquery().label(f"run_{column.name}")
        for column in (run.c.error, run.c.started_at)
    )
    query: Select[Any] = _with_last_window(select(*columns, *last, *CLAIMS, error, began)).order_by(deployment.c.id)
    if numbers is not None:
        query = query.where(deployment.c.id.in_(numbers))
    if model is not None:
        query = query.where(deployment.c.model == model)
    rows = connection.execute(query).all()
    unclosed = _open_incidents(connection, [row.id for row in rows] if numbers is not None else None)
    undelivered = read_undelivered(connection)
    return tuple(
        DeploymentSummary(
            number=row.id,
            record=deployment_record_of(row),
            used_at=row.used_at,
            last=None if row.start is None else (row.start, row.end),
            incidents=unclosed.get(row.id, ()),
            failure=_failure(row),
            suspected=row.status == "suspected",
            claims=claims_of(row),
            checked_at=row.checked_at,
            next_due_at=row.next_due_at,
            undelivered=undelivered.get(row.id, NOTHING_UNDELIVERED),
        )
        for row in rows
    )


def _failure(row: Row[Any]) -> str:
    """The error of the last run that had something to judge, unless a later one found nothing due."""
    checked_since = (
        row.checked_at is not None and row.run_started_at is not None and row.checked_at > row.run_started_at
    )
    return "" if checked_since else row.run_error or ""


def _with_last_window(query: Select[Any]) -> Select[Any]:
    """A query of deployments, each with its last window if it has one."""
    windows = window.alias()
    newest = select(windows.c.id).where(windows.c.deployment == deployment.c.id).order_by(windows.c.start.desc())
    last = newest.limit(1).correlate(deployment).scalar_subquery()
    return query.select_from(deployment).outerjoin(window, window.c.id == last)


def _open_incidents(connection: Connection, numbers: Collection[int] | None) -> dict[int, tuple[IncidentRecord, ...]]:
    query = (
        select(incident.c.deployment.label("of_deployment"), *incidents.COLUMNS)
        .where(incident.c.state != "closed")
        .order_by(incident.c.deployment, incident.c.number)
    )
    if numbers is not None:
        query = query.where(incident.c.deployment.in_(numbers))
    by_deployment: dict[int, tuple[IncidentRecord, ...]] = {}
    for row in connection.execute(query).mappings():
        values = dict(row)
        owner = values.pop("of_deployment")
        by_deployment[owner] = (*by_deployment.get(owner, ()), incidents.record_of(values))
    return by_deployment


def _scores(
    connection: Connection, numbers: Mapping[int, int], watches: Collection[str]
) -> dict[int, list[ScoreRecord]]:
    wanted: ColumnElement[bool] = score.c.window.in_(list(numbers)) & score.c.watch.in_(list(watches))
    by_window: dict[int, list[ScoreRecord]] = {}
    query = (
        select(score.c.window, *SCORE)
        .where(wanted & (score.c.slice == WHOLE))
        .order_by(score.c.window, score.c.position)
    )
    for number, *values in connection.execute(query):
        by_window.setdefault(number, []).append(score_record_of(values))
    return by_window


def _baselines(
    connection: Connection, numbers: Collection[int], watches: Collection[str]
) -> dict[int, tuple[BaselineScore, ...]]:
    query = select(deployment.c.id, deployment.c.baseline).where(deployment.c.id.in_(numbers))
    return {
        number: tuple(
            baseline_score_of(document)
            for document in json.loads(text)
            if split_output(document["watch"])[1] in watches and document["slice"] == WHOLE
        )
        for number, text in connection.execute(query)
    }


class OverviewQueries:
    """What a view of many deployments reads: each in a bounded number of statements."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def outlines(self) -> tuple[DeploymentOutline, ...]:
        """The deployments in use, in order of creation. Cost: some 20 µs for each."""
        with self._transactions.reading() as connection:
            return read_outlines(connection)

    def open_incidents(self) -> Mapping[int, tuple[IncidentRecord, ...]]:
        """The incidents that are not closed, by deployment. Cost: some 50 µs an incident."""
        with self._transactions.reading() as connection:
            return _open_incidents(connection, None)

    def summaries(self, model: str | None = None) -> tuple[DeploymentSummary, ...]:
        """Every deployment, or those of a model, with open incidents, as created. Cost: some 20 µs a deployment."""
        with self._transactions.reading() as connection:
            return _summaries(connection, model=model)

    def some_summaries(self, numbers: Collection[int]) -> tuple[DeploymentSummary, ...]:
        """The deployments of these numbers, as created."""
        with self._transactions.reading() as connection:
            parts = (_summaries(connection, some) for some in batches(numbers))
            return tuple(itertools.chain.from_iterable(parts))

    def summary(self, deployment: int) -> DeploymentSummary | None:
        """One deployment with its open incidents; None if there is none of this number."""
        return next(iter(self.some_summaries([deployment])), None)

    def histories(
        self, numbers: Collection[int], *, latest: int, watches: Collection[str], scored: int
    ) -> Mapping[int, RecentHistory]:
        """The last windows of several deployments.

        Args:
            scored: In how many of the last windows they are read. Cost: all scores of these windows are searched.
        """
        with self._transactions.reading() as connection:
            oldest = (
                select(window.c.start)
                .where(window.c.deployment == deployment.c.id)
                .order_by(window.c.start.desc())
                .limit(1)
                .offset(latest - 1)
                .scalar_subquery()
            )
            first = select(func.min(window.c.start)).where(window.c.deployment == deployment.c.id).scalar_subquery()
            since = (
                select(deployment.c.id.label("number"), func.coalesce(oldest, first).label("since"))
                .where(deployment.c.id.in_(numbers))
                .subquery()
            )
            query = (
                select(window.c.id, window.c.deployment, *LIGHT)
                .join(since, window.c.deployment == since.c.number)
                .where(window.c.start >= since.c.since)
                .order_by(window.c.deployment, window.c.start)
            )
            by_deployment: dict[int, list[Row[Any]]] = {}
            for row in connection.execute(query):
                by_deployment.setdefault(row.deployment, []).append(row)
            last = {row.id: number for number, rows in by_deployment.items() for row in rows[-scored:]}
            baselines = _baselines(connection, numbers, watches)
            scores = _scores(
                connection, last, {*watches, *(score.watch for scores in baselines.values() for score in scores)}
            )
            return {
                number: RecentHistory(
                    windows=tuple(light_record(row[2:]) for row in by_deployment.get(number, ())),
                    scores=tuple(tuple(scores.get(row.id, ())) for row in by_deployment.get(number, ())[-scored:]),
                    baseline=baselines.get(number, ()),
                )
                for number in numbers
            }

    def fingerprint(self) -> str:
        """A text that changes with every run, window, action and drill. Cost: incidents and actions are counted."""
        with self._transactions.reading() as connection:
            query = select(
                select(func.max(window.c.id)).scalar_subquery(),
                select(func.max(deployment.c.used_at)).scalar_subquery(),
                func.count(),
                func.max(incident.c.acknowledged_at),
                func.max(incident.c.closed_at),
                select(func.count()).select_from(incident_action).scalar_subquery(),
                select(func.max(drill.c.id)).scalar_subquery(),
            ).select_from(incident)
            return str(tuple(connection.execute(query).one()))
