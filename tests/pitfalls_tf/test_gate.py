"""The release gate as a rule, and that a verdict is only good for the runs it was about."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.verdicts import gate as gates
from pitfalls_tf.verdicts.gate import Gate, check_same_model
from pitfalls_tf.verdicts.scores import SCHEMA, Scores

if TYPE_CHECKING:
    from pathlib import Path

PASSING = Gate(
    setup="new",
    against="old",
    fingerprint="f",
    metric="brier",
    smallest=0.005,
    word="better",
    worst_domain="lga",
    worst_word="better",
    gain=0.02,
    low=0.01,
    high=0.03,
)


@pytest.mark.parametrize(
    ("word", "worst_word", "passes"),
    [
        ("better", "better", True),
        ("inconclusive", "better", True),
        ("worse", "better", False),
        ("better", "inconclusive", False),
        ("better", "worse", False),
        ("worse", "worse", False),
    ],
)
def test_better_in_the_worst_domain_and_not_worse_on_the_whole(word: str, worst_word: str, *, passes: bool) -> None:
    gate = replace(PASSING, word=word, worst_word=worst_word)
    assert (gate.refusal is None) is passes
    record = gate.record(forced=not passes)
    assert (record["passed"], record["forced"]) == (passes, not passes)
    assert json.loads(json.dumps(record)) == record


def test_inconclusive_is_said_otherwise_than_worse() -> None:
    assert "not shown to be better" in str(replace(PASSING, worst_word="inconclusive").refusal)
    assert "is worse than" in str(replace(PASSING, worst_word="worse").refusal)


def test_a_verdict_on_other_runs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"setup": "new", "domain": "x", "seed": 0, "metric": "brier", "value": 0.1}
    scores = Scores(setup="new", origin="runs", rows=pa.Table.from_pylist([row], schema=SCHEMA))
    monkeypatch.setattr(gates, "read_scores", lambda _: scores)
    with pytest.raises(BadInput, match="about another model"):
        check_same_model(PASSING, tmp_path)
    check_same_model(replace(PASSING, fingerprint=scores.fingerprint("brier")), tmp_path)
    check_same_model(PASSING, tmp_path / "model.keras")
