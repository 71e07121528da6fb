from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from monitoring.records import BaselineScore, MonitorStatus, ScoreRecord
from monitoring.reports.charts.inputs import (
    MOST_INPUTS,
    NEWEST,
    Effects,
    effects_drawing,
    effects_of,
    input_charts,
    movement,
)
from monitoring.reports.charts.series import SMALL_TALL
from monitoring.reports.sections.inputs import input_series, inputs_of, series_of
from tests.monitoring.reports.charts.path_points import points_of

FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def drawing_of(windows: int, most: float = 2.0) -> dict[str, str]:
    times = [FIRST + timedelta(days=day) for day in range(windows)]
    found = Effects(
        title="temp",
        seconds=np.array([at.timestamp() for at in times]),
        effects=np.full(windows, most),
        log_evidence=np.array([-math.inf, *[1e6] * (windows - 1)]),
        since=FIRST,
        until=times[-1] + timedelta(days=1),
        alarms=[(times[1], "page"), (times[2], "notice")],
    )
    drawing = effects_drawing(found, SMALL_TALL, ZoneInfo("UTC"))
    assert f"at most {most:.1f} and last {most:.1f}" in drawing.summary
    assert drawing.summary.endswith("1 page and 1 notice began.")
    assert all(0 <= label.x <= SMALL_TALL.width for label in drawing.labels)
    return {path.style: path.d for path in drawing.paths if path.style != "grid"}


def test_effects_evidence_and_alarms_are_drawn_within_the_plot() -> None:
    paths = drawing_of(5)
    assert {"band", "effect-line", "window-dot", "notice-evidence", "page-mark", "notice-mark"} <= set(paths)
    ends = {y for _, y in points_of(paths["notice-evidence"])}
    _, top, _, height = SMALL_TALL.plot
    assert max(ends) == pytest.approx(top + height)
    assert top < min(ends) < max(ends)


def test_many_windows_are_a_line_without_dots() -> None:
    assert "window-dot" not in drawing_of(SMALL_TALL.dots + 1)


def test_a_quiet_input_looks_quiet() -> None:
    quiet, loud = drawing_of(5, 0.5), drawing_of(5, 40.0)
    assert points_of(quiet["effect-line"])[0][1] > points_of(loud["effect-line"])[0][1]


def test_the_input_that_moved_most_comes_first(status: MonitorStatus) -> None:
    charts = input_charts(status)
    assert [chart.title for chart in charts] == ["temp", "carrier", "Predictions"]
    assert charts[0].note == "Mean quantile of temp 0.990, baseline 0.500: 2.9 standard deviations. 1 alarm."
    assert charts[2].note.endswith("baseline 21.4 %: 0.1 standard deviations. No alarm.")


def test_its_table_has_value_effect_and_evidence_by_window(status: MonitorStatus) -> None:
    table = input_charts(status)[0].table
    assert table.columns == ("Window", "Watch", "Value", "Effect", "Evidence")
    assert [row[0] for row in table.rows[:3]] == ["23 Apr 2013", "7 May 2013", "7 Dec 2013"]  # opened an incident
    assert table.rows[-1] == ("31 Dec 2013", "Mean quantile of temp", "0.990", "2.9", "20")
    assert len(table.rows) == 3 + NEWEST


def test_alarms_of_an_input_are_marked_where_they_began(status: MonitorStatus) -> None:
    one = inputs_of(status.windows[-7:], status.baseline)[0]
    points = input_series(one, series_of(status.windows, (one,)))
    reach = (status.windows[0].start, status.windows[-1].end)
    assert effects_of(one, points, reach, status.incidents).alarms == [(status.incidents[1].window_start, "notice")]
    later = (status.windows[100].start, reach[1])
    assert effects_of(one, points, later, status.incidents).alarms == []


def test_an_input_without_a_score_lately_says_so(status: MonitorStatus) -> None:
    one = inputs_of((), status.baseline)[0]
    assert movement(one, 2) == "Not scored in the last 7 windows. 2 alarms."


def test_a_hundred_inputs_are_not_all_drawn(status: MonitorStatus) -> None:
    names = [f"missing:column_{number}" for number in range(100)]
    score = ScoreRecord(level="page", watch="", slice="", rows=9, value=0.1, log_evidence=0.0)
    known = BaselineScore(level="page", watch="", slice="", mean=0.0, deviation=0.1, tolerance=0.0, windows=90)
    windows = tuple(
        replace(window, scores=tuple(replace(score, watch=name) for name in names)) for window in status.windows[:3]
    )
    many = replace(status, windows=windows, baseline=tuple(replace(known, watch=name) for name in names))
    assert len(input_charts(many)) == MOST_INPUTS


def test_before_the_first_window_there_is_none(status_of: Callable[..., MonitorStatus]) -> None:
    assert input_charts(status_of(windows=0, incidents=False)) == ()
