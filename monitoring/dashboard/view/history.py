"""What the pages of one deployment are made of, as the store has it: a bounded number of windows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.dashboard.view.table import TABLE_ROWS
from monitoring.records import (
    WHOLE,
    BaselineScore,
    IncidentRecord,
    MeasuredMetric,
    ScoreRecord,
    ScoreSeries,
    Sensitivity,
    WindowRecord,
)
from monitoring.reports.sections.inputs import Input
from monitoring.reports.sections.months import LOSSES
from monitoring.store.overview import DeploymentSummary
from monitoring.store.store import Store

#: Watches by which a deployment is shown, the first one that has scores: a loss, or its estimate without labels.
HEADLINES = (*LOSSES, *(f"estimated_{loss}" for loss in LOSSES))

#: Windows of the mean.
WINDOWS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentHistory:
    """The last windows of a deployment, or those around a time.

    Attributes:
        table_rows: How many windows the tables of the pages have at most; None: all.
    """

    summary: DeploymentSummary
    windows: tuple[WindowRecord, ...]
    last: tuple[WindowRecord, ...]
    incidents: tuple[IncidentRecord, ...]
    baseline: tuple[BaselineScore, ...]
    sensitivity: tuple[Sensitivity, ...]
    judged: int
    measured: tuple[MeasuredMetric, ...] = ()
    inputs: tuple[Input, ...] = ()
    scores: ScoreSeries = field(default_factory=ScoreSeries)
    table_rows: int | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which times are shown."""
        return self.summary.zone

    @property
    def last_scores(self) -> tuple[tuple[ScoreRecord, ...], ...]:
        """The scores of the last windows."""
        return tuple(window.scores for window in self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRange:
    """Which windows of a deployment are read: the last ones before a time; tables have so many of them, None: all."""

    latest: int
    before: datetime | None = None
    table_rows: int | None = None

    @classmethod
    def of(cls, latest: int, *, whole: bool, rows: int = TABLE_ROWS) -> HistoryRange:
        """The last windows, with the whole tables or their first rows."""
        return cls(latest=latest, table_rows=None if whole else rows)


def read_history(store: Store, summary: DeploymentSummary, extent: HistoryRange) -> DeploymentHistory:
    """Read what the pages of a deployment show, without the scores that they draw."""
    number, before = summary.number, extent.before
    return DeploymentHistory(
        summary=summary,
        windows=store.windows.recent(number, latest=extent.latest, before=before),
        last=store.windows.read(number, latest=min(WINDOWS, extent.latest), before=before),
        incidents=store.incidents.read(number),
        baseline=store.deployments.baseline(number),
        sensitivity=store.deployments.sensitivity(number),
        judged=store.windows.count(number),
        measured=store.deployments.measured(number),
        table_rows=extent.table_rows,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What is drawn by window: watches on the whole traffic and on a slice, and inputs."""

    watches: tuple[str, ...] = ()
    part: str = WHOLE
    inputs: tuple[Input, ...] = ()


def with_scores(store: Store, history: DeploymentHistory, extent: HistoryRange, drawn: Drawn) -> DeploymentHistory:
    """Read the scores that are drawn. Returns the history with them. Cost: some 4 µs for each score that is read."""
    watches = {*drawn.watches, *(score.watch for model_input in drawn.inputs for score in model_input.watches)}
    scores = store.windows.series(
        history.summary.number, watches, latest=extent.latest, before=extent.before, part=drawn.part
    )
    return replace(history, inputs=drawn.inputs, scores=scores)
