"""What decides a rollout: defaults, limits of guards, and texts that are refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.errors import BadInput
from monitoring.rollout.decision_rules import (
    CALIBRATION,
    ERRORS,
    GUARDS,
    LATENCY,
    SLICES,
    DecisionRules,
    GuardRule,
    parsed_budget,
    parsed_guards,
    rules_of,
)
from tests.monitoring.rollout.two_bundles import two_bundles


def test_limits_follow_the_smallest_difference_unless_they_are_given() -> None:
    rules = DecisionRules()
    assert rules.margin(1.0) == 0.005
    assert rules.margin(40.0) == 0.2
    assert rules.limit(SLICES, 40.0) == rules.limit(CALIBRATION, 40.0) == 0.8
    assert rules.limit(ERRORS, 40.0) == 0.001
    assert rules.limit(LATENCY, 40.0) == 1.2
    given = DecisionRules(min_effect=0.01, guards=parsed_guards(["slices <= 0.03", "errors<=1e-4", "latency_p99"]))
    assert given.margin(40.0) == 0.01
    assert given.limit(SLICES, 1.0) == 0.03
    assert given.limit(ERRORS, 1.0) == 1e-4
    assert given.guard(CALIBRATION) is None
    assert {guard.name for guard in DecisionRules().guards} == set(GUARDS)


def test_guards_are_read_with_and_without_a_limit() -> None:
    assert parsed_guards([" slices ", "calibration <= 0.5"]) == (
        GuardRule(name=SLICES),
        GuardRule(name=CALIBRATION, limit=0.5),
    )


@pytest.mark.parametrize(
    "text", ["", "slice", "slices < 0.1", "slices <= -1", "slices <= 0", "slices <= x", "errors <= 1e99"]
)
def test_what_is_no_guard_is_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(BadInput, match=r"Not a guard.*slices, errors, latency_p99, calibration"):
        parsed_guards([text])


def test_a_guard_is_named_once() -> None:
    with pytest.raises(BadInput, match="named twice"):
        parsed_guards(["slices", "slices <= 0.1"])


def test_a_budget_is_one_in_so_many() -> None:
    assert parsed_budget("1 in 50") == 0.02
    with pytest.raises(BadInput, match=r"Not a budget of wrong promotions.*5%"):
        parsed_budget("5%")


def test_without_a_section_rows_wait_as_long_as_the_monitors(tmp_path: Path) -> None:
    assert rules_of(two_bundles(tmp_path, "")).horizon == timedelta(days=7)
