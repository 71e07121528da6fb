from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitoring.config import load_config
from monitoring.deployment.deployment import Deployment, deploy
from monitoring.evidence.level import LevelState
from monitoring.judging.level_evidence import excluded_watches, step_excluding
from monitoring.records import SCORE_ONE, EstimateRecord, IntervalChecks, ScoreSum, WatchKey


@pytest.fixture
def deployment(deployed: Path) -> Deployment:
    return deploy(load_config(deployed / "monitor.toml"))


def record(*, trusted: bool) -> EstimateRecord:
    empty: dict[str, Any] = dict.fromkeys(["value", "low", "high", "expected", "half", "realised"])
    return EstimateRecord(
        method="calibrated",
        metric="error",
        rows=0,
        checked=0,
        trusted=True,
        interval_checks=IntervalChecks(trusted=trusted),
        **empty,
    )


def test_shares_sum_to_one_and_one_level_at_a_time_tests_an_estimate(deployment: Deployment) -> None:
    tests = deployment.reference_fit.tests
    key = WatchKey(watch="estimated_error")
    for level in tests:
        assert sum(tests[level].shares.values()) == pytest.approx(1.0)
        assert tests[level].shares[key] > 0
    assert key not in excluded_watches(tests["page"], [record(trusted=True)])
    assert key in excluded_watches(tests["notice"], [record(trusted=True)])
    assert key in excluded_watches(tests["page"], [record(trusted=False)])
    assert key not in excluded_watches(tests["notice"], [record(trusted=False)])


def test_an_excluded_watch_loses_its_evidence_and_starts_again_without_any(deployment: Deployment) -> None:
    test = deployment.reference_fit.tests["page"]
    key = WatchKey(watch="estimated_error")
    bad = {key: ScoreSum(60, 50 * SCORE_ONE)}
    state, reading = test.step(LevelState(), bad)
    without = step_excluding(test, state, bad, frozenset({key}))
    assert without.reading.log_evidence < reading.log_evidence
    assert key not in {one.key for one in without.reading.watches}
    again = step_excluding(test, without.state, bad, frozenset())
    assert again.reading.log_evidence == reading.log_evidence
    assert again.state.watches[key] == state.watches[key]
