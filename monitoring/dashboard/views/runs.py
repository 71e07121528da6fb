"""The page of a deployment's runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitoring.dashboard.views.overview import name_of
from monitoring.dashboard.views.table import Cell, TableView, cell
from monitoring.records import RunRecord
from monitoring.reports.sections.formatting import LONGEST_MESSAGE
from monitoring.store.overview import DeploymentSummary
from monitoring.watches.descriptions import NOTHING, printable


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsView:
    """Everything that the page of a deployment's runs shows."""

    address: str
    parent: str
    name: str
    table: TableView
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        return (self.table,)


def runs_view(runs: Sequence[RunRecord], summary: DeploymentSummary, parent: str) -> RunsView:
    """The page of a deployment's runs.

    Args:
        runs: The runs, the newest first.
        summary: The deployment.
        parent: The path of the deployment's page.

    Returns:
        The page.
    """
    zone = ZoneInfo(summary.record.timezone)
    return RunsView(
        address=f"{parent}/runs",
        parent=parent,
        name=printable(name_of(summary)),
        table=TableView(
            name="runs",
            title="Runs",
            columns=("Began", "Windows", "Rows", "Took", "Error", "Machine", "Version"),
            rows=tuple(
                (
                    cell(f"{one.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S}", one.started_at),
                    cell(f"{one.windows:,}", one.windows),
                    cell(f"{one.rows:,}", one.rows),
                    cell("not ended" if one.seconds is None else f"{one.seconds:,.1f} s", one.seconds),
                    cell(
                        printable(one.error, LONGEST_MESSAGE) or NOTHING, one.error, style="page" if one.error else ""
                    ),
                    cell(printable(one.host), style="text"),
                    cell(printable(one.version)),
                )
                for one in runs
            ),
            numeric=frozenset({1, 2, 3}),
            note="The last runs that had something to judge, or failed; one that was killed has no end.",
        ),
        timezone=printable(summary.record.timezone),
    )


def _error(error: str) -> Cell:
    return cell(printable(error, LONGEST_MESSAGE), error, style="page") if error else cell(NOTHING, "")
