"""The subgroups of the traffic in which a model has got worse than in other rows."""

from __future__ import annotations

from monitoring.dashboard.incident.outcomes import OutcomesView
from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.jobs.subgroups.subgroup_rows import FoundSubgroups
from monitoring.jobs.subgroups.subgroups import ERROR_RATE
from monitoring.records import Subgroup
from monitoring.reports.sections.formatting import format_count
from monitoring.watches.descriptions import format_value, lower_first, printable, watch_title

TITLE = "Subgroups in which the model got worse"


def subgroup_views(found: FoundSubgroups | None) -> tuple[OutcomesView, ...]:
    """The table of subgroups.

    Args:
        found: What was found; None where losses or labels are not known.

    Returns:
        One view, whose note says so where no subgroup is worse than the others; none without labelled rows.
    """
    if found is None or not found.rows:
        return ()
    what = lower_first(watch_title(found.watch.name))
    rows = f"{format_count(found.rows, 'labelled row')} of {format_count(len(found.windows), 'window')}"
    note = (
        f"A tree of two levels over the inputs chose them on half of {rows}; their rises are those of the other half. "
        f"The chance that one is named for nothing is at most {100 * ERROR_RATE:.0f} %. "
        "A search of every 30 windows opens notices of such."
    )
    if not found.subgroups:
        note = f"The {what} rose in no part of the inputs more than in the other rows. {note}"
    table = TableView(
        name="subgroups",
        title=TITLE,
        columns=("Subgroup", "Rows", f"Rise of {what}", "Other rows", "p"),
        rows=tuple(_row(one, found.watch.name) for one in found.subgroups),
        numeric=frozenset({1, 2, 3, 4}),
        note=note,
    )
    return (OutcomesView(title=TITLE, table=table, data=None),)


def _row(one: Subgroup, watch: str) -> tuple[Cell, ...]:
    return (
        cell(printable(str(one)), style="text"),
        cell(f"{one.rows:,}", one.rows),
        cell(format_value(watch, one.rise), one.rise),
        cell(format_value(watch, one.others), one.others),
        cell(f"{one.p_value:.1g}", one.p_value),
    )
