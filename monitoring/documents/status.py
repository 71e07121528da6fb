"""The document of a deployment with all that was judged of it: what `pitfalls monitor run --json` prints."""

from __future__ import annotations

import math
from datetime import datetime

from pydantic import Field

from monitoring.documents.deployment import DeploymentDocument, budget_document
from monitoring.documents.document import Document, Moment, SpanDocument, span
from monitoring.documents.incident import IncidentDocument, incident_document
from monitoring.documents.window import MetricDocument, WindowDocument, window_document
from monitoring.records import Level, MonitorStatus
from monitoring.records.estimate import EstimateMethod
from monitoring.records.incident_order import by_cause
from monitoring.reports.sections.estimates import settled_by_window, trust_rows
from monitoring.reports.sections.health import HealthState, health_of
from monitoring.reports.sections.sensitivity import detectable
from monitoring.reports.sections.tables import finding_groups
from monitoring.watches.label_delays import arrival_curve, merged_counts


class TrustDocument(Document):
    """Whether an estimate is trusted after the last window, and how often its interval missed the realised loss.

    `unchecked_since` is when labels last sufficed for a check, null where they did in the last windows.
    """

    method: EstimateMethod
    metric: str
    trusted: bool
    checks: int
    misses: int
    distrusted_since: Moment | None
    unchecked_since: Moment | None


class SensitivityDocument(Document):
    """The smallest rise of a metric that is detected within so many windows; null if none is."""

    metric: str
    slice: str
    windows: int
    rise: float | None


class CycleDocument(Document):
    """A watch with a daily or weekly cycle, and by how much removing it raises the signal-to-noise ratio."""

    level: Level
    watch: str
    slice: str
    cycle: str
    gain: float


class ArrivalDocument(Document):
    """The share of the arrived labels that arrived within so many seconds of their event."""

    within: int
    share: float


class CoverageDocument(Document):
    """How many of the answered rows and of their labels the monitor has read."""

    rows: int
    repeats: int
    labels: int
    labels_due: int
    labels_unknown: int
    labels_conflicting: int
    arrival: list[ArrivalDocument]
    windows: int
    thin_windows: int
    answered: int


class FindingDocument(Document):
    """One kind of finding on one feature, over all windows that had it."""

    kind: str
    feature: str
    fact: bool
    windows: int
    first: SpanDocument
    last: SpanDocument
    message: str


class RebaselineDocument(Document):
    """A new baseline made from windows of the traffic; their first and last times are in `window`."""

    at: Moment
    by: str
    reason: str
    window: SpanDocument
    since: Moment
    closed: list[int]


class ReasonDocument(Document):
    """One state that holds, and what is so in a clause."""

    state: HealthState
    reason: str


class HealthDocument(Document):
    """Whether a deployment is healthy: the worst state that holds, and all that hold, worst first.

    `healthy` is earned: judged lately, with labels that counted lately where the reference has losses, without an open
    page or notice, without evidence at a threshold, and without a fact in the last window.
    """

    state: HealthState
    against: list[ReasonDocument]


class ColumnDocument(Document):
    """What the data dictionary says of a column."""

    unit: str
    description: str


class VersionInUseDocument(Document):
    """Another version of the model that answers traffic: its deployment's number, and its pages that are open."""

    number: int
    version: int
    open_pages: int


class StatusDocument(DeploymentDocument):
    """A deployment with its windows, incidents, findings, estimates' trust, coverage and sensitivity.

    `incidents` are in the order of every view: those that are not closed, pages before notices, causes before what
    follows from them; then the closed ones, the newest first.
    `checked_at` is the time of the last run that judged all that was due, and `next_due_at` that from which the next
    window is due. `benchmark` are the metrics that are shown, over the baseline's windows. `excluded_rows` is how many
    rows the run left out by `[traffic] exclude_callers`, null where the config excludes nobody. `experimental` is the
    database on which the engine of a run is experimental, null where there is none. `outside_windows`
    is what a run that judged no window has to say of files and of rows of no window. `failure` is the error of the last
    run, null where it judged what was due; `undelivered` notifications did not reach everybody, and `versions` are the
    other versions of the model that answer traffic too.
    """

    health: HealthDocument
    checked_at: Moment | None
    next_due_at: Moment | None
    windows: list[WindowDocument]
    incidents: list[IncidentDocument]
    sensitivity: list[SensitivityDocument]
    cycles: list[CycleDocument]
    coverage: CoverageDocument
    findings: list[FindingDocument]
    trust: list[TrustDocument]
    rebaselines: list[RebaselineDocument]
    benchmark: list[MetricDocument]
    columns: dict[str, ColumnDocument]
    excluded_rows: int | None = None
    experimental: str | None = None
    outside_windows: list[str] = Field(default_factory=list)
    failure: str | None = None
    undelivered: int = 0
    versions: list[VersionInUseDocument] = Field(default_factory=list)


def status_document(status: MonitorStatus, *, since: datetime | None = None) -> StatusDocument:
    """A deployment's state as a document. `since`: only windows that end after that time are listed; None: all."""
    health = health_of(status)
    settled, benchmark = settled_by_window(status), {metric.metric: metric.value for metric in status.measured}
    windows = [window for window in status.windows if since is None or window.end > since]
    return StatusDocument.of(
        status,
        name=status.name or status.model,
        health=HealthDocument(
            state=health.state, against=[ReasonDocument(state=state, reason=reason) for state, reason in health.against]
        ),
        budget=budget_document(status),
        windows=[window_document(window, benchmark, settled) for window in windows],
        incidents=[incident_document(incident) for incident in by_cause(status.incidents, status.asked_at)],
        sensitivity=[
            SensitivityDocument.of(
                entry, rise=entry.rise if entry.rise is not None and math.isfinite(entry.rise) else None
            )
            for entry in detectable(status)
        ],
        cycles=[score for score in status.baseline if score.cycle],
        coverage=CoverageDocument.of(
            status.coverage,
            arrival=[
                ArrivalDocument(within=edge, share=share)
                for edge, share in arrival_curve(merged_counts(window.label_delays for window in status.windows))
            ],
        ),
        findings=[
            FindingDocument.of(
                group, first=span(group.first_start, group.first_end), last=span(group.last_start, group.last_end)
            )
            for group in finding_groups(status)
        ],
        trust=[TrustDocument.of(row, distrusted_since=row.since) for row in trust_rows(status)],
        rebaselines=[
            RebaselineDocument.of(change, window=span(change.start, change.end)) for change in status.rebaselines
        ],
        benchmark=status.measured,
        failure=status.failure or None,
    )
