"""The page of one incident: its cause, its evidence and harm since, what moved with it, its rows, its history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from monitoring.config import MonitorConfig
from monitoring.config.action_section import ActionSection
from monitoring.config.routes import AlertmanagerRoute, PagerDutyRoute, RouteSection
from monitoring.dashboard.deployment.notifications import outbox_table, receivers_of
from monitoring.dashboard.incident.relation import relation_chart
from monitoring.dashboard.stores.stores import StoredDeployment, existing
from monitoring.dashboard.view.charts import evidence_chart, watch_chart, window_address
from monitoring.dashboard.view.history import DeploymentHistory, Drawn, HistoryRange, read_history, with_scores
from monitoring.dashboard.view.table import TABLE_ROWS, ChartView, TableView, cell
from monitoring.dashboard.view.words import Figure, name_of, next_step, zone_words
from monitoring.documents.deployment import deployment_document
from monitoring.notifications.notification import Notification, link_of
from monitoring.records import FACT_WATCH, JUDGED_AGAIN, ActionKind, IncidentRecord, Subgroup, WatchKey
from monitoring.reports.charts.marks import STRIP_WINDOWS
from monitoring.reports.sections.formatting import format_count, format_evidence, format_moment, format_window
from monitoring.reports.sections.incidents import action_text, remarks
from monitoring.sentences.incident_text import incident_text
from monitoring.store.notifications import OutboxEvent
from monitoring.store.overview import DeploymentSummary
from monitoring.watches.descriptions import (
    LONGEST_MESSAGE,
    NOTHING,
    format_amount,
    format_change,
    format_value,
    lower_first,
    printable,
    slice_title,
    watch_title,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """One of these systems: its route, the address of the incident there or empty, and by what it is found."""

    route: str
    href: str
    words: str


def receivers(
    routes: Sequence[RouteSection], incident: IncidentRecord, summary: DeploymentSummary
) -> tuple[Receiver, ...]:
    """The systems that keep incidents of their own."""
    result = []
    for route in routes:
        key, words, href = _key(incident, summary), "", ""
        if isinstance(route, AlertmanagerRoute):
            href, words = _alert(route.url, incident, summary), f"incident={incident.number}"
        elif isinstance(route, PagerDutyRoute):
            words = f"alert key {key}"
        if route.incident_url is not None:
            numbered = link_of(route.incident_url, deployment=summary.number, incident=incident.number)
            href = str(numbered).replace("{key}", key)
        if words or href:
            result.append(Receiver(route=printable(route.redacted_address), href=href, words=words))
    return tuple(result)


def _alert(url: str, incident: IncidentRecord, summary: DeploymentSummary) -> str:
    """The address of an alert in Alertmanager's own pages."""
    labels = {"alertname": "ModelIncident", "deployment_id": str(summary.number), "incident": str(incident.number)}
    matchers = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{url}/#/alerts?silenced=true&inhibited=true&filter={quote('{' + matchers + '}')}"


def _key(incident: IncidentRecord, summary: DeploymentSummary) -> str:
    deployment = deployment_document(summary.record, summary.number)
    return Notification(event="", state=incident.state, incident=incident, deployment=deployment).key


#: Windows before the alarm that its page shows.
WINDOWS_BEFORE = 2 * STRIP_WINDOWS

#: Windows from the alarm on that its page shows, at most.
WINDOWS_AFTER = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """Everything that the page of an incident shows.

    `can` has the kinds of actions whose buttons are there; `runs` the actions of the config, with what they do.
    """

    address: str
    parent: str
    name: str
    number: int
    level: str
    state: str
    title: str
    window: str
    window_href: str
    next_step: str
    sentences: tuple[str, ...]
    figures: tuple[Figure, ...]
    charts: tuple[ChartView, ...]
    relation: ChartView | None
    inputs: TableView | None
    slices: TableView | None
    rows: TableView | None
    history: TableView
    actions: TableView | None
    notifications: TableView | None
    receivers: tuple[Receiver, ...]
    remarks: tuple[str, ...]
    owner: str
    can: frozenset[ActionKind]
    runs: tuple[tuple[str, str], ...]
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        optional = (
            self.notifications,
            self.actions,
            self.inputs,
            self.slices,
            self.rows,
            *(chart.table for chart in (*self.charts, self.relation) if chart is not None),
        )
        return (self.history, *(table for table in optional if table is not None))


