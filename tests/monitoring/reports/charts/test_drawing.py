from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.reports.charts.drawing import Scale, line, nice_ticks, shown, spread, thinned, time_ticks
from tests.monitoring.reports.charts.path_points import points_of

START = datetime(2013, 4, 1, tzinfo=UTC)
values = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@given(values, st.floats(1e-3, 1e6), st.integers(1, 10))
def test_ticks_are_few_round_and_inside(low: float, length: float, most: int) -> None:
    ticks = nice_ticks(low, low + length, most)
    assert len(ticks) <= most
    assert all(low - 1e-6 * length <= tick <= low + length * (1 + 1e-6) for tick in ticks)


@pytest.mark.parametrize("hours", [1, 5, 30, 24 * 3, 24 * 20, 24 * 90, 24 * 400, 24 * 4000])
def test_times_are_ticked_whatever_the_length(hours: int) -> None:
    ticks = time_ticks(START, START + timedelta(hours=hours), ZoneInfo("America/New_York"), 6)
    assert 1 <= len(ticks) <= 8
    assert [at for at, _ in ticks] == sorted(at for at, _ in ticks)
    assert all(before[1] != after[1] for before, after in pairwise(ticks))


def test_a_value_beyond_the_axis_is_drawn_at_its_end() -> None:
    scale = Scale(0.0, 1.0, 10.0, 20.0)
    assert [scale(value) for value in (-5.0, 0.5, 5.0)] == [10.0, 15.0, 20.0]
    assert Scale(1.0, 1.0, 0.0, 10.0)(1.0) == 5.0


@given(values, values, st.lists(values))
def test_many_values_are_scaled_as_each_of_them(low: float, high: float, many: list[float]) -> None:
    scale = Scale(low, high, 7.0, 90.0)
    assert scale.each(many) == pytest.approx([scale(value) for value in many])


def test_equal_values_have_room_on_their_axis() -> None:
    assert spread([0.0, 0.0]) == (-1e-3, 1e-3)
    low, high = spread([0.2])
    assert low < 0.2 < high


def test_coordinates_are_short() -> None:
    assert [shown(value) for value in (1.0, 1.25, 0.04)] == ["1", "1.2", "0"]


@given(st.lists(st.tuples(values, values), min_size=1, max_size=30))
def test_a_line_has_its_points_to_a_tenth_of_a_pixel(points: list[tuple[float, float]]) -> None:
    found = points_of(line(points))
    assert len(found) == len(points)
    for (x, y), (drawn_x, drawn_y) in zip(points, found, strict=True):
        assert abs(x - drawn_x) < 0.06 + 1e-9 * abs(x)
        assert abs(y - drawn_y) < 0.06 + 1e-9 * abs(y)


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=400))
def test_a_thinned_line_keeps_its_ends_and_its_extremes(heights: list[float]) -> None:
    points = [(place / 10, height) for place, height in enumerate(heights)]
    kept = [tuple(point) for point in thinned(points).tolist()]
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert {min(heights), max(heights)} <= {y for _, y in kept}
    assert len(kept) <= 4 * (1 + len(points) // 20)
    assert list(kept) == [point for point in points if point in kept]
