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
from monitoring.reports.sections.inputs import Input, InputPoint, alarms_of, input_title, inputs_of, points_by_input
from monitoring.watches.descriptions import format_value, watch_title

#: Inputs that are drawn; the table of the watches has all.
MOST_INPUTS: Final = 24

#: How many of the last windows say how far an input has moved.
LAST_WINDOWS: Final = 7

#: The table of an input has so many of the newest windows.
NEWEST: Final = 14


def effects_of(
    one: Input, points: Sequence[InputPoint], reach: tuple[datetime, datetime], incidents: Sequence[IncidentRecord]
) -> Effects:
    """An input over time.

    Args:
        one: The input.
        points: What it was in each window.
        reach: The first and the last time of the axis.
        incidents: Incidents of its deployment.

    Returns:
        The input with the alarms about it that began within that time.
    """
    since, until = reach
    return Effects(
        title=input_title(one),
        times=[point.start for point in points],
        effects=[point.effect for point in points],
        log_evidence=[point.log_evidence for point in points],
        since=since,
        until=until,
        alarms=[
            (incident.window_start, incident.level)
            for incident in alarms_of(one, incidents)
            if since <= incident.window_start < until
        ],
    )


def movement(one: Input, alarms: int) -> str:
    """How far an input has moved over the last windows, and how many alarms it had, in sentences."""
    count = f"{format_count(alarms, 'alarm')}." if alarms else "No alarm."
    if one.mean is None:
        return f"Not scored in the last {LAST_WINDOWS} windows. {count}"
    known = one.strongest
    return (
        f"{watch_title(known.watch)} {format_value(known.watch, one.mean)}, baseline "
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
    scores = {window.start: window.scores for window in status.windows}
    found = inputs_of(status.windows[-LAST_WINDOWS:], status.baseline)[:MOST_INPUTS]
    points = points_by_input(found, scores)
    return tuple(_chart(one, points[one.key], status) for one in found if points[one.key])


def _chart(one: Input, points: Sequence[InputPoint], status: MonitorStatus) -> Chart:
    zone = ZoneInfo(status.timezone)
    effects = effects_of(one, points, (status.windows[0].start, status.windows[-1].end), status.incidents)
    ends = {window.start: window.end for window in status.windows}
    rows = [
        (
            point.start,
            (
                format_window(point.start, ends[point.start], zone),
                watch_title(point.score.watch),
                format_value(point.score.watch, point.score.value),
                f"{point.effect:,.1f}",
                format_evidence(point.log_evidence),
            ),
        )
        for point in points
    ]
    return Chart(
        name=f"effect:{one.key}",
        title=input_title(one),
        note=movement(one, len(effects.alarms)),
        drawings=(effects_drawing(effects, SMALL_TALL, zone),),
        table=window_table(status, ("Window", "Watch", "Value", "Effect", "Evidence"), rows, NEWEST),
    )
