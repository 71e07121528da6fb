"""The page of one deployment: how it stands, its loss, its evidence, what moved, and what would be noticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.dashboard.deployment.inputs import FIRST_INPUTS, input_charts
from monitoring.dashboard.deployment.settings import settings_of, settings_table
from monitoring.dashboard.deployment.window import metric_table
from monitoring.dashboard.overview.overview import overview_row, recent_histories
from monitoring.dashboard.stores.roster import Entry, entry_of
from monitoring.dashboard.stores.standing import Standing, standing
from monitoring.dashboard.stores.stores import StoredDeployment
from monitoring.dashboard.view.charts import evidence_chart, labels_chart, loss_charts, loss_watches
from monitoring.dashboard.view.history import DeploymentHistory, Drawn, HistoryRange, read_history, with_scores
from monitoring.dashboard.view.loss import LossView, headline_loss, headline_losses, watch_view
from monitoring.dashboard.view.requests import WINDOWS_SHOWN
from monitoring.dashboard.view.table import Cell, ChartView, TableView, cell
from monitoring.dashboard.view.words import Figure, ago, coverage, name_of, next_step, zone_words
from monitoring.jobs.data_dictionary import column_notes
from monitoring.records import EstimateRecord, IncidentRecord
from monitoring.reports.sections.estimates import METHODS
from monitoring.reports.sections.formatting import (
    finite_evidence,
    format_count,
    format_evidence,
    format_moment,
    window_name,
)
from monitoring.reports.sections.incidents import remarks
from monitoring.reports.sections.inputs import inputs_of
from monitoring.reports.sections.sensitivity import sensitivity_rows
from monitoring.store.overview import RecentHistory
from monitoring.watches.cause_line import cause_line
from monitoring.watches.descriptions import NOTHING, format_value, lower_first, metric_title, printable, slice_title

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentView:
    """Everything that the page of a deployment shows; `address` is its path."""

    address: str
    name: str
    version: int
    standing: Standing
    next_step: str
    figures: tuple[Figure, ...]
    charts: tuple[ChartView, ...]
    inputs: tuple[ChartView, ...]
    slices: TableView | None
    metrics: TableView | None
    incidents: TableView
    sensitivity: TableView | None
    coverage: TableView
    estimates: tuple[str, ...]
    configuration: tuple[tuple[str, str], ...]
    settings: TableView | None
    versions: TableView | None
    shown: int
    judged: int
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        optional = (
            self.slices,
            self.metrics,
            self.sensitivity,
            self.settings,
            self.versions,
            *(one.table for one in (*self.charts, *self.inputs)),
        )
        found = (table for table in optional if table is not None)
        return (self.incidents, self.coverage, *found)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreTables:
    """What the page of a deployment shows besides its history.

    Attributes:
        configuration: The settings in force, by name, as far as they are not in the store.
        settings: Every setting; None without a config.
        versions: The deployments of the same model; None where there is one only.
    """

    configuration: tuple[tuple[str, str], ...] = ()
    settings: TableView | None = None
    versions: TableView | None = None


_NOTHING_MORE = MoreTables()


def read_deployment(
    deployment: StoredDeployment, latest: int = WINDOWS_SHOWN, *, whole: bool = False
) -> DeploymentView:
    """The view of a deployment."""
    store, extent, config = deployment.store, HistoryRange.of(latest, whole=whole), deployment.config
    history = read_history(store, deployment.summary, extent)
    worst = inputs_of(history.last, history.baseline, column_notes(config))[:FIRST_INPUTS]
    history = with_scores(store, history, extent, Drawn(watches=loss_watches(history), inputs=worst))
    more = MoreTables(
        configuration=settings_of(config), settings=settings_table(config), versions=read_versions(deployment)
    )
    return deployment_view(history, deployment.address, deployment.clock(), more)


def deployment_view(
    history: DeploymentHistory, address: str, now: datetime, more: MoreTables = _NOTHING_MORE
) -> DeploymentView:
    """The page of a deployment."""
    summary, zone = history.summary, history.zone
    how = standing(summary, now)
    first = next((one for one in summary.incidents if one.number == how.incident), None)
    record = summary.record
    return DeploymentView(
        address=address,
        name=printable(name_of(summary)),
        version=record.version,
        standing=how,
        next_step="" if first is None else next_step(first),
        figures=_figures(history, now),
        charts=(
            *loss_charts(history, address),
            *(one for chart in (evidence_chart, labels_chart) if (one := chart(history, address)) is not None),
        ),
        inputs=input_charts(history, address),
        slices=_slices(history),
        metrics=_metrics(history),
        incidents=incident_table(history.incidents, address, now, zone),
        sensitivity=_sensitivity(history),
        coverage=_coverage(history),
        estimates=_estimates(history.last[-1].estimates if history.last else ()),
        configuration=(
            ("Pages at most", printable(record.page_budget)),
            ("Notices at most", printable(record.notice_budget)),
            ("Page threshold", f"{record.page_threshold:,.0f}"),
            ("Notice threshold", f"{record.notice_threshold:,.0f}"),
            ("Time zone", printable(record.timezone)),
            *more.configuration,
            ("First run", format_moment(record.created_at, zone)),
            ("Settings digest", record.settings_digest[:12]),
        ),
        settings=more.settings,
        versions=more.versions,
        shown=len(history.windows),
        judged=history.judged,
        timezone=zone_words(summary),
    )


def incident_table(incidents: tuple[IncidentRecord, ...], address: str, now: datetime, zone: ZoneInfo) -> TableView:
    """Incidents, open ones first, then the newest."""
    ordered = sorted(incidents, key=lambda one: (one.state == "closed", one.level != "page", -one.number))
    return TableView(
        name="incidents",
        title="Incidents",
        columns=("Incident", "Level", "State", "Since", "Cause", "Closed"),
        rows=tuple(
            (
                cell(f"#{one.number}", one.number, href=f"{address}/incidents/{one.number}"),
                cell(one.level, style=one.level if one.state != "closed" else "quiet"),
                cell(", ".join((one.state, *remarks(one, now, zone))), one.state),
                cell(format_moment(one.window_start, zone), one.window_start, style="when"),
                cell(cause_line(one), style="text"),
                cell(format_moment(one.closed_at, zone), one.closed_at, style="when"),
            )
            for one in ordered
        ),
    )


def _figures(history: DeploymentHistory, now: datetime) -> tuple[Figure, ...]:
    record, zone = history.summary.record, history.zone
    losses = headline_losses(history.last_scores, history.baseline)
    found = [*map(_loss_figure, losses)] or [Figure(title="Loss", text=NOTHING, beside="not scored yet")]
    if history.windows:
        last = history.windows[-1]
        share = coverage(history.windows[-30:])
        found += [
            Figure(
                title="Page evidence",
                text=format_evidence(last.page_log_evidence),
                beside=f"threshold {record.page_threshold:,.0f}",
                alarm=finite_evidence(last.page_log_evidence) >= record.page_threshold,
            ),
            Figure(
                title="Labels, last 30 windows",
                text=NOTHING if share is None else f"{100 * share:.0f} %",
                beside="of those due",
            ),
            Figure(title="Judged until", text=format_moment(last.end, zone), beside=f"{last.rows:,} rows in the last"),
        ]
    found.append(Figure(title="Last run", text=ago(now - history.summary.used_at)))
    return tuple(found)


def _loss_figure(loss: LossView) -> Figure:
    baseline = loss.baseline
    alarm = baseline is not None and loss.value.low > baseline.mean + baseline.tolerance
    return Figure(
        title=f"{loss.title}, last {format_count(loss.windows, 'window')}",
        text=loss.text,
        beside=f"baseline {loss.against}" if baseline is not None else "",
        alarm=alarm,
    )


def _metrics(history: DeploymentHistory) -> TableView | None:
    """The metrics of the last window in which a label arrived."""
    last = next((one for one in reversed(history.last) if one.measured), None)
    found = None if last is None else metric_table(last.measured, history.measured)
    if last is None or found is None:
        return None
    title = f"Metrics, {window_name(last, history.zone)}"
    return replace(found, title=title)


def _slices(history: DeploymentHistory) -> TableView | None:
    whole = headline_loss(history.last_scores, history.baseline)
    if whole is None:
        return None
    parts = sorted(
        {one.slice for window in history.last for one in window.scores if one.watch == whole.watch and one.slice}
    )
    found = [
        (part, view)
        for part in parts
        if (view := watch_view(whole.watch, history.last_scores, history.baseline, part)) is not None
    ]
    if not found:
        return None
    found.sort(key=lambda one: -_rise(one[1]))
    return TableView(
        name="slices",
        title=f"{whole.title} by slice",
        columns=("Slice", "", whole.title, "Baseline", "95 % interval"),
        rows=tuple(
            (
                cell(slice_title(part)),
                Cell(text="", drawing=view.mark),
                cell(view.text, view.value.mean),
                cell(view.against, None if view.baseline is None else view.baseline.mean),
                cell(
                    f"{format_value(view.watch, view.value.low)} to {format_value(view.watch, view.value.high)}",
                ),
            )
            for part, view in found
        ),
        numeric=frozenset({2, 3, 4}),
        note="Mean of the last 7 windows with its 95 % interval; the band is the baseline ± one standard deviation.",
    )


def _rise(view: LossView) -> float:
    return view.value.mean - (view.value.mean if view.baseline is None else view.baseline.mean)


def _sensitivity(history: DeploymentHistory) -> TableView | None:
    found = sensitivity_rows(history.sensitivity)
    if not found.rows:
        return None
    return TableView(
        name="sensitivity",
        title="What would be noticed",
        columns=("Rise of", *(format_count(one, "window") for one in found.horizons)),
        rows=tuple((cell(name), *map(cell, cells)) for name, cells in found.rows),
        numeric=frozenset(range(1, len(found.horizons) + 1)),
        note="The smallest rise of a loss that is detected within so many windows, in 9 of 10 simulated streams.",
    )


def _coverage(history: DeploymentHistory) -> TableView:
    windows = history.windows
    rows = (
        ("Rows seen", sum(one.rows for one in windows)),
        ("Rows answered but not seen", sum(one.unseen for one in windows)),
        ("Duplicate rows, dropped", sum(one.repeats for one in windows)),
        ("Labels due", sum(one.labels_due for one in windows)),
        ("Labels arrived", sum(one.labels for one in windows)),
        ("Labels of unknown predictions", sum(one.labels_unknown for one in windows)),
        ("Labels that contradict an earlier one", sum(one.labels_conflicting for one in windows)),
        ("Windows with too few rows", sum(one.status == "thin" for one in windows)),
    )
    return TableView(
        name="coverage",
        title="Coverage",
        columns=("What the monitor has read", "Count"),
        rows=tuple((cell(name), cell(f"{number:,}", number)) for name, number in rows),
        numeric=frozenset({1}),
        note=f"Of the {format_count(len(windows), 'window')} shown.",
    )


def _estimates(found: tuple[EstimateRecord, ...]) -> tuple[str, ...]:
    """The loss estimated without labels in the last window, and whether it is trusted: a sentence each."""
    return tuple(
        f"Estimated {lower_first(metric_title(one.metric))} without labels "
        f"({METHODS.get(one.method, one.method)}): {format_value(one.metric, one.value)}, 90 % interval "
        f"{format_value(one.metric, one.low)} to {format_value(one.metric, one.high)}; "
        f"{'trusted' if one.interval_checks.trusted else 'not trusted'}, {one.interval_checks.misses:,} of "
        f"{format_count(one.interval_checks.checks, 'interval')} missed the realised loss."
        for one in found
        if one.value is not None
    )
