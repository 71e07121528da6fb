"""The deployments of one model side by side: its versions, and its settings over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from monitoring.dashboard.overview.overview import overview_row, recent_histories
from monitoring.dashboard.stores.roster import Entry, entry_of
from monitoring.dashboard.stores.stores import StoredDeployment
from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.dashboard.view.words import name_of
from monitoring.reports.sections.formatting import finite_evidence, format_moment
from monitoring.store.overview import RecentHistory
from monitoring.watches.descriptions import NOTHING, printable

#: How many deployments stand side by side, those that were run last.
MOST_VERSIONS = 12


def read_versions(deployment: StoredDeployment) -> TableView | None:
    """The deployments of the same model side by side, those that were run last; None where there is only one."""
    store, summary, now = deployment.store, deployment.summary, deployment.clock()
    same = sorted(store.overview.summaries(summary.record.model), key=lambda other: other.used_at, reverse=True)[
        :MOST_VERSIONS
    ]
    if len(same) < 2:
        return None
    histories = recent_histories(store, [other.number for other in same])
    entries = [entry_of(deployment.named.name, replace(other, shown_in=summary.shown_in), now) for other in same]
    return versions_table([(entry, histories[entry.summary.number]) for entry in entries], summary.number, now)


def versions_table(found: Sequence[tuple[Entry, RecentHistory]], number: int, now: datetime) -> TableView | None:
    """The deployments of one model.

    Args:
        found: The deployments with their last windows, the one that was run last first.
        number: The number of the one whose page it is.

    Returns:
        The table; None where there is only one.
    """
    if len(found) < 2:
        return None
    return TableView(
        name="versions",
        title="Versions of this model",
        columns=(
            *("Deployment", "State", "Loss", "", "Against baseline", "Page evidence", "Judged until", "First run"),
            *("Pages at most", "Settings"),
        ),
        rows=tuple(_row(entry, history, number, now) for entry, history in found),
        numeric=frozenset({2, 5}),
        note="The last 7 windows of each; settings by their digest.",
    )


def _row(entry: Entry, history: RecentHistory, number: int, now: datetime) -> tuple[Cell, ...]:
    row, record = overview_row(entry, history, now), entry.summary.record
    here = entry.summary.number == number
    title = f"{printable(name_of(entry.summary))} v{record.version}"
    return (
        cell(f"{title} (this one)" if here else title, entry.summary.number, href="" if here else entry.address),
        cell(row.standing.state, style=f"state {row.standing.state}"),
        Cell(text=NOTHING) if row.loss is None else cell(row.loss.text, row.loss.value.mean),
        Cell(text="", drawing=None if row.loss is None else row.loss.mark),
        cell(NOTHING if row.loss is None else row.loss.against),
        cell(f"{row.evidence} of {row.threshold}", finite_evidence(row.log_evidence)),
        Cell(text=row.judged, value=row.judged_at),
        cell(format_moment(record.created_at, entry.summary.zone), record.created_at),
        cell(printable(record.page_budget)),
        cell(record.settings_digest[:12]),
    )
