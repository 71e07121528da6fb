from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from monitoring.reports.charts.series import NARROW, RUNNING, SMALL, WIDE, Band, Series, running_means, series_drawing

START = datetime(2013, 4, 1, tzinfo=UTC)
ZONE = ZoneInfo("UTC")


def series(count: int = 30, **more: object) -> Series:
    times = tuple(START + timedelta(days=day) for day in range(count))
    found = {
        "watch": "brier",
        "title": "Brier score",
        "times": times,
        "values": tuple(0.1 + 0.001 * day for day in range(count)),
        "since": START,
        "until": START + timedelta(days=count),
        **more,
    }
    return Series(**found)  # type: ignore[arg-type]  # a test names the fields by keyword


def test_each_window_is_a_dot_and_the_baseline_a_band() -> None:
    drawing = series_drawing(series(band=Band(mean=0.1, deviation=0.02), pages=(START,)), WIDE, ZONE)
    found = {path.style: path.d for path in drawing.paths}
    assert found["window-dot"].count("h0") == 30
    assert {"band", "baseline-line", "value-line", "page-line", "page-mark", "axis", "grid"} <= found.keys()
    assert "Brier score in 30 windows: lowest 0.100, highest 0.129, last 0.129. Baseline 0.100." in drawing.summary


def test_without_a_baseline_and_pages_nothing_is_drawn_for_them() -> None:
    styles = {path.style for path in series_drawing(series(), NARROW, ZONE).paths}
    assert not styles & {"band", "baseline-line", "page-line", "page-mark", "estimate-line"}


def test_many_windows_are_a_line() -> None:
    drawing = series_drawing(series(WIDE.dots + 1), WIDE, ZONE)
    assert "h0" not in next(path.d for path in drawing.paths if path.style == "window-dot")


def test_everything_lies_inside_the_drawing() -> None:
    for size in (WIDE, NARROW, SMALL):
        drawing = series_drawing(series(band=Band(mean=0.3, deviation=0.1)), size, ZONE)
        assert all(0 <= label.x <= size.width and 0 <= label.y <= size.height for label in drawing.labels)


def test_one_window_is_drawn_too() -> None:
    assert series_drawing(series(1), SMALL, ZONE).paths


def test_ten_thousand_windows_are_drawn_in_no_more_points_than_can_be_seen() -> None:
    paths = series_drawing(series(10_000), WIDE, ZONE).paths
    assert sum(len(path.d) for path in paths) < 40_000


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 1000)), min_size=1, max_size=40))
def test_a_running_mean_lies_within_its_last_values(found: list[tuple[float, int]]) -> None:
    values, weights = zip(*found, strict=True)
    means = running_means(values, weights)
    assert len(means) == len(values)
    for place, mean in enumerate(means):
        inside = values[max(0, place + 1 - RUNNING) : place + 1]
        assert min(inside) - 1e-9 <= mean <= max(inside) + 1e-9
