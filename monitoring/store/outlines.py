"""What decides how every deployment in use stands, in few columns: for the order of the overview and for metrics."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from monitoring.records import NO_CLAIMS, IncidentState, Level, WindowClaims
from monitoring.store.notifications import NOTHING_UNDELIVERED, Undelivered, read_undelivered
from monitoring.store.tables import deployment, incident, run, window
from monitoring.store.windows import CLAIMS, claims_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident:
    """What of an incident that is not closed decides how its deployment stands."""

    level: Level
    state: IncidentState
    opened_at: datetime
    acknowledged_at: datetime | None
    snoozed_until: datetime | None
    snoozed_until_worse: bool

    def is_snoozed(self, now: datetime) -> bool:
        """Whether nobody wants to hear of it at a time, aware."""
        return self.snoozed_until_worse if self.snoozed_until is None else now < self.snoozed_until


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWindow:
    """The numbers of a deployment's last window.

    Attributes:
        page_log_evidence: Evidence of the page level after it, its natural logarithm.
    """

    rows: int
    labels: int
    labels_due: int
    page_log_evidence: float
    notice_log_evidence: float
    loss_log_evidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentOutline:
    """What decides how a deployment stands among all others.

    Attributes:
        last: The start and the end of its last window; None before the first.
        checked_at: When a run last judged all that was due; None: none has.
        next_due_at: No window is due before; None where that is not known.
    """

    number: int
    name: str
    model: str
    version: int
    created_at: datetime
    used_at: datetime
    last: tuple[datetime, datetime] | None
    failure: str
    earlier: int
    incidents: tuple[OpenIncident, ...]
    checked_at: datetime | None = None
    next_due_at: datetime | None = None
    undelivered: Undelivered = NOTHING_UNDELIVERED
    suspected: bool = False
    claims: WindowClaims = NO_CLAIMS
    window: LastWindow | None = None
    page_threshold: float = float("inf")
    notice_threshold: float = float("inf")


_NUMBERS = [field.name for field in fields(LastWindow)]
_OF_DEPLOYMENT = (
    "id",
    "name",
    "model",
    "version",
    "created_at",
    "used_at",
    "checked_at",
    "next_due_at",
    "page_threshold",
    "notice_threshold",
)


def read_outlines(connection: Connection) -> tuple[DeploymentOutline, ...]:
    """The deployments in use. Cost: some 20 µs for each."""
    unclosed, undelivered = _incidents(connection), read_undelivered(connection)
    return tuple(_outline(row, unclosed, undelivered) for row in connection.execute(_query()).all())


def _query() -> Select[Any]:
    retired = func.count(deployment.c.retired_at).over(partition_by=deployment.c.name).label("retired")
    columns = [deployment.c[name] for name in (*_OF_DEPLOYMENT, "retired_at")]
    placed = select(*columns, retired).subquery()
    windows, runs = window.alias(), run.alias()
    newest = select(windows.c.id).where(windows.c.deployment == placed.c.id).order_by(windows.c.start.desc()).limit(1)
    last_run = select(func.max(runs.c.id)).where(runs.c.deployment == placed.c.id)
    return (
        select(
            *(placed.c[name] for name in (*_OF_DEPLOYMENT, "retired")),
            window.c.start,
            window.c.end,
            window.c.status,
            *CLAIMS,
            *(window.c[name] for name in _NUMBERS),
            case((placed.c.checked_at > run.c.started_at, ""), else_=func.coalesce(run.c.error, "")).label("failure"),
        )
        .select_from(placed)
        .outerjoin(window, window.c.id == newest.correlate(placed).scalar_subquery())
        .outerjoin(run, (run.c.id == last_run.correlate(placed).scalar_subquery()) & (run.c.error != ""))
        .where(placed.c.retired_at.is_(None))
        .order_by(placed.c.id)
    )


def _outline(
    row: Any, unclosed: dict[int, list[OpenIncident]], undelivered: dict[int, Undelivered]
) -> DeploymentOutline:
    window = _last_window(row)
    return DeploymentOutline(
        number=row.id,
        name=row.name,
        model=row.model,
        version=row.version,
        created_at=row.created_at,
        used_at=row.used_at,
        last=None if window is None else (row.start, row.end),
        failure=row.failure,
        earlier=row.retired,
        incidents=tuple(unclosed.get(row.id, ())),
        checked_at=row.checked_at,
        next_due_at=row.next_due_at,
        undelivered=undelivered.get(row.id, NOTHING_UNDELIVERED),
        suspected=row.status == "suspected",
        claims=claims_of(row),
        window=window,
        page_threshold=row.page_threshold,
        notice_threshold=row.notice_threshold,
    )


def _last_window(row: Any) -> LastWindow | None:
    if row.start is None:
        return None
    return LastWindow(
        rows=row.rows,
        labels=row.labels,
        labels_due=row.labels_due,
        page_log_evidence=row.page_log_evidence,
        notice_log_evidence=row.notice_log_evidence,
        loss_log_evidence=row.loss_log_evidence,
    )


def _incidents(connection: Connection) -> dict[int, list[OpenIncident]]:
    columns = (incident.c[field.name] for field in fields(OpenIncident))
    by_deployment: dict[int, list[OpenIncident]] = {}
    query = select(incident.c.deployment, *columns).where(incident.c.state != "closed").order_by(incident.c.number)
    for number, level, state, opened_at, acknowledged_at, snoozed_until, until_worse in connection.execute(query):
        open_incident = OpenIncident(
            level=level,
            state=state,
            opened_at=opened_at,
            acknowledged_at=acknowledged_at,
            snoozed_until=snoozed_until,
            snoozed_until_worse=until_worse,
        )
        by_deployment.setdefault(number, []).append(open_incident)
    return by_deployment
