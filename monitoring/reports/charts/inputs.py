"""Each input by window, the one that moved most first: its distance from the baseline, its evidence, its alarms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from monitoring.records import IncidentRecord, MonitorStatus
from monitoring.reports.charts.chart import Chart, window_table
from monitoring.reports.drawings.effects import Effects, effects_drawing
from monitoring.reports.drawings.series import SMALL_TALL
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

#: Inputs that are drawn; the table of the watches has all.
MOST_INPUTS: Final = 24

#: How many of the last windows say how far an input has moved.
LAST_WINDOWS: Final = 7

#: The table of an input has so many of the newest windows.
NEWEST: Final = 14


def effects_of(
    one: Input, series: InputSeries, reach: tuple[datetime, datetime], incidents: Sequence[IncidentRecord]
) -> Effects:
    """An input over time.

    Args:
        one: The input.
        series: What it was in each window.
        reach: The first and the last time of the axis.
        incidents: Incidents of its deployment.

    Returns:
        The input with the alarms about it that began within that time.
    """
    since, until = reach
    return Effects(
        title=input_title(one),
        seconds=series.seconds,
        effects=series.effects,
        log_evidence=series.log_evidence,
        since=since,
        until=until,
        alarms=[
            (incident.window_start, incident.level)
            for incident in alarms_of(one, incidents)
            if since <= incident.window_start < until
        ],
    )


def movement(one: Input, alarms: int) -> str:
    """What an input is, how far it has moved over the last windows, and how many alarms it had, in sentences."""
    about = f"{printable(one.note.description).rstrip('.')}. " if one.note.description else ""
    count = f"{format_count(alarms, 'alarm')}." if alarms else "No alarm."
    if one.mean is None:
        return f"{about}Not scored in the last {LAST_WINDOWS} windows. {count}"
    known = one.strongest
    return (
        f"{about}{watch_title(known.watch)} {format_value(known.watch, one.mean)}, baseline "
        f"{format_value(known.watch, known.mean)}: {one.effect:,.1f} standard deviations. {count}"
    )


def input_charts(status: MonitorStatus) -> tuple[Chart, ...]:
    """The inputs that have moved most over the last windows.

    Args:
        status: The deployment's state.

    Returns:
        One small chart each, `MOST_INPUTS` at most; none before the first window.
    """
    if not status.windows:
        return ()
    found = inputs_of(status.windows[-LAST_WINDOWS:], status.baseline, status.columns)[:MOST_INPUTS]
    scores = series_of(status.windows, found)
    series = ((one, input_series(one, scores)) for one in found)
    return tuple(_chart(one, points, status) for one, points in series if len(points.starts))


def _chart(one: Input, series: InputSeries, status: MonitorStatus) -> Chart:
    zone = ZoneInfo(status.timezone)
    effects = effects_of(one, series, (status.windows[0].start, status.windows[-1].end), status.incidents)
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
        name=f"effect:{one.key}",
        title=input_title(one),
        note=movement(one, len(effects.alarms)),
        drawings=(effects_drawing(effects, SMALL_TALL, zone),),
        table=window_table(status, ("Window", "Watch", "Value", "Effect", "Evidence"), rows, NEWEST),
    )
