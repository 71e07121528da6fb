"""The overview: every deployment in a row, worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.dashboard.stores.candidates import PAGE_ROWS, Place, Question, chosen, counts, page_of
from monitoring.dashboard.stores.roster import (
    Entry,
    Failure,
    Roster,
    failures,
    mentioning,
    numbers_by_store,
    read_entries,
    read_roster,
)
from monitoring.dashboard.stores.standing import Standing, State
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.view.history import HEADLINES, WINDOWS
from monitoring.dashboard.view.loss import LossView, headline_loss
from monitoring.dashboard.view.table import TableView, cell
from monitoring.dashboard.view.words import ago, coverage, name_of
from monitoring.errors import PitfallsError
from monitoring.evidence.budget import finite_evidence
from monitoring.reports.charts.drawing import Drawing
from monitoring.reports.charts.marks import STRIP_WINDOWS, evidence_mark, strip
from monitoring.reports.sections.formatting import format_evidence, format_moment
from monitoring.reports.sections.incidents import counted_anew
from monitoring.store.overview import RecentHistory
from monitoring.store.store import Store
from monitoring.watches.descriptions import NOTHING, printable

#: That of a deployment whose store cannot be read.
NO_HISTORY = RecentHistory()


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
    counted_anew: bool
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
class Overview:
    """The overview: rows of one page, counts of all deployments by state, whether one has a team, snoozed incidents."""

    rows: tuple[OverviewRow, ...]
    failures: tuple[Failure, ...]
    counts: tuple[tuple[State, int], ...]
    teams: bool
    snoozed: int
    total: int
    matches: int
    question: Question
    pages: int
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """The rows as a table."""
        return (overview_table(self.rows),)


def read_overview(stores: Stores, question: Question) -> Overview:
    """The overview."""
    now = stores.clock()
    roster = read_roster(stores.stores, now, stores.files)
    every = roster.candidates
    candidates = chosen(every, question, mentioning(roster.readable, question.text))
    pages = max(1, -(-len(candidates) // PAGE_ROWS))
    shown = read_entries(roster, page_of(candidates, min(question.page, pages)), now, stores.shown_in)
    histories = _histories(roster, shown)
    return Overview(
        rows=tuple(
            overview_row(entry, histories.get((entry.store, entry.summary.number), NO_HISTORY), now) for entry in shown
        ),
        failures=failures(stores.files, roster),
        counts=counts(every),
        teams=any(candidate.ownership.team for candidate in every),
        snoozed=sum(candidate.snoozed for candidate in every),
        total=len(every),
        matches=len(candidates),
        question=question,
        pages=pages,
        timezone=stores.shown_in,
    )


def _histories(roster: Roster, shown: Sequence[Entry]) -> dict[Place, RecentHistory]:
    """The last windows of the deployments of a page, but of those whose store cannot be read."""
    numbers = numbers_by_store(shown)
    found: dict[Place, RecentHistory] = {}
    for store in roster.readable:
        if store.name not in numbers:
            continue
        try:
            histories = recent_histories(store.store(), numbers[store.name])
        except PitfallsError:
            continue
        found |= {(store.name, number): history for number, history in histories.items()}
    return found


def recent_histories(store: Store, numbers: Sequence[int]) -> Mapping[int, RecentHistory]:
    """The last windows of some deployments of a store, with the scores of their losses, by number."""
    return store.overview.histories(numbers, latest=STRIP_WINDOWS, watches=HEADLINES, scored=WINDOWS)


def overview_row(entry: Entry, history: RecentHistory, now: datetime) -> OverviewRow:
    """A deployment with its last windows."""
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
        counted_anew=last is not None
        and counted_anew(last.page_log_evidence, record.page_threshold, page_open="page" in entry.standing.facts),
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


def overview_table(rows: Sequence[OverviewRow]) -> TableView:
    """The rows of the overview, for its CSV file."""
    return TableView(
        name="overview",
        title="Deployments",
        columns=(
            *("name", "version", "state", "summary", "metric", "value", "low", "high", "baseline"),
            *("evidence_page", "budget_page_threshold", "label_coverage", "judged_until", "used_at", "snoozed"),
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
