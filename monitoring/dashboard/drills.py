"""The drills of a deployment: the last one's scoreboard, each replicate of it, and those before."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.view.endpoint import GetStores, ViewEndpoint
from monitoring.dashboard.view.requests import DEPLOYMENT, place_of
from monitoring.dashboard.view.responses import page_answer
from monitoring.dashboard.view.table import TABLE_ROWS, Cell, TableView, cell
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
        sentence: What the last drill found, in one sentence; that there was none.
        stale: Why the last drill may not hold any more; empty where it does.
        tables: The scoreboard, the replicates, what was left out, and all drills; none without a drill.
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
    """The page of a deployment's drills."""
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
        rows=tuple(_run(fault, run) for fault in drill.faults for run in fault.runs),
        numeric=frozenset({1, 4}),
    )
    unfit = TableView(
        name="left-out",
        title="Left out",
        columns=("Fault", "Reason"),
        rows=tuple((cell(printable(fault.title)), cell(printable(fault.reason))) for fault in drill.unfit),
        note="Faults that do not fit this deployment.",
    )
    return scoreboard, replicates, unfit


def _fault(fault: FaultResult) -> tuple[Cell, ...]:
    detected, runs = len(fault.detected), len(fault.runs)
    style = fault.level if fault.outcome == "missed" else ""
    return (
        cell(printable(fault.title), style="text"),
        cell(f"a {fault.level}", fault.level),
        cell(f"{detected} of {runs}", detected),
        cell(_OUTCOMES[fault.outcome], fault.outcome, style=style),
        Cell(text=NOTHING if fault.median_delay is None else str(fault.median_delay), value=fault.median_delay),
        cell(f"{fault.named_rightly} of {detected}" if detected else NOTHING, fault.named_rightly),
        cell(_cause(fault), fault.cause, style="text"),
        cell(printable(fault.what), style="text"),
    )


def _cause(fault: FaultResult) -> str:
    """The cause that was told, or how often a notice was raised in its place."""
    lower = f"a notice in {fault.noticed} of {len(fault.runs)}" if fault.noticed else fault.nearest or NOTHING
    return printable(fault.cause, LONGEST_MESSAGE) if fault.cause else lower


def _run(fault: FaultResult, run: DrillRun) -> tuple[Cell, ...]:
    return (
        cell(printable(fault.title), style="text"),
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
                cell(f"{drill.at.astimezone(zone):%Y-%m-%d %H:%M}", drill.at, style="when"),
                cell(printable(drill.by), style="text"),
                cell(str(drill.version), drill.version),
                cell(printable(drill.release)),
                cell(f"{drill.source}, {format_count(drill.source_windows, 'window')}", drill.source),
                cell(str(drill.false_pages), drill.false_pages),
                cell(printable(drill.sentence, LONGEST_MESSAGE), style="text"),
            )
            for drill in drills
        ),
        numeric=frozenset({2, 5}),
    )


def drill_routes(stores: GetStores) -> list[Route]:
    """The routes of a deployment's drills."""
    return ViewEndpoint(path=f"{DEPLOYMENT}/drills", stores=stores, read=_read, show=_show).routes()


def _read(stores: Stores, request: Request, _rows: int | None) -> DrillsView:
    deployment = stores.deployment(place_of(request))
    file = deployment.file
    command = "" if file is None else shlex.join(("pitfalls", "drill", "run", "--config", str(file.path)))
    results = deployment.store.drills.latest(deployment.summary.record.called, latest=TABLE_ROWS)
    return drills_view(results, deployment.summary, deployment.address, command)


def _show(_request: Request, view: DrillsView) -> Response:
    return page_answer("drills", view=view)
