from __future__ import annotations

from monitoring.reports.drawings.delays import delays_drawing
from monitoring.reports.drawings.series import NARROW, WIDE
from tests.monitoring.reports.drawings.path_points import points_of

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
