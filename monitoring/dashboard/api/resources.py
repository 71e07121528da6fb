"""The documents of the HTTP API, as records of plain types."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from monitoring.dashboard.stores.roster import Entry
from monitoring.errors import PitfallsError
from monitoring.records import IncidentRecord, RunRecord, WindowRecord
from monitoring.reports.document import iso
from monitoring.reports.sections.formatting import finite_evidence
from monitoring.reports.window_states import WindowState


class Resource(BaseModel):
    """The base of all documents: immutable, without unknown keys. Times are ISO 8601 in UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SpanResource(Resource):
    """A half-open interval of event time."""

    start: str
    end: str


class DeploymentResource(Resource):
    """A deployment and how it stands."""

    store: str
    number: int
    name: str
    model: str
    version: int
    timezone: str
    state: Literal["page", "failing", "late", "notice", "unknown", "ok"]
    summary: str
    used_at: str
    last_window: SpanResource | None
    open_pages: int
    open_notices: int
    failure: str


class WindowResource(Resource):
    """A judged window, without the scores of its watches. Evidence is the natural logarithm."""

    start: str
    end: str
    rows: int
    labels: int
    labels_due: int
    unseen: int
    status: str
    page_log_evidence: float
    notice_log_evidence: float


class WindowRevisionResource(Resource):
    """What a window was before a backfill judged it again."""

    backfill: int
    status: str
    rows: int
    labels: int


class WindowStateResource(Resource):
    """A window, judged or not; `skipped` stands for all windows of a long time without rows."""

    start: str
    end: str
    state: Literal["judged", "thin", "revised", "skipped", "due", "running", "failed"]
    status: str | None
    rows: int
    labels: int
    attempts: int
    reason: str
    started_at: str | None
    judged_at: str | None
    before: list[WindowRevisionResource]


class EventResource(Resource):
    """A state that an incident entered."""

    at: str
    state: str


class ActionResource(Resource):
    """What a person did with an incident."""

    at: str
    by: str
    kind: str
    text: str
    until: str | None
    until_worse: bool


class IncidentResource(Resource):
    """An incident, with its states and what people did."""

    number: int
    level: Literal["page", "notice"]
    state: str
    opened_at: str
    closed_at: str | None
    window: SpanResource
    watch: str
    slice: str
    cause: str
    message: str
    owner: str
    snoozed_until: str | None
    snoozed_until_worse: bool
    previous: int | None
    history: list[EventResource]
    actions: list[ActionResource]


class RunResource(Resource):
    """A run of the monitor that had something to judge, or failed."""

    started_at: str
    ended_at: str | None
    windows: int
    rows: int
    error: str
    host: str
    version: str


class FailureResource(Resource):
    """A store that cannot be read, and why."""

    store: str
    reason: str


class DeploymentsResource(Resource):
    """A page of deployments; `next` is the `after` of the next page, null on the last."""

    deployments: list[DeploymentResource]
    failures: list[FailureResource]
    next: str | None


class WindowsResource(Resource):
    """A page of windows, the latest first; `next` is the `before` of the next page, null on the last."""

    windows: list[WindowResource]
    next: str | None


class WindowStatesResource(Resource):
    """The last windows in order of time, judged and due."""

    windows: list[WindowStateResource]


class IncidentsResource(Resource):
    """A page of incidents, the latest first; `next` is the `before` of the next page, null on the last."""

    incidents: list[IncidentResource]
    next: int | None


class RunsResource(Resource):
    """The last runs, the newest first."""

    runs: list[RunResource]


class ErrorResource(Resource):
    """What happened, what was got, what was expected, and the next step."""

    what: str
    got: str
    expected: str
    fix: str


class ActionRequest(Resource):
    """What a person does with an incident: a note, an owner or a reason as `text`; the end of a snooze as `until`."""

    by: Annotated[str, Field(min_length=1)]
    text: str = ""
    until: AwareDatetime | None = None
    until_worse: bool = False


class RunActionRequest(Resource):
    """An action of the config, by its name, and who has it done."""

    by: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]


class ActionOutcomeResource(Resource):
    """Whether an action was done, its outcome in words, and the incident with both in its log."""

    done: bool
    outcome: str
    incident: IncidentResource


def deployment_resource(entry: Entry) -> DeploymentResource:
    """A deployment as the overview has it."""
    summary, record = entry.summary, entry.summary.record
    return DeploymentResource(
        store=entry.store,
        number=summary.number,
        name=record.called,
        model=record.model,
        version=record.version,
        timezone=record.timezone,
        state=entry.standing.state,
        summary=entry.standing.sentence,
        used_at=iso(summary.used_at),
        last_window=None if summary.last is None else _span(*summary.last),
        open_pages=sum(one.level == "page" for one in summary.incidents),
        open_notices=sum(one.level == "notice" for one in summary.incidents),
        failure=summary.failure,
    )


def window_resource(window: WindowRecord) -> WindowResource:
    """A window."""
    return WindowResource(
        start=iso(window.start),
        end=iso(window.end),
        rows=window.rows,
        labels=window.labels,
        labels_due=window.labels_due,
        unseen=window.unseen,
        status=window.status,
        page_log_evidence=finite_evidence(window.page_log_evidence),
        notice_log_evidence=finite_evidence(window.notice_log_evidence),
    )


def window_state_resource(window: WindowState) -> WindowStateResource:
    """A window with its state."""
    return WindowStateResource(
        start=iso(window.start),
        end=iso(window.end),
        state=window.state,
        status=window.status,
        rows=window.rows,
        labels=window.labels,
        attempts=window.attempts,
        reason=window.reason,
        started_at=optional_time(window.started_at),
        judged_at=optional_time(window.judged_at),
        before=[
            WindowRevisionResource(backfill=one.backfill, status=one.status, rows=one.rows, labels=one.labels)
            for one in window.before
        ],
    )


def incident_resource(incident: IncidentRecord) -> IncidentResource:
    """An incident."""
    return IncidentResource(
        number=incident.number,
        level=incident.level,
        state=incident.state,
        opened_at=iso(incident.opened_at),
        closed_at=optional_time(incident.closed_at),
        window=_span(incident.window_start, incident.window_end),
        watch=incident.watch,
        slice=incident.slice,
        cause=incident.cause,
        message=incident.message,
        owner=incident.owner,
        snoozed_until=optional_time(incident.snoozed_until),
        snoozed_until_worse=incident.snoozed_until_worse,
        previous=incident.previous,
        history=[EventResource(at=iso(one.at), state=one.state) for one in incident.history],
        actions=[
            ActionResource(
                at=iso(one.at),
                by=one.by,
                kind=one.kind,
                text=one.text,
                until=optional_time(one.until),
                until_worse=one.until_worse,
            )
            for one in incident.actions
        ],
    )


def run_resource(run: RunRecord) -> RunResource:
    """A run."""
    return RunResource(
        started_at=iso(run.started_at),
        ended_at=optional_time(run.ended_at),
        windows=run.windows,
        rows=run.rows,
        error=run.error,
        host=run.host,
        version=run.version,
    )


def error_resource(error: PitfallsError) -> ErrorResource:
    """An error."""
    return ErrorResource(what=error.what, got=error.got, expected=error.expected, fix=error.fix)


def _span(start: datetime, end: datetime) -> SpanResource:
    return SpanResource(start=iso(start), end=iso(end))


def optional_time(moment: datetime | None) -> str | None:
    """A time, or null where there is none."""
    return None if moment is None else iso(moment)
