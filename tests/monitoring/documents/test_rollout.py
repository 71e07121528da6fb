"""Rollouts as documents."""

from __future__ import annotations

from dataclasses import replace

from monitoring.documents.rollout import replay_document, result_document, rollout_document
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.evaluation import evaluate
from tests.monitoring.rollout.test_evaluation import MEASURES, windows
from tests.monitoring.store.test_rollouts import PLAN, RECORD, STARTED


def test_a_result_is_told_whole() -> None:
    found = evaluate(windows(0.05, days=40), MEASURES, DecisionRules())
    document = result_document(found).plain()
    assert document["verdict"] == document["decided"]["verdict"] == "better"
    assert document["difference"]["high"] < -document["min_effect"]
    assert document["promotion"] == {"allowed": True, "require": "better", "reasons": []}
    assert document["harm"]["threshold"] == 20.0
    assert {guard["name"] for guard in document["guards"]} == {"origin=EWR", "origin=JFK", "errors"}
    assert len(document["looks"]) == len(document["windows"]) == 40
    replay = replay_document(found, ["A note."], replace(RECORD, number=3), 7).plain()
    assert {**document, "notes": ["A note."]} == {name: replay[name] for name in (*document, "notes")}
    assert (replay["rollout"], replay["versions"], replay["scored"]) == (3, {"champion": 42, "candidate": 43}, 7)
    assert replay_document(found, []).plain()["versions"] is None


def test_a_rollout_has_a_verdict_from_its_beginning() -> None:
    document = rollout_document(replace(RECORD, plan=PLAN), [STARTED]).plain()
    assert (document["verdict"], document["result"], document["state"]) == ("can't tell yet", None, "running")
    assert document["plan"]["promises"][0]["days"] == [3.0, None]
    assert document["events"] == [{"at": "2026-03-01T00:00:00Z", "kind": "started", "by": "ada", "text": "Begun."}]
    found = evaluate(windows(-0.05, days=12), MEASURES, DecisionRules())
    assert rollout_document(replace(RECORD, result=found), []).plain()["verdict"] == "worse"
