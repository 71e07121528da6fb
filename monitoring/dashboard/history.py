"""What the pages of one deployment are made of, as the store has it: a bounded number of windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.records import (
    BaselineScore,
    IncidentRecord,
    MeasuredMetric,
    ScoreHistory,
    ScoreRecord,
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
        summary: The deployment.
        windows: The windows, without their scores.
        page: Scores of the page level in them: of losses, and of what was asked for.
        notice: The same of the notice level.
        last: The last of them with everything that is stored; a few windows, in order of time.
        incidents: All incidents.
        baseline: The baseline scores.
        sensitivity: The smallest detectable rises.
        judged: How many windows have been judged in all.
        measured: The metrics that are shown, over the baseline's windows.
        inputs: The inputs whose scores were read, worst first.
        input_scores: Their scores by the start of the window, in order of time.
        table_rows: How many windows the tables of the pages have at most; None: all.
    """

    summary: DeploymentSummary
    windows: tuple[WindowRecord, ...]
    page: ScoreHistory
    notice: ScoreHistory
    last: tuple[WindowRecord, ...]
    incidents: tuple[IncidentRecord, ...]
    baseline: tuple[BaselineScore, ...]
    sensitivity: tuple[Sensitivity, ...]
    judged: int
    measured: tuple[MeasuredMetric, ...] = ()
    inputs: tuple[Input, ...] = ()
    input_scores: Mapping[datetime, Sequence[ScoreRecord]] = field(default_factory=dict)
    table_rows: int | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The deployment's time zone."""
        return ZoneInfo(self.summary.record.timezone)

    @property
    def last_scores(self) -> tuple[tuple[ScoreRecord, ...], ...]:
        """The scores of the last windows."""
        return tuple(one.scores for one in self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRange:
    """What of a deployment's history is read: the last windows before a time, and series of some more watches."""

    latest: int
    before: datetime | None = None
    watches: tuple[str, ...] = ()
    table_rows: int | None = None


def read_history(store: Store, summary: DeploymentSummary, extent: HistoryRange) -> DeploymentHistory:
    """Read what the pages of a deployment show: the series of losses and of what was asked for, not of every watch.

    Args:
        store: The store.
        summary: The deployment.
        extent: What is read.

    Returns:
        The history.
    """
    number, latest, before = summary.number, extent.latest, extent.before
    windows = store.recent_windows(number, latest=latest, before=before)
    whole = (store.window(number, one.start) for one in windows[-WINDOWS:])
    last, baseline = tuple(one for one in whole if one is not None), store.baseline(number)
    watches = {*HEADLINES, *extent.watches}
    return DeploymentHistory(
        summary=summary,
        windows=windows,
        page=store.score_history(number, "page", latest=latest, before=before, watches=watches),
        notice=store.score_history(number, "notice", latest=latest, before=before, watches=watches),
        last=last,
        incidents=store.incidents(number),
        baseline=baseline,
        sensitivity=store.sensitivity(number),
        judged=store.judged(number),
        measured=store.measured(number),
        table_rows=extent.table_rows,
    )


def with_inputs(store: Store, history: DeploymentHistory, chosen: Sequence[Input], latest: int) -> DeploymentHistory:
    """Read the scores of some inputs in the last windows.

    Args:
        store: The store.
        history: The history of their deployment.
        chosen: The inputs, as `inputs_of` has them.
        latest: How many windows.

    Returns:
        The history with them. Cost: some 3 µs for each score that is read.
    """
    watches = {known.watch for one in chosen for known in one.watches}
    scores = store.watch_scores(history.summary.number, watches, latest=latest)
    return replace(history, inputs=tuple(chosen), input_scores=scores)
