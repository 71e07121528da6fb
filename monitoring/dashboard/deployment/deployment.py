"""The page of one deployment: how it stands, its loss, its evidence, what moved, and what would be noticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.asking.waiting import rows_without_label
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
from monitoring.deployment.data_dictionary import column_notes
from monitoring.evidence.budget import finite_evidence
from monitoring.records import EstimateRecord, IncidentRecord
from monitoring.records.incident_order import by_cause
from monitoring.reports.sections.estimates import METHODS
from monitoring.reports.sections.formatting import format_count, format_evidence, format_moment, window_name
from monitoring.reports.sections.incidents import counted_anew, remarks
from monitoring.reports.sections.inputs import inputs_of
from monitoring.reports.sections.sensitivity import sensitivity_rows
from monitoring.sentences.incident_text import cause_line, incident_text
from monitoring.store.overview import RecentHistory
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


def versions_table(versions: Sequence[tuple[Entry, RecentHistory]], number: int, now: datetime) -> TableView | None:
    """The deployments of one model. Returns the table; None where there is only one."""
    if len(versions) < 2:
        return None
    return TableView(
        name="versions",
        title="Versions of this model",
        columns=(
            *("Deployment", "State", "Loss", "", "Against baseline", "Page evidence", "Judged until", "First run"),
            *("Pages at most", "Settings"),
        ),
        rows=tuple(_row(entry, history, number, now) for entry, history in versions),
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
    unlabelled: int

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        optional = (
            self.slices,
            self.metrics,
            self.sensitivity,
            self.settings,
            self.versions,
            *(chart.table for chart in (*self.charts, *self.inputs)),
        )
        tables = (table for table in optional if table is not None)
        return (self.incidents, self.coverage, *tables)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreTables:
    """What the page of a deployment shows besides its history.

    Attributes:
        settings: Every setting; None without a config.
        versions: The deployments of the same model; None where there is one only.
        unread: Why its config cannot be read; empty where it can.
        unlabelled: How many rows people are asked to label.
    """

    configuration: tuple[tuple[str, str], ...] = ()
    settings: TableView | None = None
    versions: TableView | None = None
    unread: str = ""
    unlabelled: int = 0


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
        configuration=settings_of(config),
        settings=settings_table(config),
        versions=read_versions(deployment),
        unread=deployment.unread,
        unlabelled=rows_without_label(config, deployment.clock()),
    )
    return deployment_view(history, deployment.address, deployment.clock(), more)


def deployment_view(
    history: DeploymentHistory, address: str, now: datetime, more: MoreTables = _NOTHING_MORE
) -> DeploymentView:
    """The page of a deployment."""
    summary, zone = history.summary, history.zone
    how = standing(summary, now, more.unread)
    first = next((incident for incident in summary.incidents if incident.number == how.incident), None)
    record = summary.record
    return DeploymentView(
        address=address,
        name=printable(name_of(summary)),
        version=record.version,
        standing=how,
        next_step="" if first is None else next_step(incident_text(first)),
        figures=_figures(history, now),
        charts=(
            *loss_charts(history, address),
            *(view for chart in (evidence_chart, labels_chart) if (view := chart(history, address)) is not None),
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
        unlabelled=more.unlabelled,
    )


def incident_table(incidents: tuple[IncidentRecord, ...], address: str, now: datetime, zone: ZoneInfo) -> TableView:
    """Incidents, in the order of every view."""
    return TableView(
        name="incidents",
        title="Incidents",
        columns=("Incident", "Level", "State", "Since", "Cause", "Closed"),
        rows=tuple(
            (
                cell(f"#{incident.number}", incident.number, href=f"{address}/incidents/{incident.number}"),
                cell(incident.level, style=incident.level if incident.state != "closed" else "quiet"),
                cell(", ".join((incident.state, *remarks(incident, now, zone))), incident.state),
                cell(format_moment(incident.window_start, zone), incident.window_start, style="when"),
                cell(cause_line(incident), style="text"),
                cell(format_moment(incident.closed_at, zone), incident.closed_at, style="when"),
            )
            for incident in by_cause(incidents, now)
        ),
    )


def _figures(history: DeploymentHistory, now: datetime) -> tuple[Figure, ...]:
    record, zone = history.summary.record, history.zone
    losses = headline_losses(history.last_scores, history.baseline)
    figures = [*map(_loss_figure, losses)] or [Figure(title="Loss", text=NOTHING, beside="not scored yet")]
    if history.windows:
        last = history.windows[-1]
        share = coverage(history.windows[-30:])
        page_open = any(one.level == "page" and one.closed_at is None for one in history.incidents)
        anew = counted_anew(last.page_log_evidence, record.page_threshold, page_open=page_open)
        figures += [
            Figure(
                title="Page evidence",
                text=format_evidence(last.page_log_evidence),
                beside=f"threshold {record.page_threshold:,.0f}{', counted anew since the page' if anew else ''}",
                alarm=finite_evidence(last.page_log_evidence) >= record.page_threshold,
            ),
            Figure(
                title="Labels, last 30 windows",
                text=NOTHING if share is None else f"{100 * share:.0f} %",
                beside="of those due",
            ),
            Figure(title="Judged until", text=format_moment(last.end, zone), beside=f"{last.rows:,} rows in the last"),
        ]
    figures.append(Figure(title="Last run", text=ago(now - history.summary.used_at)))
    return tuple(figures)


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
    last = next((window for window in reversed(history.last) if window.measured), None)
    table = None if last is None else metric_table(last.measured, history.measured)
    if last is None or table is None:
        return None
    title = f"Metrics, {window_name(last, history.zone)}"
    return replace(table, title=title)


def _slices(history: DeploymentHistory) -> TableView | None:
    whole = headline_loss(history.last_scores, history.baseline)
    if whole is None:
        return None
    parts = sorted(
        {
            score.slice
            for window in history.last
            for score in window.scores
            if score.watch == whole.watch and score.slice
        }
    )
    views = [
        (part, view)
        for part in parts
        if (view := watch_view(whole.watch, history.last_scores, history.baseline, part)) is not None
    ]
    if not views:
        return None
    views.sort(key=lambda item: -_rise(item[1]))
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
                cell(f"{format_value(view.watch, view.value.low)} to {format_value(view.watch, view.value.high)}"),
            )
            for part, view in views
        ),
        numeric=frozenset({2, 3, 4}),
        note="Mean of the last 7 windows with its 95 % interval; the band is the baseline ± one standard deviation.",
    )


def _rise(view: LossView) -> float:
    return view.value.mean - (view.value.mean if view.baseline is None else view.baseline.mean)


def _sensitivity(history: DeploymentHistory) -> TableView | None:
    sensitivity = sensitivity_rows(history.sensitivity)
    if not sensitivity.rows:
        return None
    return TableView(
        name="sensitivity",
        title="What would be noticed",
        columns=("Rise of", *(format_count(horizon, "window") for horizon in sensitivity.horizons)),
        rows=tuple((cell(name), *map(cell, cells)) for name, cells in sensitivity.rows),
        numeric=frozenset(range(1, len(sensitivity.horizons) + 1)),
        note="The smallest rise of a loss that is detected within so many windows, in 9 of 10 simulated streams.",
    )


def _coverage(history: DeploymentHistory) -> TableView:
    windows = history.windows
    rows = (
        ("Rows seen", sum(window.rows for window in windows)),
        ("Rows answered but not seen", sum(window.unseen for window in windows)),
        ("Duplicate rows, dropped", sum(window.repeats for window in windows)),
        ("Labels due", sum(window.labels_due for window in windows)),
        ("Labels arrived", sum(window.labels for window in windows)),
        ("Labels of unknown predictions", sum(window.labels_unknown for window in windows)),
        ("Labels that contradict an earlier one", sum(window.labels_conflicting for window in windows)),
        ("Windows with too few rows", sum(window.status == "thin" for window in windows)),
    )
    return TableView(
        name="coverage",
        title="Coverage",
        columns=("What the monitor has read", "Count"),
        rows=tuple((cell(name), cell(f"{number:,}", number)) for name, number in rows),
        numeric=frozenset({1}),
        note=f"Of the {format_count(len(windows), 'window')} shown.",
    )


def _estimates(estimates: tuple[EstimateRecord, ...]) -> tuple[str, ...]:
    """The loss estimated without labels in the last window, and whether it is trusted: a sentence each."""
    return tuple(
        f"Estimated {lower_first(metric_title(estimate.metric))} without labels "
        f"({METHODS.get(estimate.method, estimate.method)}): {format_value(estimate.metric, estimate.value)}, 90 % "
        f"interval {format_value(estimate.metric, estimate.low)} to {format_value(estimate.metric, estimate.high)}; "
        f"{'trusted' if estimate.interval_checks.trusted else 'not trusted'}, {estimate.interval_checks.misses:,} of "
        f"{format_count(estimate.interval_checks.checks, 'interval')} missed the realised loss."
        for estimate in estimates
        if estimate.value is not None
    )
