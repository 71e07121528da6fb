"""The drills of a deployment: the last one's scoreboard, each replicate of it, and those before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.records import DrillRecord, DrillRun, FaultResult
from monitoring.reports.sections.formatting import format_count
from monitoring.store.overview import DeploymentSummary
from monitoring.watches.descriptions import LONGEST_MESSAGE, NOTHING, printable

#: Words of an outcome.
_OUTCOMES = {"detected": "detected", "missed": "missed", "too small": "smaller than detected"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillsView:
    """Everything that the page of a deployment's drills shows.

    Attributes:
        address: Its path.
        parent: The path of the deployment's page.
        name: The deployment's name.
        sentence: What the last drill found, in one sentence; that there was none.
        command: The command that runs a drill; empty where the config is not known.
        stale: Why the last drill may not hold any more; empty where it does.
        facts: How the last drill was made.
        tables: The scoreboard, the replicates, what was left out, and all drills; none without a drill.
        timezone: The zone of the times.
    """

    address: str
    parent: str
    name: str
    sentence: str
    command: str
    stale: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[TableView, ...]
    timezone: str


def drills_view(drills: Sequence[DrillRecord], summary: DeploymentSummary, parent: str, command: str) -> DrillsView:
    """The page of a deployment's drills.

    Args:
        command: The command that runs a drill; empty where the config is not known.
    """
    zone, last = summary.zone, drills[0] if drills else None
    return DrillsView(
        address=f"{parent}/drills",
        parent=parent,
        name=printable(name_of(summary)),
        sentence="No drill was run yet." if last is None else last.sentence,
        command=command,
        stale="" if last is None else _stale(last, summary),
        facts=() if last is None else _facts(last, zone),
        tables=() if last is None else (*_tables_of(last), _all_drills(drills, zone)),
        timezone=zone_words(summary),
    )


def _stale(drill: DrillRecord, summary: DeploymentSummary) -> str:
    if summary.record.basis == drill.basis:
        return ""
    return "The last drill was of another baseline, version or config than this deployment's: run it again."


def _facts(drill: DrillRecord, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
    days = [f"{at.astimezone(zone):%Y-%m-%d}" for at in drill.span or ()]
    source = "clean windows of the traffic" if drill.source == "traffic" else "windows of the reference"
    false = f"{format_count(drill.false_pages, 'page')}, {format_count(drill.false_notices, 'notice')}"
    return (
        ("Run", f"{drill.at.astimezone(zone):%Y-%m-%d %H:%M} by {printable(drill.by)}"),
        ("Model and release", f"version {drill.version}, release {printable(drill.release)}"),
        ("Drawn from", f"{drill.source_windows} {source}, {' to '.join(days) or 'without dates'}"),
        ("Replicates", f"{drill.replicates}, seed {drill.seed}"),
        ("Windows", f"{drill.lead} before a fault, at most {drill.windows} with it"),
        ("Without a fault", f"{false} in {format_count(drill.clean_windows, 'window')}"),
    )


def _tables_of(drill: DrillRecord) -> tuple[TableView, TableView, TableView]:
    scoreboard = TableView(
        name="faults",
        title="Faults",
        columns=("Fault", "Should be", "Told", "Outcome", "Window", "Named rightly", "Cause", "What it does"),
        rows=tuple(map(_fault, drill.faults)),
        numeric=frozenset({2, 4, 5}),
        note="Window: in which one with the fault it was detected, the median; the first is 1. Named rightly: how "
        "often the faulty input was named first, or none where no input is faulty.",
    )
    replicates = TableView(
        name="replicates",
        title="Every replicate",
        columns=("Fault", "Replicate", "Planted in", "Told by", "Window", "Cause", "Named first"),
        rows=tuple(_run(one, run) for one in drill.faults for run in one.runs),
        numeric=frozenset({1, 4}),
    )
    unfit = TableView(
        name="left-out",
        title="Left out",
        columns=("Fault", "Reason"),
        rows=tuple((cell(printable(one.title)), cell(printable(one.reason))) for one in drill.unfit),
        note="Faults that do not fit this deployment.",
    )
    return scoreboard, replicates, unfit


def _fault(one: FaultResult) -> tuple[Cell, ...]:
    detected, runs = len(one.detected), len(one.runs)
    style = one.level if one.outcome == "missed" else ""
    return (
        cell(printable(one.title), style="text"),
        cell(f"a {one.level}", one.level),
        cell(f"{detected} of {runs}", detected),
        cell(_OUTCOMES[one.outcome], one.outcome, style=style),
        Cell(text=NOTHING if one.median_delay is None else str(one.median_delay), value=one.median_delay),
        cell(f"{one.named_rightly} of {detected}" if detected else NOTHING, one.named_rightly),
        cell(_cause(one), one.cause, style="text"),
        cell(printable(one.what), style="text"),
    )


def _cause(one: FaultResult) -> str:
    """The cause that was told, or how often a notice was raised in its place."""
    lower = f"a notice in {one.noticed} of {len(one.runs)}" if one.noticed else one.nearest or NOTHING
    return printable(one.cause, LONGEST_MESSAGE) if one.cause else lower


def _run(one: FaultResult, run: DrillRun) -> tuple[Cell, ...]:
    return (
        cell(printable(one.title), style="text"),
        cell(str(run.replicate + 1), run.replicate + 1),
        cell(printable(run.column) or NOTHING, run.column),
        cell("nothing" if run.level is None else f"a {run.level}", run.level or ""),
        Cell(text=NOTHING if run.delay is None else str(run.delay), value=run.delay),
        cell(printable(run.cause or run.nearest, LONGEST_MESSAGE) or NOTHING, run.cause, style="text"),
        cell(printable(run.named) or NOTHING, run.named),
    )


def _all_drills(drills: Sequence[DrillRecord], zone: ZoneInfo) -> TableView:
    return TableView(
        name="drills",
        title="All drills",
        columns=("Run", "By", "Version", "Release", "Drawn from", "False pages", "Found"),
        rows=tuple(
            (
                cell(f"{one.at.astimezone(zone):%Y-%m-%d %H:%M}", one.at, style="when"),
                cell(printable(one.by), style="text"),
                cell(str(one.version), one.version),
                cell(printable(one.release)),
                cell(f"{one.source}, {format_count(one.source_windows, 'window')}", one.source),
                cell(str(one.false_pages), one.false_pages),
                cell(printable(one.sentence, LONGEST_MESSAGE), style="text"),
            )
            for one in drills
        ),
        numeric=frozenset({2, 5}),
    )