def read_incident(deployment: StoredDeployment, number: int, *, whole: bool = False) -> IncidentView:
    """The view of an incident."""
    store = deployment.store
    same = next((incident for incident in store.incidents.read(deployment.number) if incident.number == number), None)
    incident = existing("incident", same, str(number))
    until = incident.window_start + WINDOWS_AFTER * (incident.window_end - incident.window_start)
    near = store.windows.recent(deployment.number, latest=WINDOWS_AFTER, before=until)
    after = sum(window.start >= incident.window_start for window in near)
    extent = HistoryRange(latest=WINDOWS_BEFORE + after, before=until, table_rows=None if whole else TABLE_ROWS)
    drawn = Drawn(watches=("error", incident.watch, f"estimated_{incident.watch}"), part=incident.slice)
    history = with_scores(store, read_history(store, deployment.summary, extent), extent, drawn)
    outbox = store.outbox.read(deployment.number, number)
    return incident_view(incident, history, deployment.address, deployment.clock(), deployment.config, outbox)


def incident_view(
    incident: IncidentRecord,
    history: DeploymentHistory,
    parent: str,
    now: datetime,
    config: MonitorConfig | None = None,
    outbox: Sequence[OutboxEvent] = (),
) -> IncidentView:
    """The page of an incident."""
    zone, said = history.zone, incident_text(incident)
    watch = watch_chart(history, WatchKey(watch=incident.watch, slice=incident.slice), parent)
    return IncidentView(
        address=f"{parent}/incidents/{incident.number}",
        parent=parent,
        name=printable(name_of(history.summary)),
        number=incident.number,
        level=incident.level,
        state=incident.state,
        title=said.line,
        window=format_window(incident.window_start, incident.window_end, zone),
        window_href=window_address(incident.window_start, parent),
        next_step=next_step(said),
        sentences=tuple(printable(text, LONGEST_MESSAGE).strip() for text in said.texts),
        figures=_figures(incident, history),
        charts=tuple(chart for chart in (watch, evidence_chart(history, parent)) if chart is not None),
        relation=relation_chart(incident.detail.relation),
        inputs=_inputs(incident),
        slices=_slices(incident),
        rows=_rows(incident, history),
        history=_history(incident, history),
        actions=_actions(incident, history),
        remarks=remarks(incident, now, zone),
        owner=printable(incident.owner),
        can=possible(incident),
        runs=() if config is None else tuple((action.name, _purpose(action)) for action in config.action),
        notifications=_notifications(outbox, config, parent, zone),
        receivers=() if config is None else receivers(config.notify, incident, history.summary),
        timezone=zone_words(history.summary),
    )


def _notifications(
    outbox: Sequence[OutboxEvent], config: MonitorConfig | None, parent: str, zone: ZoneInfo
) -> TableView | None:
    return outbox_table(outbox[::-1], receivers_of(config), parent, zone, len(outbox)) if outbox else None


def _purpose(action: ActionSection) -> str:
    """What an action does, in a sentence."""
    if action.command is not None:
        return f"Runs {printable(action.command[0])} on the machine of this dashboard."
    file = "" if action.model_config_file is None else action.model_config_file.name
    return f"Moves the label {printable(action.label or '')} in {printable(file)} to the version before this one."


def possible(incident: IncidentRecord) -> frozenset[ActionKind]:
    """What a person can do with an incident."""
    kinds: set[ActionKind] = {"assign", "note"}
    if incident.state != "closed":
        kinds |= {"snooze", "close"}
        if incident.acknowledged_at is None:
            kinds.add("acknowledge")
    elif incident.closed_from not in ("", JUDGED_AGAIN):
        kinds.add("reopen")
    return frozenset(kinds)


