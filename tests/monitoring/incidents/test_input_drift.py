from __future__ import annotations

import math

import pytest

from monitoring.incidents.input_drift import drifted_inputs
from tests.monitoring.incidents.alarms import alarm, windows

FOUND = windows(brier=[0.4])


def test_inputs_with_evidence_for_a_notice_are_named_once_largest_first() -> None:
    notice = {"input:x:location": 40.0, "input:x:spread": 50.0, "input:y:location": 300.0, "joint": 1000.0}
    moves = drifted_inputs(alarm("brier", FOUND, notice=notice))
    assert [move.input for move in moves] == ["y", "x"]
    assert moves[1].log_evidence == pytest.approx(math.log(50.0))


def test_an_input_below_the_threshold_of_a_notice_has_not_drifted() -> None:
    assert drifted_inputs(alarm("brier", FOUND, notice={"input:x:location": 29.9})) == ()
    assert [move.input for move in drifted_inputs(alarm("brier", FOUND, notice={"input:x:location": 30.1}))] == ["x"]


def test_evidence_without_bound_names_nothing() -> None:
    assert drifted_inputs(alarm("brier", FOUND, notice={"input:x:location": math.inf})) == ()
