"""The pages of what labels say since an incident: answers against labels, and subgroups that got worse than others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from monitoring.config import MonitorConfig
from monitoring.dashboard.incident.incident import WINDOWS_AFTER
from monitoring.dashboard.incident.outcomes import (
    NO_CONFIG,
    KeptReadings,
    OutcomesView,
    kept_outcomes,
    state_of,
    tables_of,
)
from monitoring.dashboard.stores.stores import StoredDeployment
from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.errors import PitfallsError
from monitoring.records import IncidentRecord, Subgroup, WindowRecord
from monitoring.reports.sections.formatting import format_count, format_window
from monitoring.sentences.incident_text import cause_line
from monitoring.subgroups.subgroup_rows import SubgroupResult, read_subgroups
from monitoring.subgroups.subgroups import ERROR_RATE
from monitoring.watches.descriptions import format_value, lower_first, printable, watch_title

TITLE = "Subgroups in which the model got worse"


def subgroup_views(result: SubgroupResult | None) -> tuple[OutcomesView, ...]:
    """The table of subgroups.

    Args:
        result: The subgroups; None where losses or labels are not known.

    Returns:
        One view, whose note says so where no subgroup is worse than the others; none without labelled rows.
    """
    if result is None or not result.rows:
        return ()
    what = lower_first(watch_title(result.watch.name))
    rows = f"{format_count(result.rows, 'labelled row')} of {format_count(len(result.windows), 'window')}"
    note = (
        f"A tree of two levels over the inputs chose them on half of {rows}; their rises are those of the other half. "
        f"The chance that one is named for nothing is at most {100 * ERROR_RATE:.0f} %. "
        "A search of every 30 windows opens notices of such."
    )
    if not result.subgroups:
        note = f"The {what} rose in no part of the inputs more than in the other rows. {note}"
    table = TableView(
        name="subgroups",
        title=TITLE,
        columns=("Subgroup", "Rows", f"Rise of {what}", "Other rows", "p"),
        rows=tuple(_row(subgroup, result.watch.name) for subgroup in result.subgroups),
        numeric=frozenset({1, 2, 3, 4}),
        note=note,
    )
    return (OutcomesView(title=TITLE, table=table, data=None),)


def _row(subgroup: Subgroup, watch: str) -> tuple[Cell, ...]:
    return (
        cell(printable(str(subgroup)), style="text"),
        cell(f"{subgroup.rows:,}", subgroup.rows),
        cell(format_value(watch, subgroup.rise), subgroup.rise),
        cell(format_value(watch, subgroup.others), subgroup.others),
        cell(f"{subgroup.p_value:.1g}", subgroup.p_value),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledView:
    """Everything that one of the pages shows; `problem` says why there is nothing."""

    address: str
    parent: str
    name: str
    number: int
    heading: str
    title: str
    window: str
    outcomes: tuple[OutcomesView, ...]
    problem: tuple[str, ...]
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        return tables_of(self.outcomes)


#: Reads the tables of a page: of a config, an incident and its windows.
_Read = Callable[[MonitorConfig, IncidentRecord, Sequence[WindowRecord]], tuple[OutcomesView, ...]]


def read_outcomes_since(deployment: StoredDeployment, number: int, readings: KeptReadings) -> LabelledView:
    """Answers against labels since an incident, of all rows and of its slice. Raises BadInput: there is no such."""

    def read(
        config: MonitorConfig, incident: IncidentRecord, windows: Sequence[WindowRecord]
    ) -> tuple[OutcomesView, ...]:
        return kept_outcomes(deployment, config, windows, ("", incident.slice), readings)[0]

    return _labelled_view(deployment, number, "outcomes", "Answers and labels", read)


def read_subgroups_since(deployment: StoredDeployment, number: int, readings: KeptReadings) -> LabelledView:
    """The subgroups in which the model got worse since an incident. Raises BadInput: there is no such."""

    def read(
        config: MonitorConfig, incident: IncidentRecord, windows: Sequence[WindowRecord]
    ) -> tuple[OutcomesView, ...]:
        def search() -> tuple[OutcomesView, ...]:
            version = deployment.summary.record.version
            return subgroup_views(read_subgroups(config, version, windows, incident.scored_by, deployment.clock))

        ends = (windows[0].start, windows[-1].end, len(windows)) if windows else ()
        return readings.get(("subgroups", state_of(deployment, config), ends, incident.scored_by), search)

    return _labelled_view(deployment, number, "subgroups", "Subgroups", read)


def _labelled_view(deployment: StoredDeployment, number: int, page: str, heading: str, read: _Read) -> LabelledView:
    store, summary, config = deployment.store, deployment.summary, deployment.config
    incident = store.incidents.get(deployment.number, number)
    outcomes, problem = tuple[OutcomesView, ...](), tuple[str, ...]()
    if config is None:
        problem = (NO_CONFIG,)
    else:
        windows = store.windows.recent(deployment.number, latest=WINDOWS_AFTER, before=incident.closed_at)
        try:
            outcomes = read(config, incident, [each for each in windows if each.start >= incident.window_start])
        except PitfallsError as error:
            problem = tuple(str(error).splitlines())
    return LabelledView(
        address=f"{deployment.address}/incidents/{number}/{page}",
        parent=deployment.address,
        name=printable(name_of(summary)),
        number=number,
        heading=heading,
        title=cause_line(incident),
        window=format_window(incident.window_start, incident.window_end, summary.zone),
        outcomes=outcomes,
        problem=problem,
        timezone=zone_words(summary),
    )
