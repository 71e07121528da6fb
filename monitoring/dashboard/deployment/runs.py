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
        rows=tuple(_cells(one, zone) for one in runs),
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
                cell(f"{printable(one.name)} v{one.version}", one.name, href=f"{address}/runs", style="text"),
                *_cells(one.run, zone),
            )
            for address, one in runs
        ),
        numeric=frozenset({3, 4, 5}),
        note="The last runs that had something to judge, or failed; one that was killed has no end.",
    )


def _cells(one: RunRecord, zone: ZoneInfo) -> tuple[Cell, ...]:
    return (
        cell(_moment(one.started_at, zone), one.started_at, style="when"),
        _ended(one, zone),
        cell(f"{one.windows:,}", one.windows),
        cell(f"{one.rows:,}", one.rows),
        Cell(text=NOTHING if one.seconds is None else f"{one.seconds:,.1f} s", value=one.seconds),
        _error(one.error),
        cell(printable(one.host), style="text"),
        cell(printable(one.version)),
    )


def _ended(one: RunRecord, zone: ZoneInfo) -> Cell:
    if one.ended_at is None:
        return Cell(text="not ended")
    return cell(_moment(one.ended_at, zone), one.ended_at, style="when")


def _error(error: str) -> Cell:
    return cell(printable(error, LONGEST_MESSAGE), error, style="page text") if error else Cell(text=NOTHING, value="")


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
