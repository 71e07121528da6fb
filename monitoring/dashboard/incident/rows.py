"""The page of an incident's rows: the worst, typical ones, and typical ones of the baseline, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitoring.config import MonitorConfig
from monitoring.dashboard.incident.example_rows import RowsGroup, rows_groups
from monitoring.dashboard.incident.incident import WINDOWS_AFTER
from monitoring.dashboard.incident.outcomes import NO_CONFIG, OutcomesView, kept_outcomes, tables_of
from monitoring.dashboard.stores.stores import StoredDeployment
from monitoring.dashboard.view.kept_readings import KeptReadings, state_of
from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.errors import PitfallsError
from monitoring.jobs.examples.incident_rows import IncidentRows, read_incident_rows
from monitoring.jobs.subgroups.subgroup_rows import SubgroupResult, read_subgroups
from monitoring.jobs.subgroups.subgroups import ERROR_RATE
from monitoring.records import FACT_WATCH, IncidentRecord, Subgroup, WindowRecord
from monitoring.reports.sections.formatting import format_count, format_window
from monitoring.store.overview import DeploymentSummary
from monitoring.watches.cause_line import cause_line
from monitoring.watches.descriptions import format_value, lower_first, printable, slice_title, watch_title

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


#: Inputs that a table of the page has, those that moved first.
MOST_INPUTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsView:
    """Everything that the page shows; `problem` says why there are no rows."""

    address: str
    parent: str
    name: str
    number: int
    title: str
    window: str
    groups: tuple[RowsGroup, ...]
    outcomes: tuple[OutcomesView, ...]
    problem: tuple[str, ...]
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        return (*(group.table for group in self.groups if group.table is not None), *tables_of(self.outcomes))


def read_rows(deployment: StoredDeployment, number: int, readings: KeptReadings, *, whole: bool = False) -> RowsView:
    """The view of an incident's rows, which are read from the traffic.

    Returns:
        The view, with the reason where rows cannot be read; BadInput says that there is no such incident.
    """
    store, summary, config, clock = deployment.store, deployment.summary, deployment.config, deployment.clock
    incident, parent = store.incidents.get(deployment.number, number), deployment.address
    if config is None:
        return rows_view(incident, summary, parent, (NO_CONFIG,))
    windows = store.windows.recent(deployment.number, latest=WINDOWS_AFTER, before=incident.closed_at)
    since = [window for window in windows if window.start >= incident.window_start]
    try:
        rows = read_incident_rows(config, summary.record.version, incident, clock)
        outcomes, _ = kept_outcomes(deployment, config, since, ("", incident.slice), readings)
        subgroups = _kept_subgroups(deployment, config, since, incident.scored_by, readings)
    except PitfallsError as error:
        return rows_view(incident, summary, parent, tuple(str(error).splitlines()))
    views = (*subgroups, *outcomes)
    return rows_view(incident, summary, parent, rows, outcomes=views, whole=whole)


def _kept_subgroups(
    deployment: StoredDeployment,
    config: MonitorConfig,
    windows: list[WindowRecord],
    wanted: str,
    readings: KeptReadings,
) -> tuple[OutcomesView, ...]:
    """The subgroups in which the model got worse in some windows."""

    def read() -> tuple[OutcomesView, ...]:
        version = deployment.summary.record.version
        return subgroup_views(read_subgroups(config, version, windows, wanted, deployment.clock))

    ends = (windows[0].start, windows[-1].end, len(windows)) if windows else ()
    return readings.get(("subgroups", state_of(deployment, config), ends, wanted), read)


def rows_view(
    incident: IncidentRecord,
    summary: DeploymentSummary,
    parent: str,
    incident_rows: IncidentRows | tuple[str, ...],
    *,
    outcomes: tuple[OutcomesView, ...] = (),
    whole: bool = False,
) -> RowsView:
    """The page of an incident's rows.

    Args:
        incident_rows: Its rows, or in lines why they cannot be read.
    """
    zone = summary.zone
    return RowsView(
        address=f"{parent}/incidents/{incident.number}/rows",
        parent=parent,
        name=printable(name_of(summary)),
        number=incident.number,
        title=cause_line(incident),
        window=format_window(incident.window_start, incident.window_end, zone),
        groups=()
        if isinstance(incident_rows, tuple)
        else _groups(incident, incident_rows, zone, None if whole else MOST_INPUTS),
        outcomes=outcomes,
        problem=incident_rows if isinstance(incident_rows, tuple) else (),
        timezone=zone_words(summary),
    )


def _groups(
    incident: IncidentRecord, incident_rows: IncidentRows, zone: ZoneInfo, most: int | None
) -> tuple[RowsGroup, ...]:
    subgroup = incident.detail.subgroup
    part = f" at {slice_title(incident.slice)}" if incident.slice and not (incident.inputs_of_fact or subgroup) else ""
    there = part if subgroup is None else f" where {printable(str(subgroup))}"
    watch = "" if incident.watch == FACT_WATCH else f": {watch_title(incident.scored_by)}"
    groups = (
        ("worst", f"Worst{watch}{there}", incident_rows.worst),
        ("typical", f"Typical of the window{part}", incident_rows.typical),
        ("baseline", f"Typical of the baseline{part}", incident_rows.baseline),
    )
    inputs = _inputs(incident, incident_rows)[:most]
    return rows_groups(groups, incident_rows, inputs, zone, incident.scored_by)


def _inputs(incident: IncidentRecord, incident_rows: IncidentRows) -> tuple[str, ...]:
    """The inputs of tables in their order: those that moved, that of the slice, then the others."""
    names = [feature.name for feature in incident_rows.spec.features]
    subgroup = incident.detail.subgroup
    chosen = () if subgroup is None else (condition.input for condition in subgroup.conditions)
    first = [
        *chosen,
        *(drift.input for drift in incident.detail.inputs),
        incident.slice.partition("=")[0],
        *incident.inputs_of_fact,
    ]
    ordered = dict.fromkeys([*(name for name in first if name in names), *names])
    return tuple(name for name in ordered if name not in incident_rows.texts)
