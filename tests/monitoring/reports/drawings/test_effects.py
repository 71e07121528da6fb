from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from monitoring.reports.drawings.effects import Effects, effects_drawing
from monitoring.reports.drawings.series import SMALL_TALL
from tests.monitoring.reports.drawings.path_points import points_of

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
