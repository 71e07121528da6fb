"""Records of rollouts for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from monitoring.records import (
    RolloutInterval,
    RolloutPlan,
    RolloutPromise,
    RolloutRecord,
    RolloutResult,
    RolloutVerdict,
)
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.evaluation import evaluate
from monitoring.rollout.rollout_settings import settings_text
from tests.monitoring.rollout.test_evaluation import MEASURES, windows

START = datetime(2026, 3, 1, tzinfo=UTC)

#: The mean difference of a result with each verdict, and its bounds.
_INTERVALS = {
    "better": (-0.03, -0.04, -0.02),
    "worse": (0.03, 0.02, 0.04),
    "no difference that matters": (0.0, -0.001, 0.001),
    "can't tell yet": (0.0, -0.1, 0.1),
}


def rollout(**values: Any) -> RolloutRecord:
    """A shadow of versions 42 and 43 that goes on."""
    record = RolloutRecord(
        name="flights",
        model="flights",
        champion=42,
        candidate=43,
        mode="shadow",
        share=1.0,
        salt="a",
        settings=settings_text(DecisionRules()),
        state="running",
        started_at=START,
        by="ada",
        release="1",
    )
    return replace(record, **values)


def result_of(verdict: RolloutVerdict, **values: Any) -> RolloutResult:
    """A result with a verdict."""
    mean, low, high = _INTERVALS[verdict]
    interval = RolloutInterval(mean=mean, low=low, high=high, verdict=verdict)
    found = evaluate(windows(0.0, days=3), MEASURES, DecisionRules())
    quiet = replace(found, obstacles=(), reasons=(), harm=0.0, harmful=False, promotable=False, guards=())
    return replace(quiet, verdict=verdict, interval=interval, **values)


def promised(*promises: tuple[float, RolloutVerdict, float | None]) -> RolloutPlan:
    """A plan that promises verdicts for differences within so many days, with a probability of 90 %."""
    return RolloutPlan(
        at=START,
        rows_per_day=1e3,
        disagreement=0.05,
        spread=1.0,
        coverage=0.9,
        label_delay_days=(0.5, 3.0),
        measured_on=500,
        promises=tuple(
            RolloutPromise(
                effect=effect, verdict=verdict, shares=(0.5, 0.9), days=(1.0, days), rows=(5, None), labels=(1, None)
            )
            for effect, verdict, days in promises
        ),
    )
