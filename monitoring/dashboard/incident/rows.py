"""The page of an incident's rows: the worst, typical ones, and typical ones of the baseline, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitoring.dashboard.incident.example_rows import RowsGroup, rows_groups
from monitoring.dashboard.incident.outcomes import NO_CONFIG
from monitoring.dashboard.stores.stores import StoredDeployment
from monitoring.dashboard.view.table import TableView
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.errors import PitfallsError
from monitoring.inspection.incident_rows import IncidentRows, read_incident_rows
from monitoring.records import FACT_WATCH, IncidentRecord
from monitoring.reports.sections.formatting import format_window
from monitoring.sentences.incident_text import cause_line
from monitoring.store.overview import DeploymentSummary
from monitoring.watches.descriptions import printable, slice_title, watch_title

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
    problem: tuple[str, ...]
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        return tuple(group.table for group in self.groups if group.table is not None)


def read_rows(deployment: StoredDeployment, number: int, *, whole: bool = False) -> RowsView:
    """The view of an incident's rows, which are read from the traffic."""
    store, summary, config = deployment.store, deployment.summary, deployment.config
    incident, parent = store.incidents.get(deployment.number, number), deployment.address
    if config is None:
        return rows_view(incident, summary, parent, (NO_CONFIG,))
    try:
        rows = read_incident_rows(config, summary.record.version, incident, deployment.clock)
    except PitfallsError as error:
        return rows_view(incident, summary, parent, tuple(str(error).splitlines()))
    return rows_view(incident, summary, parent, rows, whole=whole)


def rows_view(
    incident: IncidentRecord,
    summary: DeploymentSummary,
    parent: str,
    incident_rows: IncidentRows | tuple[str, ...],
    *,
    whole: bool = False,
) -> RowsView:
    """The page of an incident's rows."""
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
        problem=incident_rows if isinstance(incident_rows, tuple) else (),
        timezone=zone_words(summary),
    )


def _groups(
    incident: IncidentRecord, incident_rows: IncidentRows, zone: ZoneInfo, most: int | None
) -> tuple[RowsGroup, ...]:
    subgroup = incident.detail.subgroup
    part = f" at {slice_title(incident.slice)}" if incident.slice and not (incident.subjects or subgroup) else ""
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
        *incident.subjects,
    ]
    ordered = dict.fromkeys([*(name for name in first if name in names), *names])
    return tuple(name for name in ordered if name not in incident_rows.texts)
