"""Each input by window, the one that moved most first: its distance from the baseline, its evidence, its alarms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from monitoring.records import IncidentRecord, Level, MonitorStatus
from monitoring.reports.charts.drawing import (
    Chart,
    Drawing,
    Label,
    Path,
    Scale,
    box,
    diamond,
    dots,
    nice_ticks,
    trace,
    window_table,
)
from monitoring.reports.charts.series import SMALL_TALL, Size, axes
from monitoring.reports.sections.formatting import format_count, format_evidence, format_window
from monitoring.reports.sections.inputs import (
    Input,
    InputSeries,
    alarms_of,
    input_series,
    input_title,
    inputs_of,
    series_of,
)
from monitoring.watches.descriptions import format_value, printable, watch_title

#: The axis of the distance reaches this far at least, so that a quiet input looks quiet.
_LEAST_REACH: Final = 3.0

#: The evidence's axis in powers of ten: what lies beyond is drawn at its ends.
_DECADES: Final = (-2, 4)

#: Share of the height that the evidence takes, and pixels between the two.
_EVIDENCE_SHARE, _GAP = 0.3, 14.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effects:
    """An input over time.

    Attributes:
        seconds: When each window begins, in order, in seconds since 1970, float64 [n].
        effects: Its distance from the baseline in each, float64 [n].
        log_evidence: The natural logarithm of its evidence in each, float64 [n].
    """

    title: str
    seconds: NDArray[np.float64]
    effects: NDArray[np.float64]
    log_evidence: NDArray[np.float64]
    since: datetime
    until: datetime
    alarms: Sequence[tuple[datetime, Level]] = ()


def effects_drawing(effects: Effects, size: Size, zone: ZoneInfo) -> Drawing:
    """Draw an input by window.

    Returns:
        The drawing: dots and a line for the distance, a band up to one standard deviation, a thin line for the evidence
        on a log axis, filled diamonds for pages and open ones for notices.
    """
    left, top, width, height = size.plot
    lower = _EVIDENCE_SHARE * height
    upper = height - lower - _GAP
    x = Scale(effects.since.timestamp(), effects.until.timestamp(), left, left + width)
    most = max(_LEAST_REACH, 1.08 * float(effects.effects.max()))
    y = Scale(0.0, most, top + upper, top)
    across = x.each(effects.seconds)
    points = np.column_stack([across, y.each(effects.effects)])
    paths, labels = axes(size, (effects.since, effects.until), zone)
    ticks = nice_ticks(0.0, most, 3)
    paths += [
        Path(d=box(left, y(1.0), width, y(0.0) - y(1.0)), style="band"),
        Path(d="".join(f"M{left:g} {y(tick):.1f}h{width:g}" for tick in ticks), style="grid"),
        Path(d="" if len(points) > size.dots else dots(points), style="window-dot"),
        Path(d=trace(points), style="effect-line"),
        *_evidence(effects, across, (top + height, lower), (left, width)),
        *_alarms(effects.alarms, x, (top, height)),
    ]
    labels += [Label(x=left - 6, y=y(tick) + 4, text=_tick(tick), anchor="end") for tick in ticks]
    labels += [
        Label(x=left - 6, y=top + height - place * lower + 4, text=text, anchor="end")
        for place, text in ((2 / 6, "1"), (1.0, "10⁴"))
    ]
    return Drawing(
        width=size.width,
        height=size.height,
        summary=_summary(effects),
        paths=tuple(path for path in paths if path.d),
        labels=tuple(labels),
        fit=size.fit,
    )


def _tick(value: float) -> str:
    """A number of the axis in the width that there is: 0.5, 50, 2k, 3e+06."""
    return f"{value:g}" if value < 1e3 else f"{value / 1e3:g}k" if value < 1e6 else f"{value:.0e}"


def _evidence(
    effects: Effects, places: NDArray[np.float64], down: tuple[float, float], across: tuple[float, float]
) -> list[Path]:
    bottom, height = down
    y = Scale(*_DECADES, bottom, bottom - height)
    points = np.column_stack([places, y.each(effects.log_evidence / math.log(10.0))])
    grid = "".join(f"M{across[0]:g} {y(decade):.1f}h{across[1]:g}" for decade in (0.0, float(_DECADES[1])))
    return [Path(d=grid, style="grid"), Path(d=trace(points), style="notice-evidence")]


def _alarms(alarms: Sequence[tuple[datetime, Level]], x: Scale, down: tuple[float, float]) -> list[Path]:
    top, height = down
    paths = []
    for level in ("page", "notice"):
        places = [x(at.timestamp()) for at, of in alarms if of == level]
        paths += [
            Path(d="".join(f"M{place:.1f} {top:g}v{height:g}" for place in places), style=f"{level}-line"),
            Path(d="".join(diamond(place, top + 4, 5) for place in places), style=f"{level}-mark"),
        ]
    return paths


def _summary(effects: Effects) -> str:
    pages = sum(level == "page" for _, level in effects.alarms)
    notices = len(effects.alarms) - pages
    return (
        f"{effects.title} in {format_count(len(effects.effects), 'window')}: distance from the baseline at most "
        f"{effects.effects.max():,.1f} and last {effects.effects[-1]:,.1f} standard deviations; evidence "
        f"{format_evidence(effects.log_evidence[-1])} after the last one; {format_count(pages, 'page')} and "
        f"{format_count(notices, 'notice')} began."
    )


#: Inputs that are drawn; the table of the watches has all.
MOST_INPUTS: Final = 24

#: How many of the last windows say how far an input has moved.
LAST_WINDOWS: Final = 7

#: The table of an input has so many of the newest windows.
NEWEST: Final = 14


def effects_of(
    watched_input: Input, series: InputSeries, reach: tuple[datetime, datetime], incidents: Sequence[IncidentRecord]
) -> Effects:
    """An input over time."""
    since, until = reach
    return Effects(
        title=input_title(watched_input),
        seconds=series.seconds,
        effects=series.effects,
        log_evidence=series.log_evidence,
        since=since,
        until=until,
        alarms=[
            (incident.window_start, incident.level)
            for incident in alarms_of(watched_input, incidents)
            if since <= incident.window_start < until
        ],
    )


def movement(watched_input: Input, alarms: int) -> str:
    """What an input is, how far it has moved over the last windows, and how many alarms it had, in sentences."""
    about = f"{printable(watched_input.note.description).rstrip('.')}. " if watched_input.note.description else ""
    count = f"{format_count(alarms, 'alarm')}." if alarms else "No alarm."
    if watched_input.mean is None:
        return f"{about}Not scored in the last {LAST_WINDOWS} windows. {count}"
    baseline = watched_input.strongest
    return (
        f"{about}{watch_title(baseline.watch)} {format_value(baseline.watch, watched_input.mean)}, baseline "
        f"{format_value(baseline.watch, baseline.mean)}: {watched_input.effect:,.1f} standard deviations. {count}"
    )


def input_charts(status: MonitorStatus) -> tuple[Chart, ...]:
    """The inputs that have moved most over the last windows.

    Returns:
        One small chart each, `MOST_INPUTS` at most; none before the first window.
    """
    if not status.windows:
        return ()
    inputs = inputs_of(status.windows[-LAST_WINDOWS:], status.baseline, status.columns)[:MOST_INPUTS]
    scores = series_of(status.windows, inputs)
    series = ((watched_input, input_series(watched_input, scores)) for watched_input in inputs)
    return tuple(_chart(watched_input, points, status) for watched_input, points in series if len(points.starts))


def _chart(watched_input: Input, series: InputSeries, status: MonitorStatus) -> Chart:
    zone = ZoneInfo(status.timezone)
    effects = effects_of(watched_input, series, (status.windows[0].start, status.windows[-1].end), status.incidents)
    ends = {window.start: window.end for window in status.windows}
    rows = [
        (
            start,
            (
                format_window(start, ends[start], zone),
                watch_title(watch),
                format_value(watch, value),
                f"{effect:,.1f}",
                format_evidence(log_evidence),
            ),
        )
        for start, watch, value, effect, log_evidence in series.rows()
    ]
    return Chart(
        name=f"effect:{watched_input.key}",
        title=input_title(watched_input),
        note=movement(watched_input, len(effects.alarms)),
        drawings=(effects_drawing(effects, SMALL_TALL, zone),),
        table=window_table(status, ("Window", "Watch", "Value", "Effect", "Evidence"), rows, NEWEST),
    )