def _figures(incident: IncidentRecord, history: DeploymentHistory) -> tuple[Figure, ...]:
    after = [window for window in history.windows if _concerns(incident, window.start)]
    record = history.summary.record
    threshold = record.page_threshold if incident.level == "page" else record.notice_threshold
    logs = [window.page_log_evidence if incident.level == "page" else window.notice_log_evidence for window in after]
    figures = []
    if incident.watch == FACT_WATCH:
        figures.append(Figure(title="Opened by", text="a fact", beside="at once, whatever the evidence"))
    elif incident.detail.subgroup is not None:
        figures += _subgroup(incident.detail.subgroup)
    elif logs:
        figures.append(
            Figure(
                title=f"{incident.level.capitalize()} evidence when it opened",
                text=format_evidence(logs[0]),
                beside=f"threshold {threshold:,.0f}",
                alarm=incident.level == "page" and incident.state != "closed",
            )
        )
    figures += [
        *_departure(incident, history),
        *_harm(incident, history),
        Figure(
            title="Windows since" if incident.closed_at is None else "Windows until it closed",
            text=f"{len(after):,}" if len(after) < WINDOWS_AFTER else f"{WINDOWS_AFTER:,} or more",
            beside=f"closed {format_moment(incident.closed_at, history.zone)}" if incident.closed_at else "still open",
        ),
        Figure(
            title="Acknowledged",
            text=format_moment(incident.acknowledged_at, history.zone),
            beside=_acknowledged_by(incident),
        ),
    ]
    return tuple(figures)


def _subgroup(subgroup: Subgroup) -> tuple[Figure, ...]:
    """By how much a subgroup rose, and by how much the other rows did."""
    return (
        Figure(
            title=f"Rise of {lower_first(watch_title(subgroup.watch))} there",
            text=format_change(subgroup.watch, subgroup.rise),
            beside=f"of {subgroup.rows:,} rows that did not choose the subgroup; p = {subgroup.p_value:.2g}",
        ),
        Figure(
            title="In all other rows", text=format_change(subgroup.watch, subgroup.others), beside="since the baseline"
        ),
    )


def _acknowledged_by(incident: IncidentRecord) -> str:
    if incident.acknowledged_at is None:
        return "by nobody"
    last = next((action for action in reversed(incident.actions) if action.kind == "acknowledge"), None)
    return "" if last is None else f"by {printable(last.by)}"


def _since(incident: IncidentRecord, history: DeploymentHistory, watch: str, part: str) -> list[tuple[float, int]]:
    """A watch's value and the labels of each window from the alarm to the close."""
    labels = {window.start: window.labels for window in history.windows}
    return [
        (value, labels.get(start, 0))
        for start, value in history.scores.points(WatchKey(watch=watch, slice=part))
        if _concerns(incident, start)
    ]


def _concerns(incident: IncidentRecord, start: datetime) -> bool:
    """Whether a window that begins at a time lies between the one that opened an incident and its close."""
    return start >= incident.window_start and (incident.closed_at is None or start < incident.closed_at)


def _departure(incident: IncidentRecord, history: DeploymentHistory) -> tuple[Figure, ...]:
    baseline = next(
        (score for score in history.baseline if (score.watch, score.slice) == (incident.watch, incident.slice)), None
    )
    points = _since(incident, history, incident.watch, incident.slice)
    if baseline is None or not points:
        return ()
    mean = math.fsum(value for value, _ in points) / len(points)
    return (
        Figure(
            title=f"{watch_title(incident.watch)} since",
            text=format_value(incident.watch, mean),
            beside=f"baseline {format_value(incident.watch, baseline.mean)}, "
            f"tolerance {format_amount(incident.watch, baseline.tolerance)}",
        ),
    )


