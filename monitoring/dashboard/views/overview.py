"""The overview: every deployment in a row, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitoring.dashboard.views.candidates import Ownership, Question
from monitoring.dashboard.views.loss import LossView, headline_loss
from monitoring.dashboard.views.standing import Standing, State, standing
from monitoring.dashboard.views.table import TableView, cell
from monitoring.records import WindowRecord
from monitoring.reports.drawings.drawing import Drawing
from monitoring.reports.drawings.marks import evidence_mark, strip
from monitoring.reports.sections.formatting import finite_evidence, format_evidence, format_moment
from monitoring.store.overview import DeploymentSummary, RecentHistory
from monitoring.watches.descriptions import NOTHING, printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One deployment of the overview, before its history is read.

    Attributes:
        source: The name of the store that has it.
        summary: The deployment.
        standing: How it stands.
        earlier: How many earlier deployments of the same name its store has.
        ownership: Its team and tags.
    """

    source: str
    summary: DeploymentSummary
    standing: Standing
    earlier: int = 0
    ownership: Ownership = field(default_factory=Ownership)

    @property
    def address(self) -> str:
        """The path of its page."""
        return f"/d/{self.source}/{self.summary.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewRow:
    """One deployment, as the overview shows it."""

    address: str
    name: str
    model: str
    version: int
    standing: Standing
    strip: Drawing | None
    loss: LossView | None
    evidence: str
    evidence_mark: Drawing | None
    threshold: str
    log_evidence: float
    coverage: str
    coverage_share: float | None
    judged: str
    judged_at: datetime | None
    run: str
    run_at: datetime
    earlier: int
    team: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A config whose deployment cannot be shown, or whose last run failed, and why.

    Attributes:
        config: Its name.
        reason: Why.
        unreadable: Whether the config or its store cannot be read.
    """

    config: str
    reason: str
    unreadable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The overview: rows of one page, counts of all deployments by state, whether one has a team, snoozed incidents."""

    rows: tuple[OverviewRow, ...]
    failures: tuple[Failure, ...]
    counts: tuple[tuple[State, int], ...]
    teams: bool
    snoozed: int
    total: int
    found: int
    question: Question
    pages: int
    timezone: str


def entry_of(
    source: str, summary: DeploymentSummary, now: datetime, *, earlier: int = 0, ownership: Ownership | None = None
) -> Entry:
    """One deployment.

    Args:
        source: The store's name.
        summary: The deployment.
        now: The time.
        earlier: How many earlier deployments of the same name its store has.
        ownership: Its team and tags; None where they are not known.

    Returns:
        The entry.
    """
    how = standing(summary.incidents, summary.last, summary.used_at, now, summary.zone, failure=summary.failure)
    return Entry(source=source, summary=summary, standing=how, earlier=earlier, ownership=ownership or Ownership())


def name_of(summary: DeploymentSummary) -> str:
    """The name of a deployment."""
    return summary.record.called


def zone_words(summary: DeploymentSummary) -> str:
    """In which time zone a page of a deployment has its times, and whose that is where it is not the deployment's."""
    own = printable(summary.record.timezone)
    return own if summary.shown_in in ("", own) else f"{summary.shown_in}, yours; the deployment's is {own}"


def overview_row(entry: Entry, history: RecentHistory, now: datetime) -> OverviewRow:
    """A deployment with its last windows.

    Args:
        entry: The deployment.
        history: Its last windows.
        now: The time.

    Returns:
        The row.
    """
    record, windows = entry.summary.record, history.windows
    last = windows[-1] if windows else None
    share = coverage(windows)
    threshold = f"{record.page_threshold:,.0f}"
    evidence = NOTHING if last is None else format_evidence(last.page_log_evidence)
    words = f"Page evidence {evidence}, threshold {threshold}."
    return OverviewRow(
        address=entry.address,
        name=printable(name_of(entry.summary)),
        model=printable(record.model),
        version=record.version,
        standing=entry.standing,
        strip=strip(windows) if windows else None,
        loss=headline_loss(history.scores, history.baseline),
        evidence=evidence,
        evidence_mark=None if last is None else evidence_mark(last.page_log_evidence, record.page_threshold, words),
        threshold=threshold,
        log_evidence=0.0 if last is None else last.page_log_evidence,
        coverage=NOTHING if share is None else f"{100 * share:.0f} %",
        coverage_share=share,
        judged=NOTHING if last is None else format_moment(last.end, entry.summary.zone),
        judged_at=None if last is None else last.end,
        run=ago(now - entry.summary.used_at),
        run_at=entry.summary.used_at,
        earlier=entry.earlier,
        team=entry.ownership.team,
        tags=entry.ownership.tags,
    )


def coverage(windows: Sequence[WindowRecord]) -> float | None:
    """Labels that arrived as a share of those due; None where none was due."""
    due = sum(one.labels_due for one in windows)
    return sum(one.labels for one in windows) / due if due else None


def overview_table(rows: Sequence[OverviewRow]) -> TableView:
    """The rows of the overview, for its CSV file."""
    return TableView(
        name="overview",
        title="Deployments",
        columns=(
            *("deployment", "version", "state", "sentence", "metric", "value", "low", "high", "baseline"),
            *("page_evidence", "page_threshold", "label_coverage", "judged_until", "last_run", "snoozed"),
            *("team", "tags"),
        ),
        rows=tuple(
            (
                cell(row.name),
                cell(str(row.version), row.version),
                cell(row.standing.state),
                cell(row.standing.sentence),
                cell("" if row.loss is None else row.loss.watch),
                *(
                    (cell(""),) * 3
                    if row.loss is None
                    else (
                        cell(row.loss.text, row.loss.value.mean),
                        cell("", row.loss.value.low),
                        cell("", row.loss.value.high),
                    )
                ),
                cell("" if row.loss is None or row.loss.baseline is None else repr(row.loss.baseline.mean)),
                cell(row.evidence, finite_evidence(row.log_evidence)),
                cell(row.threshold, float(row.threshold.replace(",", ""))),
                cell(row.coverage, row.coverage_share),
                cell(row.judged, row.judged_at),
                cell(row.run, row.run_at),
                cell(str(row.standing.snoozed), row.standing.snoozed),
                cell(row.team),
                cell(" ".join(row.tags)),
            )
            for row in rows
        ),
    )


def ago(length: timedelta) -> str:
    """How long ago something was.

    Args:
        length: The time since then.

    Returns:
        Words, in the largest unit that is not below 1.

    >>> ago(timedelta(seconds=20)), ago(timedelta(minutes=61)), ago(timedelta(days=12))
    ('just now', '1 h ago', '12 d ago')
    """
    seconds = int(length.total_seconds())
    if seconds < 60:
        return "just now"
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds // unit:,} {name} ago"
    return "just now"
