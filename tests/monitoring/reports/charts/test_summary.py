from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from monitoring.records import MonitorStatus
from monitoring.reports import Benchmark
from monitoring.reports.charts.summary import INK, LARGEST, PAGE, write_picture


def draw(path: Path, status: MonitorStatus, benchmark: Benchmark | None = None) -> np.ndarray:
    write_picture(status, path=path, benchmark=benchmark)
    return np.asarray(imread(path))[..., :3]


def pixels_of(picture: np.ndarray, colour: str) -> int:
    """How many pixels are of a colour, within what coarser shades may change."""
    return int((np.abs(picture - np.asarray(to_rgb(colour))).max(axis=2) < 0.02).sum())


def test_the_figure_has_its_size_its_alarm_and_its_months(
    tmp_path: Path, status: MonitorStatus, benchmark: Benchmark
) -> None:
    path = tmp_path / "docs" / "demo.png"
    picture = draw(path, status, benchmark)
    assert picture.shape == (800, 1400, 3)
    assert path.stat().st_size <= LARGEST < 150_000
    assert pixels_of(picture, PAGE) > 2_000
    assert pixels_of(picture, INK) > 3_000
    assert [entry.name for entry in path.parent.iterdir()] == ["demo.png"]


def test_same_status_gives_the_same_bytes(tmp_path: Path, status: MonitorStatus) -> None:
    draw(tmp_path / "a.png", status)
    draw(tmp_path / "b.png", status)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_page_shows_and_a_healthy_year_does_not_cry(
    tmp_path: Path, status: MonitorStatus, status_of: Callable[..., MonitorStatus]
) -> None:
    alarmed = draw(tmp_path / "alarmed.png", status)
    quiet = draw(tmp_path / "quiet.png", status_of(incidents=False))
    assert pixels_of(quiet, PAGE) < 0.75 * pixels_of(alarmed, PAGE)


@pytest.mark.parametrize("windows", [0, 1, 20])
def test_few_windows_are_drawn_too(tmp_path: Path, windows: int, status_of: Callable[..., MonitorStatus]) -> None:
    picture = draw(tmp_path / "few.png", status_of(windows=windows, incidents=False))
    assert picture.shape == (800, 1400, 3)


def test_text_from_traffic_is_not_read_as_mathematics(tmp_path: Path, status_of: Callable[..., MonitorStatus]) -> None:
    picture = draw(tmp_path / "odd.png", status_of(label="$\\frac{", model="$x^"))
    assert picture.shape == (800, 1400, 3)
