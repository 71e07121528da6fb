from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from monitoring.records import MonitorStatus
from monitoring.reports.charts.losses import loss_charts, points


def test_the_first_scored_loss_and_its_surprise_are_drawn(status: MonitorStatus) -> None:
    assert [chart.name for chart in loss_charts(status)] == ["windows-brier", "windows-surprise_brier"]


def test_the_error_rate_is_drawn_where_nothing_else_was_scored(status: MonitorStatus) -> None:
    windows = tuple(
        replace(window, scores=tuple(score for score in window.scores if "brier" not in score.watch))
        for window in status.windows
    )
    assert [chart.name for chart in loss_charts(replace(status, windows=windows))] == [
        "windows-error",
        "windows-surprise_error",
    ]


def test_without_labels_no_loss_is_drawn(status: MonitorStatus) -> None:
    assert loss_charts(replace(status, windows=tuple(replace(w, scores=()) for w in status.windows))) == ()


def test_the_baseline_is_a_band_and_each_page_a_line(status: MonitorStatus) -> None:
    (chart, _) = loss_charts(status)
    styles = {path.style: path.d for path in chart.drawings[0].paths}
    assert {"band", "baseline-line", "window-dot", "value-line"} <= set(styles)
    assert styles["page-mark"].count("z") == 2
    assert chart.note == (
        "Dots: single windows. Line: running mean of 7 windows. Band: baseline mean ± standard deviation between its "
        "90 windows, 0.146 ± 0.045. Dashed vertical line: a page was raised."
    )


def test_a_window_without_a_score_is_no_point(status: MonitorStatus) -> None:
    starts = {point.start for point in points(status, "brier")}
    assert len(starts) == 274
    assert status.windows[100].start not in starts


def test_one_window_is_singular_in_the_summary(status_of: Callable[..., MonitorStatus]) -> None:
    (chart, _) = loss_charts(status_of(windows=1, incidents=False))
    assert chart.drawings[0].summary.startswith("Brier score in 1 window: lowest ")
    assert "Dashed vertical" not in chart.note
