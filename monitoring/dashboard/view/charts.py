"""The large charts of the pages: a watch and the evidence by window, each with the table of its data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.dashboard.view.history import HEADLINES, DeploymentHistory
from monitoring.dashboard.view.loss import headline_losses
from monitoring.dashboard.view.table import Cell, ChartView, TableView, cell
from monitoring.evidence.budget import finite_evidence
from monitoring.records import WatchKey, WindowRecord
from monitoring.reports.charts.evidence import evidence_drawing
from monitoring.reports.charts.series import NARROW, WIDE, Band, Series, Size, series_drawing
from monitoring.reports.sections.formatting import format_evidence, window_name
from monitoring.tasks.output_names import first_of_each, split_output
from monitoring.watches.descriptions import format_value, slice_title, watch_title


def loss_charts(history: DeploymentHistory, address: str) -> tuple[ChartView, ...]:
    """The loss of the deployment by window, of each output; none where nothing was scored."""
    losses = [loss.watch for loss in headline_losses(history.last_scores, history.baseline)]
    watches = losses or first_of_each((key.watch for key in history.scores.values), HEADLINES)
    charts = (watch_chart(history, WatchKey(watch=watch), address) for watch in watches)
    return tuple(chart for chart in charts if chart is not None)


def loss_watches(history: DeploymentHistory) -> tuple[str, ...]:
    """The watches that `loss_charts` needs: losses and their estimates, or all of them where none was scored lately."""
    losses = headline_losses(history.last_scores, history.baseline)
    every = (score.watch for score in history.baseline if split_output(score.watch)[1] in HEADLINES)
    return tuple(each for loss in losses for each in (loss.watch, f"estimated_{loss.watch}")) or (*HEADLINES, *every)


def watch_chart(
    history: DeploymentHistory, key: WatchKey, address: str, sizes: tuple[Size, ...] = (WIDE, NARROW)
) -> ChartView | None:
    """A watch by window against its baseline; None where it was not scored in these windows."""
    points = history.scores.points(key)
    if not points or not history.windows:
        return None
    baseline = next((score for score in history.baseline if (score.watch, score.slice) == (key.watch, key.slice)), None)
    title = watch_title(key.watch) + (f" at {slice_title(key.slice)}" if key.slice else "")
    estimated = WatchKey(watch=f"estimated_{key.watch}", slice=key.slice)
    series = Series(
        watch=key.watch,
        title=title,
        times=tuple(at for at, _ in points),
        values=tuple(value for _, value in points),
        since=history.windows[0].start,
        until=history.windows[-1].end,
        band=None if baseline is None else Band(mean=baseline.mean, deviation=baseline.deviation),
        pages=pages_within(history),
        estimated=history.scores.points(estimated),
    )
    band = (
        ""
        if baseline is None
        else f" Band: baseline, {format_value(key.watch, baseline.mean)} ± one standard deviation between windows."
    )
    dashed = " Dashed: the estimate without labels." if series.estimated else ""
    return ChartView(
        name=f"{key.watch}-{key.slice}" if key.slice else key.watch,
        title=f"{title} by window",
        note=f"Dots: windows. Line: mean of 7.{band}{dashed} Diamonds: pages.",
        drawings=tuple(series_drawing(series, size, history.zone) for size in sizes),
        table=_values(series, history, address),
    )


def pages_within(history: DeploymentHistory) -> tuple[datetime, ...]:
    """When the windows that raised a page begin, of those that are shown."""
    since, until = history.windows[0].start, history.windows[-1].end
    pages = (incident.window_start for incident in history.incidents if incident.level == "page")
    return tuple(start for start in pages if since <= start < until)


def evidence_chart(history: DeploymentHistory, address: str) -> ChartView | None:
    """Both levels' evidence by window; None before the first window."""
    if not history.windows:
        return None
    record = history.summary.record
    thresholds = (record.page_threshold, record.notice_threshold)
    return ChartView(
        name="evidence",
        title="Evidence against threshold",
        note="Log scale. Thick: page evidence; thin in its colour: that of losses alone. Thin blue: notice evidence. "
        "Diamond: a page; shaded until it closed.",
        drawings=tuple(
            evidence_drawing(history.windows, thresholds, history.incidents, size, history.zone)
            for size in (WIDE, NARROW)
        ),
        table=windows_table(history.windows, address, history.zone, history.table_rows),
    )