def _harm(incident: IncidentRecord, history: DeploymentHistory) -> tuple[Figure, ...]:
    """Errors beyond what the baseline promised, since the alarm."""
    baseline = next((score for score in history.baseline if (score.watch, score.slice) == ("error", "")), None)
    points = _since(incident, history, "error", "")
    if baseline is None or not points:
        return ()
    extra = math.fsum((value - baseline.mean) * labels for value, labels in points)
    since = "since" if len(points) < WINDOWS_AFTER else f"in {WINDOWS_AFTER} windows"
    return (
        Figure(
            title="Errors beyond the baseline",
            text=f"{extra:,.0f}".replace("-", "\N{MINUS SIGN}"),
            beside=f"of {sum(labels for _, labels in points):,} labelled predictions {since}",
        ),
    )


def _inputs(incident: IncidentRecord) -> TableView | None:
    inputs = incident.detail.inputs
    if not inputs:
        return None
    return TableView(
        name="inputs",
        title="Inputs that drifted since the onset",
        columns=("Input", "Effect", "Explains of the rise"),
        rows=tuple(
            (
                cell(printable(drift.input), style="text"),
                cell(NOTHING if drift.change is None else f"{drift.change:,.1f}", drift.change),
                cell(NOTHING if drift.explained is None else f"{100 * drift.explained:.0f} %", drift.explained),
            )
            for drift in inputs
        ),
        numeric=frozenset({1, 2}),
        note="What explains the loss first, then the largest change. Effect: the mean since the onset less the "
        "baseline's, in its standard deviations, of the watch that moved most.",
    )


def _slices(incident: IncidentRecord) -> TableView | None:
    parts = sorted(incident.detail.parts, key=lambda part: -abs(part.total))
    if not parts:
        return None
    return TableView(
        name="parts",
        title="Where the change comes from",
        columns=("Slice", "Metric", "Its share of rows", "Its own loss", "Together"),
        rows=tuple(
            (
                cell(slice_title(part.slice), style="text"),
                cell(watch_title(part.metric)),
                cell(format_change(part.metric, part.mix), part.mix),
                cell(format_change(part.metric, part.loss), part.loss),
                cell(format_change(part.metric, part.total), part.total),
            )
            for part in parts
        ),
        numeric=frozenset({2, 3, 4}),
        note="Contributions of each slice to the change of the mean over all labelled rows.",
    )


def _rows(incident: IncidentRecord, history: DeploymentHistory) -> TableView | None:
    rows = incident.detail.rows
    if not rows:
        return None
    return TableView(
        name="rows",
        title="Rows to look at first",
        columns=("Prediction", "Event time", f"Score ({watch_title(incident.scored_by)})"),
        rows=tuple(
            (
                cell(printable(row.prediction_id), style="id"),
                cell(format_moment(row.event_time, history.zone), row.event_time, style="when"),
                cell(format_value(incident.scored_by, row.score), row.score),
            )
            for row in rows
        ),
        numeric=frozenset({2}),
        note=f"{format_count(len(rows), 'row')} with the largest scores of the windows "
        f"{'that were searched, in the subgroup' if incident.detail.subgroup else 'since the onset'}.",
    )


def _actions(incident: IncidentRecord, history: DeploymentHistory) -> TableView | None:
    if not incident.actions:
        return None
    return TableView(
        name="actions",
        title="What people did",
        columns=("Time", "Who", "What"),
        rows=tuple(
            (
                cell(format_moment(action.at, history.zone), action.at, style="when"),
                cell(printable(action.by), style="text"),
                cell(action_text(action, history.zone), style="text"),
            )
            for action in reversed(incident.actions)
        ),
    )


def _history(incident: IncidentRecord, history: DeploymentHistory) -> TableView:
    return TableView(
        name="history",
        title="History",
        columns=("Time", "State"),
        rows=tuple(
            (cell(format_moment(event.at, history.zone) or NOTHING, event.at), cell(event.state))
            for event in reversed(incident.history)
        ),
    )
