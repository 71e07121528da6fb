"""The page *Versions*: a rollout, its interval over time, guards, what each version costs, and all rollouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.dashboard.rollouts.tables import (
    all_rollouts,
    costs_table,
    events_table,
    guards_table,
    looks_table,
    promises_table,
    windows_table,
)
from monitoring.dashboard.stores.stores import StoredDeployment, existing
from monitoring.dashboard.view.table import TABLE_ROWS, ChartView, TableView
from monitoring.dashboard.view.words import Figure, name_of, zone_words
from monitoring.records import RolloutEvent, RolloutRecord, RolloutResult
from monitoring.reports.charts.difference import difference_drawing
from monitoring.reports.charts.series import LARGE, NARROW
from monitoring.reports.sections.formatting import format_moment
from monitoring.rollout.evidence.terms import CONDITION
from monitoring.rollout.life import harm_text, promise_text, undecided_text
from monitoring.rollout.rollout_settings import setting
from monitoring.rollout.status import as_of, verdict_time
from monitoring.store.overview import DeploymentSummary
from monitoring.watches.descriptions import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutView:
    """Everything that the page *Versions* shows.

    Attributes:
        command: The command that begins a rollout; empty where the config is not known.
    """

    address: str
    parent: str
    name: str
    number: int | None
    title: str
    sentence: str
    reasons: tuple[str, ...]
    figures: tuple[Figure, ...]
    facts: tuple[tuple[str, str], ...]
    chart: ChartView | None
    listed: tuple[TableView, ...]
    rows_address: str
    command: str
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        charted = () if self.chart is None or self.chart.table is None else (self.chart.table,)
        return (*charted, *self.listed)


def read_rollout(deployment: StoredDeployment, number: int | None, *, whole: bool, command: str) -> RolloutView:
    """The page of a rollout of a deployment; of the last one, where no number is given."""
    table = deployment.store.rollouts
    records = table.latest(deployment.summary.record.called)
    wanted = (
        records[0]
        if records and number is None
        else next((record for record in records if record.number == number), None)
    )
    if number is not None:
        wanted = existing("rollout", wanted, str(number))
    events = () if wanted is None else table.events(wanted.number)
    record = None if wanted is None else as_of(wanted, deployment.clock())
    most = None if whole else TABLE_ROWS
    has_bundles = deployment.config is not None and deployment.config.model.bundle is not None
    parts = RolloutParts(record=record, events=events, records=records, has_rows=has_bundles and record is not None)
    return rollout_view(parts, deployment.summary, deployment.address, command, deployment.clock(), most)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutParts:
    """What the store has for the page."""

    record: RolloutRecord | None
    events: Sequence[RolloutEvent]
    records: Sequence[RolloutRecord]
    has_rows: bool


def rollout_view(
    parts: RolloutParts, summary: DeploymentSummary, parent: str, command: str, now: datetime, most: int | None = None
) -> RolloutView:
    """The page of a rollout. `most`: how many rows a table has at most; None: all."""
    record, zone = parts.record, summary.zone
    result = None if record is None else record.result
    address = f"{parent}/versions"
    rollout_address = address if record is None else f"{address}/{record.number}"
    tables: list[TableView] = []
    if result is not None:
        tables += [guards_table(result), windows_table(result, zone, most)]
    if record is not None:
        costs = costs_table(setting(record.settings, "costs"), record)
        tables += [] if costs is None else [costs]
        tables += [] if record.plan is None else [promises_table(record.plan)]
        tables.append(events_table(parts.events, zone, most))
    tables.append(all_rollouts(parts.records, address, zone))
    return RolloutView(
        address=rollout_address,
        parent=parent,
        name=printable(name_of(summary)),
        number=None if record is None else record.number,
        title="Versions" if record is None else f"Version {record.candidate} against version {record.champion}",
        sentence=_sentence(record, parts.events, now),
        reasons=() if result is None else tuple(map(printable, result.reasons)),
        figures=() if record is None or result is None else _figures(record, result),
        facts=() if record is None else _facts(record, zone),
        chart=None if result is None or not result.looks else _chart(result, zone, most),
        listed=tuple(tables),
        rows_address=f"{rollout_address}/rows"
        if parts.has_rows and record is not None and record.mode != "split"
        else "",
        command=command,
        timezone=zone_words(summary),
    )


_MODES = {
    "replay": "the candidate was scored on logged requests",
    "shadow": "the candidate answers in the dark",
    "split": "each version answers a part of the requests",
    "watch": "the former champion answers in the dark after the promotion",
}


def _sentence(record: RolloutRecord | None, events: Sequence[RolloutEvent], now: datetime) -> str:
    if record is None:
        return "No two versions of this model were compared yet."
    verdict = "no look at the evidence yet" if record.result is None else record.result.verdict
    at = verdict_time(events) or now
    promise = promise_text(record, at) if record.result and record.result.decided else ""
    found = f"{verdict.capitalize()}. Rollout {record.number}, {_MODES[record.mode]}: {record.state}.{promise}"
    return found if record.result is None else " ".join(filter(None, (found, undecided_text(record.result))))


def _figures(record: RolloutRecord, result: RolloutResult) -> tuple[Figure, ...]:
    interval = result.interval
    left = "decided" if result.needed is None and result.decided else "not known yet"
    if not record.goes_on:
        left = record.state
    elif result.needed is not None:
        left = f"{result.needed.days:.1f}"
    disagreement = result.disagreements / result.rows if result.rows else 0.0
    return (
        Figure(title="Verdict", text=result.verdict, alarm=result.verdict == "worse"),
        Figure(title=result.title, text=f"{interval.mean:+.4f}", beside=f"{interval.low:+.4f} to {interval.high:+.4f}"),
        Figure(title="Rows", text=f"{result.rows:,}", beside=f"{result.labelled:,} labels"),
        Figure(title="Answers differ", text=f"{disagreement:.1%}", beside=f"{result.disagreements:,} rows"),
        Figure(title="Days left", text=left, beside="" if result.needed is None else f"{result.needed.rows:,} rows"),
        Figure(
            title="Evidence of harm",
            text=harm_text(result.harm),
            beside=f"{1.0 / result.wrong:.0f} is enough",
            alarm=result.harmful,
        ),
    )


def _facts(record: RolloutRecord, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
    until = "" if record.ended_at is None else f" to {format_moment(record.ended_at, zone)}"
    result = record.result
    decided = (
        ()
        if result is None
        else (
            ("Decided by", f"{result.title}, {result.require} is required"),
            ("Mean loss", _means(record, result)),
            ("Smallest difference that matters", f"{result.min_effect:g}"),
            ("Wrong promotions", f"1 in {1 / result.wrong:.0f} over all looks, {CONDITION}"),
            (
                "Rows without a label",
                "each may be the worst" if result.missing_labels == "bounded" else "like the others",
            ),
        )
    )
    return (
        ("Mode", f"{record.mode}, {record.share:.0%} of the rows"),
        ("Time", f"{format_moment(record.started_at, zone)}{until}"),
        ("Begun by", printable(record.by)),
        *decided,
    )


def _means(record: RolloutRecord, result: RolloutResult) -> str:
    """The mean losses of both versions, in words."""
    if result.champion is None or result.candidate is None:
        return "not known without labels"
    return f"version {record.champion}: {result.champion:.4f}, version {record.candidate}: {result.candidate:.4f}"


def _chart(result: RolloutResult, zone: ZoneInfo, most: int | None) -> ChartView:
    drawings = tuple(difference_drawing(result.looks, result.min_effect, size, zone) for size in (LARGE, NARROW))
    return ChartView(
        name="difference",
        title="Difference after each window",
        note="Candidate's loss less the champion's: below 0 the candidate is better. Thick: mean. Shaded: the "
        "interval, valid at every look. Grey: differences that do not matter. Diamond: the first verdict.",
        drawings=drawings,
        table=looks_table(result, zone, most),
    )