def labels_chart(history: DeploymentHistory, address: str) -> ChartView | None:
    """The share of labels that arrived of those due, by window; None where each comes with its row, or none is due."""
    due = [window for window in history.windows if window.labels_due]
    if all(window.labels == window.labels_due for window in due):
        return None
    series = Series(
        watch="error",  # a share, shown in per cent
        title="Labels that arrived, of those due",
        times=tuple(window.start for window in due),
        values=tuple(window.labels / window.labels_due for window in due),
        since=history.windows[0].start,
        until=history.windows[-1].end,
    )
    rows = tuple(
        (
            window_cell(window, address, history.zone),
            cell(f"{window.labels:,}", window.labels),
            cell(f"{window.labels_due:,}", window.labels_due),
            cell(format_value("error", window.labels / window.labels_due), window.labels / window.labels_due),
        )
        for window in due[::-1][: history.table_rows]
    )
    table = TableView(
        name="labels",
        title="Label arrivals",
        columns=("Window", "Labels that arrived", "Labels due", "Share"),
        rows=rows,
        numeric=frozenset({1, 2, 3}),
        total=len(due),
    )
    note = (
        "Dots: windows. Line: mean of 7. A label counts in the window in which it arrived: late ones are above 100 %."
    )
    return ChartView(
        name="labels",
        title="Label arrivals by window",
        note=note,
        drawings=tuple(series_drawing(series, size, history.zone) for size in (WIDE, NARROW)),
        table=table,
    )


def window_cell(window: WindowRecord, address: str, zone: ZoneInfo) -> Cell:
    """A window with a link to its page."""
    return cell(window_name(window, zone), window.start, href=window_address(window.start, address))


def window_address(start: datetime, address: str) -> str:
    """The path of a window's page."""
    return f"{address}/windows/{start.isoformat().replace('+00:00', 'Z')}"


def _values(series: Series, history: DeploymentHistory, address: str) -> TableView:
    windows = {window.start: window for window in history.windows}
    points = [(at, value) for at, value in zip(series.times, series.values, strict=True) if at in windows]
    rows = [
        (window_cell(windows[at], address, history.zone), cell(format_value(series.watch, value), value))
        for at, value in points[::-1][: history.table_rows]
    ]
    return TableView(
        name=series.watch,
        title=series.title,
        columns=("Window", series.title),
        rows=tuple(rows),
        numeric=frozenset({1}),
        total=len(points),
    )


def windows_table(windows: Sequence[WindowRecord], address: str, zone: ZoneInfo, most: int | None = None) -> TableView:
    """A table of windows, the newest first. `most`: how many rows at most; None: all."""
    return TableView(
        name="windows",
        title="Windows",
        columns=("Window", "Status", "Rows", "Labels", "Labels due", "Page evidence", "Notice evidence"),
        rows=tuple(
            (
                window_cell(window, address, zone),
                cell(window.status, style=window.status),
                cell(f"{window.rows:,}", window.rows),
                cell(f"{window.labels:,}", window.labels),
                cell(f"{window.labels_due:,}", window.labels_due),
                cell(format_evidence(window.page_log_evidence), finite_evidence(window.page_log_evidence)),
                cell(format_evidence(window.notice_log_evidence), finite_evidence(window.notice_log_evidence)),
            )
            for window in windows[::-1][:most]
        ),
        numeric=frozenset(range(2, 7)),
        total=len(windows),
    )
