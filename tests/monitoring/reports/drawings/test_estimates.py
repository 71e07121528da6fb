from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.reports.drawings.estimates import Estimates, estimates_drawing
from monitoring.reports.drawings.series import WIDE
from tests.monitoring.reports.drawings.path_points import points_of

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
