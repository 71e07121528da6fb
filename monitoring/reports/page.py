"""The report page: one self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from monitoring.atomic import write_bytes
from monitoring.records import IncidentRecord, MonitorStatus
from monitoring.records.incident_order import by_cause
from monitoring.reports.charts.comparison import month_chart, slice_chart
from monitoring.reports.charts.drawing import Chart
from monitoring.reports.charts.estimates import estimate_charts
from monitoring.reports.charts.evidence import evidence_chart
from monitoring.reports.charts.incident_span import span_drawing
from monitoring.reports.charts.inputs import input_charts
from monitoring.reports.charts.label_delays import arrival_charts
from monitoring.reports.charts.losses import loss_charts
from monitoring.reports.sections.benchmark import Benchmark, benchmark_interval
from monitoring.reports.sections.formatting import format_count, format_evidence, format_moment, format_window
from monitoring.reports.sections.headline import headline
from monitoring.reports.sections.incidents import counted_anew, pages_of, remarks
from monitoring.reports.sections.months import SliceSeries, loss_series, metrics_of, whole_series
from monitoring.reports.sections.sensitivity import sensitivity_rows, unwatched_losses
from monitoring.reports.sections.tables import (
    COLUMNS,
    drill_rows,
    drill_sentence,
    finding_groups,
    labels_by_output,
    metric_rows,
    watch_rows,
)
from monitoring.sentences.incident_text import incident_text
from monitoring.watches.descriptions import metric_title, printable, slice_title, watch_title

if TYPE_CHECKING:
    from jinja2 import Environment

#: The page may run nothing and load nothing: only its own style sheet, by its digest.
POLICY = "default-src 'none'; style-src '{style}'; base-uri 'none'; form-action 'none'"

#: Closed incidents that are listed at most, the newest; those that are not closed are all listed.
MOST_CLOSED = 50


def write_page(
    status: MonitorStatus,
    *,
    path: Path,
    benchmark: Benchmark | None = None,
    slices: tuple[SliceSeries, ...] = (),
    drift_report: Path | None = None,
) -> None:
    """Write the report as one self-contained HTML file, of some 300 KB for a year of days and forty watches.

    The page sends no request and has no script; whatever came from traffic is escaped. The file is replaced atomically.

    Args:
        drift_report: A drift report to link to, relative to `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = page_text(status, benchmark=benchmark, slices=slices, link=_link(drift_report, path))
    write_bytes(path, text.encode("utf-8", "replace"), durable=False)


def page_text(status: MonitorStatus, *, benchmark: Benchmark | None, slices: tuple[SliceSeries, ...], link: str) -> str:
    """The page as text; `link` is the address of the drift report, or empty."""
    charts = page_charts(status, benchmark, slices)
    style = _template_text("drawings.css") + _template_text("report.css")
    incidents = listed(by_cause(status.incidents, status.asked_at))
    return (
        _environment(status)
        .get_template("report.html.j2")
        .render(
            status=status,
            headline=headline(status),
            comparisons=[chart for chart in charts if chart.name.startswith(("months-", "slices-"))],
            evidence=next(chart for chart in charts if chart.name == "evidence"),
            losses=[chart for chart in charts if chart.name.startswith("windows-")],
            arrivals=[chart for chart in charts if chart.name == "arrivals"],
            inputs=[chart for chart in charts if chart.name.startswith("effect:")],
            incidents=incidents,
            left_out=len(incidents) < len(status.incidents),
            incidents_closed=MOST_CLOSED,
            sensitivity=sensitivity_rows(() if unwatched_losses(status) else status.sensitivity),
            unwatched=unwatched_losses(status),
            drill="" if status.drill is None else drill_sentence(status.drill, ZoneInfo(status.timezone)),
            drill_columns=COLUMNS,
            drill_rows=drill_rows(status.drill),
            metrics=metric_rows(status),
            labels=labels_by_output(status),
            findings=finding_groups(status),
            watches=watch_rows(status),
            link=link,
            benchmarked=benchmark is not None,
            style=style,
            policy=POLICY.format(style=f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}"),
        )
    )


def listed(incidents: Sequence[IncidentRecord]) -> tuple[IncidentRecord, ...]:
    """The incidents that the page lists, in their order: all that are not closed, and the first of the others."""
    closed = [incident.number for incident in incidents if incident.state == "closed"][:MOST_CLOSED]
    return tuple(incident for incident in incidents if incident.state != "closed" or incident.number in closed)


def page_charts(
    status: MonitorStatus, benchmark: Benchmark | None, slices: Sequence[SliceSeries] = ()
) -> tuple[Chart, ...]:
    """All charts of the page, in its order; those for which nothing was scored yet are left out."""
    losses = loss_series(status)
    names = {(entry.metric, entry.slice) for entry in losses}
    every = (*losses, *(entry for entry in slices if (entry.metric, entry.slice) not in names))
    charts: list[Chart] = []
    for metric in metrics_of(every):
        whole = whole_series(every, metric)
        if whole is not None:
            charts.append(month_chart(whole, benchmark_interval(status, benchmark, metric)))
    for metric in metrics_of(every):
        parts = {entry.slice for entry in every if entry.metric == metric and entry.slice}
        intervals = {part: benchmark_interval(status, benchmark, metric, part) for part in sorted(parts)}
        chart = slice_chart(
            metric, every, {part: interval for part, interval in intervals.items() if interval is not None}
        )
        if chart is not None:
            charts.append(chart)
    over_time = (evidence_chart(status), *loss_charts(status), *estimate_charts(status))
    return (*charts, *over_time, *input_charts(status), *arrival_charts(status))


def _environment(status: MonitorStatus) -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415  # only the page needs it

    zone = ZoneInfo(status.timezone)
    environment = Environment(
        loader=FunctionLoader(_template_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "count": format_count,
        "evidence": format_evidence,
        "metric": metric_title,
        "moment": lambda moment: format_moment(moment, zone),
        "number": lambda number: f"{number:,}",
        "printable": printable,
        "slice": slice_title,
        "watch": watch_title,
    }
    environment.filters.update(filters)
    environment.globals["text_of"] = incident_text
    page_open = any(page.closed_at is None for page in pages_of(status))
    environment.globals["counted_anew"] = lambda log: counted_anew(log, status.page_threshold, page_open=page_open)
    ends = (
        *(end for window in status.windows for end in (window.start, window.end)),
        *(end for one in status.incidents for end in (one.window_start, one.opened_at)),
    )
    environment.globals["span"] = lambda incident: span_drawing(incident, min(ends), max(ends))
    environment.globals["remarks"] = lambda incident: remarks(incident, status.asked_at, zone)
    environment.globals["window"] = lambda start, end: format_window(start, end, zone)
    return environment


def _template_text(name: str) -> str:
    text = (files("monitoring.reports") / "templates" / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


def _link(drift_report: Path | None, path: Path) -> str:
    if drift_report is None:
        return ""
    relative = os.path.relpath(drift_report.resolve(), path.resolve().parent)
    return quote(Path(relative).as_posix())
