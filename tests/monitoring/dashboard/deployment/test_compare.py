from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from monitoring.dashboard.deployment.compare import BASELINE, ComparedSide, CompareView, compare_view
from monitoring.dashboard.view.history import DeploymentHistory
from monitoring.records import BaselineScore, Finding, ScoreRecord, WindowRecord
from monitoring.watches.descriptions import NOTHING

UTC = ZoneInfo("UTC")
KNOWN = BaselineScore(level="page", watch="error", slice="", mean=0.2, deviation=0.02, tolerance=0.01, windows=90)


def window(history: DeploymentHistory, place: int, value: float | None) -> WindowRecord:
    scores = (ScoreRecord(level="page", watch="error", slice="", rows=9, value=value, log_evidence=1.0),)
    return replace(history.windows[place], scores=scores)


def compared(history: DeploymentHistory, a: WindowRecord | None, b: WindowRecord | None) -> CompareView:
    sides = (ComparedSide.of(a, UTC), ComparedSide.of(b, UTC))
    return compare_view(sides, history.summary, (KNOWN,), history.windows[-3:], "/d/shop/1")


def test_two_windows_are_compared_watch_by_watch(history: DeploymentHistory) -> None:
    view = compared(history, window(history, 9, 0.3), window(history, 5, 0.26))
    ((_, _, *cells),) = view.scores.rows
    assert [one.text for one in cells] == ["30.0 %", "26.0 %", "+4.0 points", "2.0", "2.72", "2.72"]
    assert cells[3].value == pytest.approx(2.0)
    assert view.counted is not None
    assert view.counted.columns == ("What", f"A: {view.a.title}", f"B: {view.b.title}")
    assert view.choices[0][0] == BASELINE
    assert {view.a.key, view.b.key} < {key for key, _ in view.choices}
    assert len(view.choices) == 6


def test_a_window_is_compared_with_the_baseline(history: DeploymentHistory) -> None:
    found = Finding(kind="column missing", feature="visib", message="visib was absent", fact=True)
    view = compared(history, replace(window(history, 9, 0.3), findings=(found,)), None)
    ((_, _, *cells),) = view.scores.rows
    assert [one.text for one in cells] == ["30.0 %", "20.0 %", "+10.0 points", "5.0", "2.72", NOTHING]
    assert (view.b.key, view.b.title, view.b_href) == (BASELINE, "Baseline", "")
    assert [[one.text for one in row][:2] for row in view.findings.rows] == [["A", "column missing (pages)"]]


def test_what_one_side_lacks_is_left_open(history: DeploymentHistory) -> None:
    view = compared(history, window(history, 9, None), None)
    ((_, _, *cells),) = view.scores.rows
    assert [one.value for one in cells] == [None, 0.2, None, None, pytest.approx(2.718281828), None]
    assert compared(history, None, None).counted is None
