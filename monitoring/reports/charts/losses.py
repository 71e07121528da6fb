"""Loss and surprise, window by window, against the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.records import WHOLE, BaselineScore, MonitorStatus
from monitoring.reports.charts.chart import MOST_MARKS, Chart, Figure, axis, bounded, layout, time_axis
from monitoring.reports.charts.evidence import local
from monitoring.reports.sections.benchmark import baseline_score
from monitoring.reports.sections.formatting import format_count, format_window
from monitoring.reports.sections.incidents import pages_of
from monitoring.watches.descriptions import format_amount, format_value, is_share, watch_title

HEIGHT = 230

#: Windows in the running mean.
RUNNING = 7

#: A loss and its surprise, the first pair that was scored is drawn.
PAIRS = tuple((metric, f"surprise_{metric}") for metric in ("brier", "error", "macro_brier", "absolute_error"))


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
    """The charts of the first loss that was scored and of its surprise; none while no label has arrived."""
    for pair in PAIRS:
        scored = [(watch, points(status, watch)) for watch in pair]
        charts = tuple(_chart(status, watch, found) for watch, found in scored if found)
        if charts:
            return charts
    return ()


def running_means(values: Sequence[float], weights: Sequence[int]) -> tuple[float, ...]:
    """The weighted running mean over `RUNNING` values.

    Args:
        values: Values in order of time.
        weights: Their weights, above zero.

    Returns:
        For each value, the mean of it and up to six before it.

    >>> running_means([0.0, 1.0], [1, 3])
    (0.0, 0.75)
    """
    means = []
    for place in range(len(values)):
        first = max(0, place + 1 - RUNNING)
        inside = weights[first : place + 1]
        total = sum(value * weight for value, weight in zip(values[first : place + 1], inside, strict=True))
        means.append(total / sum(inside))
    return tuple(means)


def _chart(status: MonitorStatus, watch: str, found: tuple[Point, ...]) -> Chart:
    zone = ZoneInfo(status.timezone)
    known = baseline_score(status, watch)
    name = watch_title(watch)
    starts = [local(point.start, zone) for point in found]
    names = [format_window(point.start, point.end, zone) for point in found]
    values = [point.value for point in found]
    means = running_means(values, [point.rows for point in found])
    dots: Figure = {
        "type": "scatter",
        "mode": "markers" if len(found) <= MOST_MARKS else "lines",
        "x": starts,
        "y": values,
        "marker": {"color": "--dot", "size": 5},
        "line": {"color": "--dot", "width": 1},
        "text": [f"{n}: <b>{format_value(watch, v)}</b>" for n, v in zip(names, values, strict=True)],
        "hovertemplate": "%{text}<extra></extra>",
    }
    mean_line: Figure = {
        "type": "scatter",
        "mode": "lines",
        "x": starts,
        "y": list(means),
        "line": {"color": "--ink", "width": 2},
        "hoverinfo": "skip",
    }
    alarms = _alarms(status, zone)
    figure: Figure = {
        "data": [dots, mean_line],
        "layout": layout(
            HEIGHT,
            xaxis=time_axis([starts[0], local(found[-1].end, zone)]),
            yaxis=axis(tickformat=".0%" if is_share(watch) else ".2f", nticks=6),
            shapes=[*_band(known), *alarms],
        ),
    }
    return Chart(
        name=f"windows-{watch}",
        title=f"{name} by window",
        note=_note(watch, known) + (" Dashed vertical line: a page was raised." if alarms else ""),
        summary=(
            f"{name} in {format_count(len(found), 'window')}: lowest {format_value(watch, min(values))}, highest "
            f"{format_value(watch, max(values))}, last {format_value(watch, values[-1])}. {_note(watch, known)}"
        ),
        height=HEIGHT,
        figure=figure,
        table=bounded(
            ("Window", "Labelled rows", name, f"Mean of {RUNNING} windows"),
            [
                (n, f"{point.rows:,}", format_value(watch, point.value), format_value(watch, mean))
                for n, point, mean in zip(names, found, means, strict=True)
            ],
        ),
    )


def _alarms(status: MonitorStatus, zone: ZoneInfo) -> list[Figure]:
    """A vertical line at each window that raised a page."""
    return [
        {
            "type": "line",
            "x0": local(page.window_start, zone),
            "x1": local(page.window_start, zone),
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": {"color": "--page", "width": 1.6, "dash": "dash"},
        }
        for page in pages_of(status)
    ]


def _band(known: BaselineScore | None) -> list[Figure]:
    if known is None:
        return []
    across = {"xref": "paper", "x0": 0, "x1": 1, "yref": "y", "layer": "below"}
    low, high = known.mean - known.deviation, known.mean + known.deviation
    return [
        {**across, "type": "rect", "y0": low, "y1": high, "fillcolor": "--band", "line": {"width": 0}},
        {
            **across,
            "type": "line",
            "y0": known.mean,
            "y1": known.mean,
            "line": {"color": "--baseline", "width": 1.5, "dash": "dash"},
        },
    ]


def _note(watch: str, known: BaselineScore | None) -> str:
    drawn = f"Dots: single windows. Line: running mean of {RUNNING} windows."
    if known is None:
        return drawn
    return (
        f"{drawn} Band: baseline mean ± standard deviation between its {format_count(known.windows, 'window')}, "
        f"{format_value(watch, known.mean)} ± {format_amount(watch, known.deviation)}."
    )
