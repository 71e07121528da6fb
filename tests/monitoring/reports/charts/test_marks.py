from __future__ import annotations

import math

import pytest

from monitoring.records import MonitorStatus
from monitoring.reports.charts.marks import STRIP_WINDOWS, evidence_mark, interval_mark, strip
from monitoring.reports.sections.benchmark import Interval


def test_a_strip_has_a_bar_for_each_of_the_last_windows(status: MonitorStatus) -> None:
    drawing = strip(status.windows)
    assert sum(path.d.count("M") for path in drawing.paths) == STRIP_WINDOWS
    pages = sum(window.status == "page" for window in status.windows[-STRIP_WINDOWS:])
    assert next(path.d.count("M") for path in drawing.paths if path.style == "strip-page") == pages
    assert f"{pages} page windows" in drawing.summary


def test_fewer_windows_stand_to_the_right(status: MonitorStatus) -> None:
    (path,) = strip(status.windows[:1]).paths
    assert path.d.startswith(f"M{4 * (STRIP_WINDOWS - 1)} ")


@pytest.mark.parametrize("mean", [-5.0, 0.1, 0.2, 40.0])
def test_a_mean_beside_its_baseline_is_inside_the_mark(mean: float) -> None:
    drawing = interval_mark(Interval(mean=mean, low=mean - 0.1, high=mean + 0.1), 0.15, 0.04, "words")
    x = float(next(path.d for path in drawing.paths if path.style == "mean-dot").split()[0][1:])
    assert 0 <= x <= drawing.width
    assert drawing.summary == "words"


@pytest.mark.parametrize(
    ("evidence", "alarmed"), [(0.0, False), (1.0, False), (364.0, False), (365.1, True), (1e9, True)]
)
def test_evidence_alarms_from_its_threshold_on(evidence: float, alarmed: bool) -> None:
    log_evidence = math.log(evidence) if evidence else -math.inf
    styles = {path.style for path in evidence_mark(log_evidence, 365.0, "").paths}
    assert ("gauge-alarm" in styles, "page-mark" in styles) == (alarmed, alarmed)
