from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.records import SCORE_ONE, EstimateRecord, IntervalChecks, MonitorStatus, RealisedLosses
from monitoring.reports.charts.estimates import Estimates, estimate_charts, estimates_drawing
from monitoring.reports.charts.series import WIDE
from tests.monitoring.reports.charts.path_points import points_of

FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def drawn(**more: object) -> dict[str, str]:
    found = {
        "watch": "brier",
        "summary": "words",
        "times": [FIRST + timedelta(days=day) for day in range(4)],
        "values": [0.2, 0.21, 0.22, 0.23],
        "intervals": [(0.1, 0.3)] * 4,
        "realised": [0.25, None, 0.15, None],
        "until": FIRST + timedelta(days=4),
        **more,
    }
    drawing = estimates_drawing(Estimates(**found), WIDE, ZoneInfo("UTC"))  # type: ignore[arg-type]  # fields by keyword
    return {path.style: path.d for path in drawing.paths}


def test_the_estimate_lies_in_its_band_and_the_known_losses_are_dots() -> None:
    paths = drawn()
    line, band, dots = (points_of(paths[style].removesuffix("z")) for style in ("value-line", "band", "window-dot"))
    assert len(line) == 4
    assert len(dots) == 2
    assert dots[0][1] < line[0][1] < line[2][1] + 20 < dots[1][1] + 20
    assert min(y for _, y in band) < min(y for _, y in line)
    assert max(y for _, y in band) > max(y for _, y in line)


def test_what_is_not_known_is_not_drawn() -> None:
    assert not {"band", "window-dot"} & set(drawn(intervals=[None] * 4, realised=[None] * 4))


def with_estimates(status: MonitorStatus, metric: str, *, windows: int = 4, labelled: int = 2) -> MonitorStatus:
    """Some windows with an estimate each; the first ones have all their labels."""
    kept = tuple(
        replace(
            window,
            estimates=(
                EstimateRecord(
                    method="calibrated",
                    metric=metric,
                    rows=window.rows,
                    value=(20 + place) / 100,
                    low=0.1,
                    high=0.3,
                    checked=0,
                    expected=None,
                    half=None,
                    realised=None,
                    trusted=True,
                    interval_checks=IntervalChecks(),
                ),
            ),
            realised_losses=(
                RealisedLosses(
                    start=window.start,
                    rows=window.rows if place < labelled else window.rows // 2,
                    losses=dict.fromkeys(("error", "brier"), window.rows * SCORE_ONE // 4),
                ),
            ),
        )
        for place, window in enumerate(status.windows[:windows])
    )
    return replace(status, windows=kept)


def test_the_realised_loss_is_drawn_once_most_labels_have_arrived(status: MonitorStatus) -> None:
    (chart,) = estimate_charts(with_estimates(status, "error"))
    styles = {path.style: path.d for path in chart.drawings[0].paths}
    assert [len(points_of(styles[style])) for style in ("value-line", "window-dot")] == [4, 2]
    assert len(points_of(styles["band"].removesuffix("z"))) == 8
    assert "the realised loss is known for 2 of them." in chart.drawings[0].summary
    assert [row[-1] for row in chart.table.rows] == ["25.0 %", "25.0 %", "\N{EN DASH}", "\N{EN DASH}"]


def test_the_note_says_whether_the_estimate_is_trusted(status: MonitorStatus) -> None:
    (chart,) = estimate_charts(with_estimates(status, "brier"))
    assert chart.name == "windows-estimated_brier"
    assert "Dots: the realised loss of windows with labels for 80 % of their rows. Estimated Brier score" in chart.note
    assert "trusted; no labels to check it yet." in chart.note


def test_where_nothing_was_estimated_nothing_is_drawn(status: MonitorStatus) -> None:
    assert estimate_charts(status) == ()


def test_one_window_is_singular(status: MonitorStatus) -> None:
    (chart,) = estimate_charts(with_estimates(status, "error", windows=1))
    assert chart.drawings[0].summary.startswith(
        "Estimated error rate in 1 window, last 20.0 % between 10.0 % and 30.0 %"
    )
