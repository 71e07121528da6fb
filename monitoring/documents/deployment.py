"""The schemas of a deployment, of how it stands, and of a run of the monitor over it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from monitoring.documents.document import Document, Moment, SpanDocument, finite
from monitoring.records import DeploymentRecord, MonitorStatus, RunRecord


class LevelBudgetDocument(Document):
    """A budget of false alarms as text, and the evidence at which its level alarms."""

    text: str
    threshold: float


class BudgetDocument(Document):
    """Both levels' budgets."""

    page: LevelBudgetDocument
    notice: LevelBudgetDocument


class CustomMetricDocument(Document):
    """A metric of the user's own: its name, its function as `module:function`, and the SHA-256 of the module's file."""

    name: str
    function: str
    digest: str


StateName: TypeAlias = Literal[
    "page", "failing", "late", "undelivered", "suspected", "fact", "unlabelled", "burn-in", "notice", "unknown", "ok"
]


class StandingDocument(Document):
    """How a deployment stands: its state and what happened in a sentence, its last run and window, and its incidents.

    `state` is the worst of the `facts`, which may hold at once. `failure` is the error of its last run; null where that
    judged what was due. `undelivered` notifications did not reach everybody. `checked_at` is when a run last judged all
    that was due; null where none has.
    """

    state: StateName
    facts: list[StateName]
    summary: str
    used_at: Moment
    last_window: SpanDocument | None
    open_pages: int
    open_notices: int
    failure: str | None
    undelivered: int
    checked_at: Moment | None


class DeploymentDocument(Document):
    """One version of a model under one set of settings, whose evidence belongs together.

    `number` counts from 1 within its store; a test of a route is of number 0. `follows` is the number of the deployment
    of that name before it. `traffic`, `budget` and `metrics` are null where they are not told, as in notifications;
    `store` and `standing` are those of the HTTP API, null elsewhere.
    """

    number: int
    name: str
    model: str
    version: int
    timezone: str
    created_at: Moment | None
    follows: int | None = None
    traffic: str | None = None
    budget: BudgetDocument | None = None
    metrics: list[CustomMetricDocument] | None = None
    store: str | None = None
    standing: StandingDocument | None = None


class DeploymentsDocument(Document):
    """Deployments in order of creation."""

    deployments: list[DeploymentDocument]


class RunDocument(Document):
    """A run of the monitor that had something to judge, or failed; `error` is null where none ended it."""

    started_at: Moment
    ended_at: Moment | None
    windows: int
    rows: int
    error: str | None
    host: str
    version: str


class RunsDocument(Document):
    """Runs, the newest first."""

    runs: list[RunDocument]


def deployment_document(
    record: DeploymentRecord,
    number: int | None = None,
    *,
    store: str | None = None,
    standing: StandingDocument | None = None,
) -> DeploymentDocument:
    """A deployment as a document. `number`: its number in the store; None: that of the record."""
    return DeploymentDocument.of(
        record,
        number=number if number is not None else record.number or 0,
        name=record.called,
        budget=budget_document(record),
        store=store,
        standing=standing,
    )


def budget_document(record: DeploymentRecord | MonitorStatus) -> BudgetDocument:
    """The budgets of a deployment as a document."""
    return BudgetDocument(
        page=LevelBudgetDocument(text=record.page_budget, threshold=finite(record.page_threshold)),
        notice=LevelBudgetDocument(text=record.notice_budget, threshold=finite(record.notice_threshold)),
    )


def run_document(run: RunRecord) -> RunDocument:
    """A run as a document."""
    return RunDocument.of(run, error=run.error or None)


class FleetMemberDocument(Document):
    """A deployment of the team: its number and name in the store, and its share of the team's evidence."""

    deployment: int
    name: str
    version: int
    share: float


class FleetSpentDocument(Document):
    """What a deployment took of the budget, in days, and how many pages of the team name it."""

    deployment: int
    name: str
    version: int
    days: float
    pages: int


class FleetPageDocument(Document):
    """A page of the team: when it was due, the team's evidence then, and the deployments that it names."""

    at: Moment
    evidence: float
    deployments: list[FleetMemberDocument]


class FleetDocument(Document):
    """The team's budget, its evidence after the last window, who has it, and the pages so far.

    `team` is null where no run keeps to the budget, and the document says what would have been. `spent` has what each
    deployment's windows took of the budget in days, over `threshold` the pages that they may have cost without harm.
    """

    budget: str
    threshold: float
    until: Moment | None
    evidence: float
    members: int
    deployments: list[FleetMemberDocument]
    pages: list[FleetPageDocument]
    team: str | None
    spent: list[FleetSpentDocument]


class ConfigRunDocument(Document):
    """A run of one config: its windows, the pages that are open, and why it failed; null: it did not."""

    config: str
    windows: int
    open_pages: int
    error: str | None


class ConfigRunsDocument(Document):
    """A run of many configs, in the order of their paths; `not_run` counts those that a stop left out."""

    configs: list[ConfigRunDocument]
    not_run: int
