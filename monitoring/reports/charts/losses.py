"""Loss and surprise, window by window, against the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.records import WHOLE, BaselineScore, MonitorStatus
from monitoring.reports.charts.drawing import Chart, window_table
from monitoring.reports.charts.series import NARROW, RUNNING, WIDE, Band, Series, running_means, series_drawing
from monitoring.reports.sections.benchmark import baseline_score
from monitoring.reports.sections.formatting import format_count, format_window
from monitoring.reports.sections.incidents import pages_of
from monitoring.reports.sections.months import DRAWN
from monitoring.tasks.output_names import first_of_each
from monitoring.tasks.task import SURPRISE
from monitoring.watches.descriptions import format_amount, format_value, watch_title


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One watch's mean in one window."""

    start: datetime
    end: datetime
    rows: int
    value: float


def points(status: MonitorStatus, watch: str) -> tuple[Point, ...]:
    """The windows in which a watch was scored on the whole traffic."""
    return tuple(
        Point(start=window.start, end=window.end, rows=score.rows, value=score.value)
        for window in status.windows
        for score in window.scores
        if score.watch == watch and score.slice == WHOLE and score.value is not None
    )


def loss_charts(status: MonitorStatus) -> tuple[Chart, ...]:
    """The charts of the first loss that was scored and of its surprise, of each output; none before the first label."""
    there = dict.fromkeys(
        score.watch
        for window in status.windows
        for score in window.scores
        if score.slice == WHOLE and score.value is not None
    )
    pairs = ((loss, f"{SURPRISE}{loss}") for loss in first_of_each(there, DRAWN))
    return tuple(
        _chart(status, watch, loss_points) for pair in pairs for watch in pair if (loss_points := points(status, watch))
    )


def _chart(status: MonitorStatus, watch: str, loss_points: tuple[Point, ...]) -> Chart:
    zone = ZoneInfo(status.timezone)
    baseline = baseline_score(status, watch)
    name = watch_title(watch)
    since, until = loss_points[0].start, loss_points[-1].end
    series = Series(
        watch=watch,
        title=name,
        times=tuple(point.start for point in loss_points),
        values=tuple(point.value for point in loss_points),
        since=since,
        until=until,
        band=None if baseline is None else Band(mean=baseline.mean, deviation=baseline.deviation),
        pages=tuple(page.window_start for page in pages_of(status) if since <= page.window_start < until),
        weights=tuple(point.rows for point in loss_points),
    )
    means = running_means(series.values, series.weights)
    return Chart(
        name=f"windows-{watch}",
        title=f"{name} by window",
        note=_note(watch, baseline) + (" Dashed vertical line: a page was raised." if series.pages else ""),
        drawings=tuple(series_drawing(series, size, zone) for size in (WIDE, NARROW)),
        table=window_table(
            status,
            ("Window", "Labelled rows", name, f"Mean of {RUNNING} windows"),
            [
                (
                    point.start,
                    (
                        format_window(point.start, point.end, zone),
                        f"{point.rows:,}",
                        format_value(watch, point.value),
                        format_value(watch, mean),
                    ),
                )
                for point, mean in zip(loss_points, means, strict=True)
            ],
        ),
    )


def _note(watch: str, baseline: BaselineScore | None) -> str:
    drawn = f"Dots: single windows. Line: running mean of {RUNNING} windows."
    if baseline is None:
        return drawn
    mean = baseline.mean if abs(baseline.mean) > baseline.deviation / 1e4 else 0.0  # of rounding, not of the model
    return (
        f"{drawn} Band: baseline mean ± standard deviation between its {format_count(baseline.windows, 'window')}, "
        f"{format_value(watch, mean)} ± {format_amount(watch, baseline.deviation)}."
    )
