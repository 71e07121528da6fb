from __future__ import annotations

from dataclasses import replace

import numpy as np

from monitoring.records import MonitorStatus
from monitoring.reports.charts.label_delays import arrival_charts, delays_drawing
from monitoring.reports.charts.series import NARROW, WIDE
from monitoring.watches.label_delays import delay_counts
from tests.monitoring.reports.charts.path_points import points_of

CURVE = [(60, 0.1), (3600, 0.5), (86_400, 1.0)]


def test_each_curve_rises_to_the_right_on_a_log_axis() -> None:
    drawing = delays_drawing([("value-line", CURVE), ("estimate-line", CURVE[:2])], "words", WIDE)
    whole, last = (points_of(path.d) for path in drawing.paths if path.style.endswith("-line"))
    assert [x for x, _ in whole] == sorted(x for x, _ in whole)
    assert [y for _, y in whole] == sorted((y for _, y in whole), reverse=True)
    assert last == whole[:2]
    assert {"1 min", "1 h", "1 day", "0%", "100%"} <= {label.text for label in drawing.labels}


def test_few_ticks_are_named_where_there_is_little_room() -> None:
    curve = [(60 * 2**step, (step + 1) / 12) for step in range(12)]
    drawing = delays_drawing([("value-line", curve)], "words", NARROW)
    assert sum("%" not in label.text for label in drawing.labels) <= NARROW.x_ticks


def with_delays(status: MonitorStatus, delays: tuple[int, ...]) -> MonitorStatus:
    return replace(status, windows=tuple(replace(window, label_delays=delays) for window in status.windows))


def test_the_last_windows_have_a_line_of_their_own(status: MonitorStatus) -> None:
    (chart,) = arrival_charts(status)
    assert chart.name == "arrivals"
    styles = {path.style: path.d for path in chart.drawings[0].paths}
    whole, last = (points_of(styles[style]) for style in ("value-line", "estimate-line"))
    assert whole[-1] == last[-1]
    assert sum(y for _, y in last[:7]) > sum(y for _, y in whole[:7])  # labels became slower: lower, so further down
    assert chart.note.endswith("Solid line: all windows; dashed line: the last 30 with labels.")


def test_few_windows_have_one_line(status: MonitorStatus) -> None:
    (chart,) = arrival_charts(replace(status, windows=status.windows[:20]))
    assert "estimate-line" not in {path.style for path in chart.drawings[0].paths}


def test_where_each_label_comes_with_its_prediction_nothing_is_drawn(status: MonitorStatus) -> None:
    at_once = delay_counts(np.zeros(5, np.int64), np.zeros(5, np.int64))
    assert arrival_charts(with_delays(status, at_once)) == ()
    assert arrival_charts(with_delays(status, ())) == ()
