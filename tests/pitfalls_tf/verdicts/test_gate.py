"""The release gate: its rule, and that a verdict is valid for its own runs only."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.verdicts import gate as gates
from pitfalls_tf.verdicts.gate import ReleaseGate, check_same_model
from pitfalls_tf.verdicts.scores import SCHEMA, Scores

if TYPE_CHECKING:
    from pathlib import Path

PASSING = ReleaseGate(
    setup="new",
    against="old",
    fingerprint="f",
    metric="brier",
    smallest=0.005,
    outcome="better",
    worst_domain="lga",
    worst_outcome="better",
    gain=0.02,
    low=0.01,
    high=0.03,
)


@pytest.mark.parametrize(
    ("word", "worst_outcome", "passes"),
    [
        ("better", "better", True),
        ("inconclusive", "better", True),
        ("worse", "better", False),
        ("better", "inconclusive", False),
        ("better", "worse", False),
        ("worse", "worse", False),
    ],
)
def test_the_gate_requires_better_in_the_worst_domain_and_not_worse_overall(
    word: str, worst_outcome: str, *, passes: bool
) -> None:
    gate = replace(PASSING, outcome=word, worst_outcome=worst_outcome)
    assert (gate.refusal is None) is passes
    record = gate.record(forced=not passes)
    assert (record["passed"], record["forced"]) == (passes, not passes)
    assert json.loads(json.dumps(record)) == record


def test_the_refusal_distinguishes_inconclusive_from_worse() -> None:
    assert "not shown to be better" in str(replace(PASSING, worst_outcome="inconclusive").refusal)
    assert "is worse than" in str(replace(PASSING, worst_outcome="worse").refusal)


def test_a_verdict_on_other_runs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"setup": "new", "domain": "x", "seed": 0, "metric": "brier", "value": 0.1}
    scores = Scores(setup="new", origin="runs", rows=pa.Table.from_pylist([row], schema=SCHEMA))
    monkeypatch.setattr(gates, "read_scores", lambda _: scores)
    with pytest.raises(BadInput, match="about other runs"):
        check_same_model(PASSING, tmp_path)
    check_same_model(replace(PASSING, fingerprint=scores.fingerprint("brier")), tmp_path)
    check_same_model(PASSING, tmp_path / "model.keras")
