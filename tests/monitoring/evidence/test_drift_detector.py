"""The drift detector is the monitor's test for one watch, in the interface of other libraries."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring import DriftDetector
from monitoring.errors import BadInput
from monitoring.evidence.autocorrelation import ar1_update_due, level_ar1
from monitoring.evidence.budget import Budget
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.drift_detector import DriftDirection
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.records import SCORE_ONE, Direction, ScoreSum, WatchKey

ERROR = WatchKey(watch="error")

#: Multiples of 2^-20, so that a sum over rows has exactly this mean.
scores = st.integers(0, 1 << 20).map(lambda units: units / (1 << 20))


def alarms(detector: DriftDetector, stream: NDArray[np.float64]) -> list[int]:
    """The indices at which the detector alarms."""
    found = []
    for index, score in enumerate(stream.tolist()):
        detector.update(score)
        if detector.drift_detected:
            found.append(index)
    return found


@settings(deadline=None)
@given(
    reference=st.lists(scores, min_size=5, max_size=70),
    stream=st.lists(scores, min_size=1, max_size=25),
    direction=st.sampled_from(["up", "both"]),
    tolerance=st.sampled_from([0.0, 0.01, 0.3]),
)
def test_its_evidence_is_that_of_the_monitors_level_with_one_watch_to_the_last_bit(
    reference: list[float], stream: list[float], direction: Direction, tolerance: float
) -> None:
    known = np.array(reference)
    detector = DriftDetector(known, average_run_length=365, direction=direction, tolerance=tolerance)
    test = ConformalTest.fit(known, tolerance=tolerance, direction=direction, ar1=level_ar1({ERROR: known})[ERROR])
    level = LevelTest(
        level="page", budget=Budget(alarms=1, windows=365), tests={ERROR: test}, shares={ERROR: 1.0}, min_rows=1
    )
    state, live = LevelState(), list[float]()
    for window, score in enumerate(stream):
        if ar1_update_due(window):
            state = replace(state, ar1=level_ar1({ERROR: known}, {ERROR: [np.array(live)]}))
        state, reading = level.with_ar1(state.ar1).step(state, {ERROR: ScoreSum(1, int(score * SCORE_ONE))})
        detector.update(score)
        assert detector.log_evidence == reading.log_evidence
        assert detector.evidence == reading.evidence
        assert detector.drift_detected == reading.alarm
        if reading.alarm:
            return
        live.append(score)


@settings(deadline=None)
@given(
    reference=st.lists(scores, min_size=5, max_size=40),
    stream=st.lists(scores, min_size=1, max_size=45),
    cut=st.integers(0, 45),
    direction=st.sampled_from(["up", "down", "both"]),
)
def test_a_detector_restored_from_json_continues_to_the_last_bit(
    reference: list[float], stream: list[float], cut: int, direction: DriftDirection
) -> None:
    whole = DriftDetector(reference, average_run_length=20, direction=direction, tolerance=0.001)
    restored = DriftDetector(reference, average_run_length=20, direction=direction, tolerance=0.001)
    for index, score in enumerate(stream):
        if index == cut:
            restored = DriftDetector.from_json(restored.to_json())
        whole.update(score)
        restored.update(score)
        assert restored.log_evidence == whole.log_evidence
        assert restored.drift_detected == whole.drift_detected
        assert (restored.n_windows, restored.ar1) == (whole.n_windows, whole.ar1)
    assert restored.to_json() == whole.to_json()
    assert (restored.direction, restored.tolerance, restored.threshold) == (direction, 0.001, 20.0)


@pytest.mark.parametrize("windows", [20, 90])
@pytest.mark.parametrize("direction", ["up", "both"])
def test_a_stationary_stream_has_at_most_the_false_alarms_of_the_average_run_length(
    windows: int, direction: DriftDirection
) -> None:
    rng = np.random.default_rng(windows)
    counts = []
    for _ in range(60):
        detector = DriftDetector(rng.normal(0.2, 0.02, windows), average_run_length=50, direction=direction)
        counts.append(len(alarms(detector, rng.normal(0.2, 0.02, 150))))
    standard_error = np.std(counts, ddof=1) / np.sqrt(len(counts))
    assert np.mean(counts) <= 150 / 50 + 3 * standard_error
    assert np.mean(counts) > 0.0


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_a_fall_is_a_rise_of_the_mirrored_scores(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference, stream = rng.normal(0.5, 0.02, 40), rng.normal(0.45, 0.02, 30)
    falls = DriftDetector(reference, direction="down", average_run_length=30)
    rises = DriftDetector(-reference, direction="up", average_run_length=30)
    found = alarms(falls, stream)
    assert found == alarms(rises, -stream)
    assert found


@pytest.mark.parametrize(("direction", "shift"), [("up", -0.1), ("down", 0.1)])
def test_a_change_to_the_other_side_is_no_drift(direction: DriftDirection, shift: float) -> None:
    rng = np.random.default_rng(4)
    detector = DriftDetector(rng.normal(0.5, 0.02, 40), direction=direction, average_run_length=30)
    assert alarms(detector, rng.normal(0.5 + shift, 0.02, 60)) == []
    two_sided = DriftDetector(rng.normal(0.5, 0.02, 40), direction="both", average_run_length=30)
    assert alarms(two_sided, rng.normal(0.5 + shift, 0.02, 60))[0] <= 5


def test_a_change_within_the_tolerance_is_no_drift() -> None:
    rng = np.random.default_rng(5)
    reference, stream = rng.normal(0.2, 0.02, 60), rng.normal(0.23, 0.02, 100)
    assert alarms(DriftDetector(reference, average_run_length=100), stream)
    assert not alarms(DriftDetector(reference, average_run_length=100, tolerance=0.04), stream)


def test_after_an_alarm_the_next_window_starts_the_test_anew() -> None:
    rng = np.random.default_rng(6)
    detector = DriftDetector(rng.normal(0.2, 0.02, 60), average_run_length=100)
    stream = rng.normal(0.35, 0.02, 30)
    first, second = alarms(detector, stream)[:2]
    again = DriftDetector(rng.normal(0.2, 0.02, 60), average_run_length=100)
    assert second - first >= 2
    for score in stream[: first + 1].tolist():
        again.update(score)
    assert (again.n_windows, again.drift_detected) == (first + 1, True)
    assert again.evidence >= again.threshold
    again.update(0.2)
    assert (again.n_windows, again.drift_detected) == (1, False)
    again.reset()
    assert (again.n_windows, again.evidence) == (0, 0.0)


def test_the_autocorrelation_is_re_estimated_from_live_windows() -> None:
    rng = np.random.default_rng(7)
    stream = np.zeros(80)
    for window in range(1, 80):
        stream[window] = 0.6 * stream[window - 1] + rng.normal(0.0, 0.016)
    detector = DriftDetector(rng.normal(0.2, 0.02, 20), average_run_length=1e6)
    assert detector.ar1 == 0.0
    alarms(detector, 0.2 + stream)
    assert detector.ar1 > 0.2


def test_with_an_assumed_standard_deviation_the_autocorrelation_stays() -> None:
    reference, slow = np.random.default_rng(10).normal(0.2, 0.001, 20), 0.2 + 0.001 * np.sin(np.arange(60) / 5.0)
    observed = DriftDetector(reference, average_run_length=1e6)
    assumed = DriftDetector(reference, average_run_length=1e6, min_std=0.05)
    assert observed.ar1 == assumed.ar1 == 0.0
    alarms(observed, slow)
    alarms(assumed, slow)
    assert assumed.ar1 == 0.0
    assert observed.ar1 > 0.3


def test_only_the_latest_windows_are_kept_for_updates() -> None:
    rng = np.random.default_rng(9)
    detector = DriftDetector(rng.normal(0.2, 0.02, 20), average_run_length=1e9)
    stream = rng.normal(0.2, 0.02, 1281)
    alarms(detector, stream)
    kept = json.loads(detector.to_json())["segments"]
    assert [float.fromhex(score) for score in kept[0]] == stream[-641:].tolist()


def test_windows_before_and_after_an_alarm_are_separate_segments() -> None:
    rng = np.random.default_rng(8)
    reference = rng.normal(0.2, 0.02, 40)
    quiet, harmed = rng.normal(0.2, 0.02, 30), rng.normal(0.4, 0.02, 3)
    detector = DriftDetector(reference, average_run_length=1000)
    (first,) = alarms(detector, np.concatenate([quiet, harmed[:2]]))
    after = rng.normal(0.2, 0.02, 9)
    assert alarms(detector, after) == []  # 41 windows: the update at 40 has both segments
    live = [np.concatenate([quiet, harmed])[:first], after[: 40 - first - 1]]
    assert detector.ar1 == level_ar1({0: reference}, {0: live})[0]


@pytest.mark.parametrize(
    ("reference", "settings", "message"),
    [
        ([0.1, 0.2], {}, "too few windows"),
        ([0.1, 0.2, float("nan"), 0.1, 0.2], {}, "not finite"),
        ([0.1] * 9, {"average_run_length": 1.0}, "average run length"),
        ([0.1] * 9, {"average_run_length": float("inf")}, "average run length"),
        ([0.1] * 9, {"direction": "sideways"}, "direction"),
        ([0.1] * 9, {"tolerance": -0.1}, "tolerance"),
        ([0.1] * 9, {"min_std": 0.0}, "min_std"),
    ],
)
def test_settings_out_of_range_are_refused(reference: list[float], settings: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        DriftDetector(reference, **settings)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_not_finite_is_refused_and_changes_nothing(score: float) -> None:
    detector = DriftDetector([0.1, 0.2, 0.15, 0.12, 0.18])
    before = detector.to_json()
    with pytest.raises(BadInput, match="Not a window score"):
        detector.update(score)
    assert detector.to_json() == before


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1}', '{"format": 1, "reference": 3}', "null"])
def test_text_that_it_did_not_save_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="Not a saved drift detector"):
        DriftDetector.from_json(text)


def test_a_later_format_is_refused() -> None:
    text = DriftDetector([0.1, 0.2, 0.15, 0.12, 0.18]).to_json().replace('"format": 1', '"format": 2')
    with pytest.raises(BadInput, match="format 2"):
        DriftDetector.from_json(text)


def test_it_loads_numpy_and_neither_frameworks_nor_tables() -> None:
    script = (
        "import sys; from monitoring import DriftDetector; DriftDetector([0.1, 0.2, 0.3, 0.2, 0.1]).update(0.2); "
        "print([m for m in ('tensorflow', 'keras', 'pyarrow', 'pandas', 'sqlalchemy', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
