from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from monitoring.evidence.conformal import ConformalTest
from monitoring.incidents.rearm import harm_group, have_fallen, incident_offsets, lowered_offsets, same_harm
from monitoring.records import Direction, IncidentRecord, WatchKey
from tests.monitoring.incidents.alarms import WATCHES, baseline, windows

NOW = datetime(2013, 5, 1, tzinfo=UTC)
BRIER = WatchKey(watch="brier")
OUTPUT = WatchKey(watch="output:late")


def fitted(mean: float, direction: Direction = "up") -> ConformalTest:
    rng = np.random.default_rng(0)
    return ConformalTest.fit(mean + 0.02 * rng.standard_normal(60), tolerance=0.0, direction=direction)


def incident(watch: str, part: str = "") -> IncidentRecord:
    return IncidentRecord(
        number=1, level="page", state="open", opened_at=NOW, window_start=NOW, window_end=NOW, watch=watch, slice=part
    )


def test_losses_surprises_and_estimates_are_one_harm() -> None:
    assert {harm_group(WATCHES[name]) for name in ("brier", "surprise_brier", "estimated_error")} == {"loss"}
    assert harm_group(WATCHES["missing:z"]) == "integrity:z"
    assert harm_group(WATCHES["joint"]) == "joint"


@pytest.mark.parametrize(
    ("open_on", "alarm_on", "same"),
    [("", "", True), ("", "origin=EWR", True), ("origin=EWR", "", True), ("origin=EWR", "origin=JFK", False)],
)
def test_an_alarm_on_another_slice_is_another_harm(open_on: str, alarm_on: str, same: bool) -> None:
    key = WatchKey(watch="surprise_brier", slice=alarm_on)
    assert same_harm(incident("brier", open_on), key, WATCHES) is same


def test_an_alarm_of_another_group_is_another_harm() -> None:
    assert not same_harm(incident("brier"), WatchKey(watch="missing:z"), WATCHES)
    assert not same_harm(incident("schema", "temp"), BRIER, WATCHES)


def test_an_offset_is_where_the_watch_stands_and_a_standard_error_more() -> None:
    test = fitted(0.15)
    offsets = incident_offsets({BRIER: test}, windows(brier=[0.24, 0.26, 0.25, 0.25]), baseline())
    assert offsets[BRIER] == pytest.approx(0.1 + test.std / 2.0)


def test_what_has_not_left_its_baseline_has_no_offset() -> None:
    near = windows(brier=[0.151, 0.149], output__late=[0.001, -0.002])
    assert incident_offsets({BRIER: fitted(0.15), OUTPUT: fitted(0.0, "both")}, near, baseline()) == {}


def test_a_fall_is_an_offset_of_a_two_sided_watch_only() -> None:
    low = windows(brier=[0.05] * 4, output__late=[-0.1] * 4)
    offsets = incident_offsets({BRIER: fitted(0.15), OUTPUT: fitted(0.0, "both")}, low, baseline())
    assert list(offsets) == [OUTPUT]
    assert offsets[OUTPUT] < -0.1


def test_when_part_of_the_harm_is_gone_its_return_counts() -> None:
    test = fitted(0.15)
    lower = lowered_offsets({BRIER: 0.1}, {BRIER: test}, windows(brier=[0.17] * 10), baseline())
    assert 0.02 < lower[BRIER] < 0.04
    gone = lowered_offsets({BRIER: 0.1}, {BRIER: test}, windows(brier=[0.15] * 10), baseline())
    assert gone == {BRIER: 0.0}


def test_an_offset_stays_while_the_harm_does_and_before_ten_windows() -> None:
    test = fitted(0.15)
    assert lowered_offsets({BRIER: 0.1}, {BRIER: test}, windows(brier=[0.25] * 10), baseline()) == {}
    assert lowered_offsets({BRIER: 0.1}, {BRIER: test}, windows(brier=[0.15] * 9), baseline()) == {}


def test_after_an_alarm_the_same_harm_is_quiet_and_more_of_it_is_told() -> None:
    """The level's own step with an offset: staying raises nothing, three deviations more does within a few windows."""
    test = fitted(0.15)
    rng = np.random.default_rng(1)
    state = test.initial_state()
    for score in 0.25 + test.std * rng.standard_normal(40):
        state = test.step(state, float(score), offset=0.1)
    assert state.log_evidence < np.log(365.0)
    for score in 0.25 + 3.0 * test.std + test.std * rng.standard_normal(5):
        state = test.step(state, float(score), offset=0.1)
    assert state.log_evidence > np.log(365.0)


def test_the_way_back_is_no_change_of_a_two_sided_watch() -> None:
    test = fitted(0.5, "both")
    state = test.initial_state()
    for _ in range(30):
        state = test.step(state, 0.5, offset=0.1)
    assert state.log_evidence < np.log(30.0)
    fallen = replace(test.initial_state())
    for _ in range(6):
        fallen = test.step(fallen, 0.5 - 4.0 * test.std, offset=0.1)
    assert fallen.log_evidence > np.log(30.0), "beyond the baseline on the other side it is"


@pytest.mark.parametrize(
    ("error", "brier", "fallen"),
    [(0.15, 0.1, True), (0.15, 0.16, False), (0.25, 0.1, False), (None, 0.1, True), (None, None, False)],
)
def test_losses_have_fallen_where_labels_say_so_of_each(error: float | None, brier: float | None, fallen: bool) -> None:
    found = windows(error=[error] * 4, brier=[brier] * 4, calibration_slope=[0.9] * 4)
    assert have_fallen("", found, baseline()) == fallen
    assert not have_fallen("origin=EWR", found, baseline()), "of a slice without losses labels say nothing"
