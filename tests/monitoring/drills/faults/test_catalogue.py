"""All faults, and which fit a deployment."""

from __future__ import annotations

import pytest

from monitoring.drills.faults.catalogue import FAULTS, faults_named, fitting
from monitoring.drills.faults.fault import FaultScope
from monitoring.errors import BadInput


def test_names_are_distinct_and_every_fault_says_what_it_does() -> None:
    assert len({fault.name for fault in FAULTS}) == len({fault.title for fault in FAULTS}) == len(FAULTS) == 33
    assert all(fault.what and fault.needs for fault in FAULTS)


def test_all_faults_fit_a_model_with_both_kinds_of_inputs_and_labels(scope: FaultScope) -> None:
    planned, unfit = fitting(FAULTS, scope)
    assert [fault for fault, _ in planned] == list(FAULTS)
    assert unfit == ()


def test_what_does_not_fit_is_left_out_with_the_reason(bare: FaultScope) -> None:
    planned, unfit = fitting(FAULTS, bare)
    assert planned == ()
    reasons = {one.fault: one.reason for one in unfit}
    assert reasons["unit"] == "needs a number input that varies"
    assert reasons["labels-stop"] == "needs labels"
    assert len(reasons) == len(FAULTS)


def test_a_fault_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match=r"no such fault. Got units; expected one of: unit, missing, "):
        faults_named(["unit", "units"])
