"""Runs as a table: when each began and ended, what it judged, its error, its machine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.records import RunRecord
from monitoring.store.runs import StoredRun
from monitoring.watches.descriptions import LONGEST_MESSAGE, NOTHING, printable

_COLUMNS = ("Began", "Ended", "Windows", "Rows", "Took", "Error", "Machine", "Version")


def run_table(runs: Sequence[RunRecord], zone: ZoneInfo) -> TableView:
    """The runs of one deployment."""
    return TableView(
        name="runs",
        title="Runs",
        columns=_COLUMNS,
        rows=tuple(_cells(run, zone) for run in runs),
        numeric=frozenset({2, 3, 4}),
        note="The last runs that had something to judge, or failed; one that was killed has no end.",
    )


def all_runs_table(runs: Sequence[tuple[str, StoredRun]], zone: ZoneInfo, *, failed: bool) -> TableView:
    """The runs of all deployments.

    Args:
        runs: The address of the deployment's page, and the run; the newest first.
    """
    return TableView(
        name="runs",
        title="Failed runs" if failed else "Runs",
        columns=("Deployment", *_COLUMNS),
        rows=tuple(
            (
                cell(
                    f"{printable(named_run.name)} v{named_run.version}",
                    named_run.name,
                    href=f"{address}/runs",
                    style="text",
                ),
                *_cells(named_run.run, zone),
            )
            for address, named_run in runs
        ),
        numeric=frozenset({3, 4, 5}),
        note="The last runs that had something to judge, or failed; one that was killed has no end.",
    )


def _cells(run: RunRecord, zone: ZoneInfo) -> tuple[Cell, ...]:
    return (
        cell(_moment(run.started_at, zone), run.started_at, style="when"),
        _ended(run, zone),
        cell(f"{run.windows:,}", run.windows),
        cell(f"{run.rows:,}", run.rows),
        Cell(text=NOTHING if run.seconds is None else f"{run.seconds:,.1f} s", value=run.seconds),
        _error(run.error),
        cell(printable(run.host), style="text"),
        cell(printable(run.version)),
    )


def _ended(run: RunRecord, zone: ZoneInfo) -> Cell:
    if run.ended_at is None:
        return Cell(text="not ended")
    return cell(_moment(run.ended_at, zone), run.ended_at, style="when")


def _error(error: str) -> Cell:
    return cell(printable(error, LONGEST_MESSAGE), error, style="page text") if error else Cell(text=NOTHING, value="")


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
