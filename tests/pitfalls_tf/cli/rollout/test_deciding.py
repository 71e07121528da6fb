"""Flags of a rollout, and the code that a verb exits with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.records import Requirement, RolloutResult, RolloutVerdict
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.evaluation import evaluate
from monitoring.rollout.evidence.terms import as_required
from pitfalls_tf.cli.rollout.deciding import exit_code, lines, rules_of
from tests.monitoring.rollout.test_evaluation import MEASURES, windows


def test_flags_that_are_not_given_leave_the_defaults() -> None:
    assert rules_of({"loss": None, "guards": (), "wrong": None}) == DecisionRules()
    found = rules_of({"wrong": "1 in 100", "horizon": "36h", "min_effect": 0.0, "guards": ("errors",)})
    assert (found.wrong, found.horizon, found.min_effect) == (0.01, timedelta(hours=36), 0.0)
    assert [guard.name for guard in found.guards] == ["errors"]


@pytest.fixture(scope="module")
def result() -> RolloutResult:
    return evaluate(windows(0.05, days=40), MEASURES, DecisionRules())


@pytest.mark.parametrize(
    ("verdict", "promotable", "require", "code"),
    [
        ("better", True, None, 0),
        ("worse", False, None, 0),
        ("better", True, "better", 0),
        ("better", False, "better", 4),  # a guard is not shown yet
        ("no difference that matters", True, "not worse", 0),
        ("no difference that matters", False, "better", 1),
        ("no difference that matters", False, "not worse", 4),
        ("can't tell yet", False, "better", 4),
        ("worse", False, "better", 1),
    ],
)
def test_the_exit_code_is_of_the_verdict(
    result: RolloutResult, verdict: RolloutVerdict, promotable: bool, require: Requirement | None, code: int
) -> None:
    decided = replace(result, verdict=verdict, promotable=promotable, require=require or result.require)
    assert exit_code(decided, require) == code


def test_what_is_asked_counts_and_not_what_was_required_when_the_evidence_was_looked_at() -> None:
    equal = evaluate(windows(0.0, days=40), MEASURES, DecisionRules(require="not worse", guards=(), min_effect=0.1))
    assert (equal.verdict, equal.promotable) == ("no difference that matters", True)
    assert (exit_code(equal, "not worse"), exit_code(equal, "better")) == (0, 1)
    strict = evaluate(windows(0.0, days=40), MEASURES, DecisionRules(require="better", guards=(), min_effect=0.1))
    assert not strict.promotable
    assert (exit_code(strict, "not worse"), exit_code(strict, "better")) == (0, 1)
    assert as_required(strict, "not worse").reasons == ()
    assert as_required(equal, "better").reasons == strict.reasons


def test_a_guard_that_is_worse_is_told(result: RolloutResult) -> None:
    guard = result.guards[0]
    bad = replace(guard, passes=False, interval=replace(guard.interval, verdict="worse"))
    assert exit_code(replace(result, promotable=False, guards=(bad,)), "better") == 1


def test_a_result_in_words(result: RolloutResult) -> None:
    text = "\n".join(lines(result))
    assert "Error rate: better" in text
    assert "40,000 rows in 40 windows" in text
    assert "Promotion (better is required): yes" in text
    assert text.count("; evidence of harm ") == len(result.guards)
    assert "the mean over the loss and 3 guards; 20 is enough." in text
    waiting = "\n".join(lines(evaluate(windows(0.012, days=5, labelled=0.9), MEASURES, DecisionRules())))
    assert "without a label are like the others" in waiting
    assert "a verdict takes about" in waiting or "can't tell yet" in waiting
