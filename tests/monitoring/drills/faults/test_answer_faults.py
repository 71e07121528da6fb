"""Faults of answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from monitoring.drills.faults.answer_faults import ANSWER_FAULTS, answers_of, with_answers
from monitoring.drills.faults.fault import FaultScope
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.regression import Regression

FAULTS = {fault.name: fault for fault in ANSWER_FAULTS}


def planted(name: str, scope: FaultScope) -> np.ndarray:
    rows = FAULTS[name].plant(scope.sample, "", scope, np.random.default_rng(0))
    assert rows.drop_columns(["probabilities"]).equals(scope.sample.drop_columns(["probabilities"]))
    assert rows["probabilities"].type == scope.sample["probabilities"].type
    return answers_of(rows, scope.spec)


def odds(answers: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(answers[:, 1] / answers[:, 0]))


@pytest.mark.parametrize("name", ["answers-even", "answers-base-rate", "answers-one-class"])
def test_constant_answers_are_one_answer_that_is_a_distribution(name: str, scope: FaultScope) -> None:
    answers = planted(name, scope)
    assert np.ptp(answers, axis=0).max() == 0.0
    assert answers[0].sum() == pytest.approx(1.0)
    clean = answers_of(scope.sample, scope.spec).mean(axis=0)
    expected = {"answers-even": [0.5, 0.5], "answers-base-rate": clean, "answers-one-class": np.eye(2)[clean.argmax()]}
    assert answers[0] == pytest.approx(expected[name])


@pytest.mark.parametrize(
    ("name", "factor", "by"),
    [
        ("scores-flattened", 0.5, 0.0),
        ("scores-sharpened", 2.0, 0.0),
        ("scores-raised", 1.0, 0.5),
        ("scores-lowered", 1.0, -0.5),
    ],
)
def test_log_odds_change_by_so_much(name: str, factor: float, by: float, scope: FaultScope) -> None:
    before = odds(answers_of(scope.sample, scope.spec))
    assert odds(planted(name, scope)) == pytest.approx(factor * before + by, abs=1e-6)


def test_a_weaker_version_knows_less_of_the_same_rows(scope: FaultScope) -> None:
    before, after = odds(answers_of(scope.sample, scope.spec)), odds(planted("wrong-version", scope))
    assert 0.5 < np.corrcoef(before, after)[0, 1] < 0.9


def test_of_sets_of_classes_each_class_changes_by_itself(scope: FaultScope) -> None:
    sets = replace(scope, spec=replace(scope.spec, other_task=Multilabel(classes=scope.spec.classes)))
    answers = np.array([[0.2, 0.9]])
    rows = with_answers(scope.sample.slice(0, 1), answers)
    found = answers_of(FAULTS["scores-sharpened"].plant(rows, "", sets, np.random.default_rng(0)), sets.spec)
    assert found == pytest.approx(np.array([[1 / 17, 81 / 82]]))
    assert FAULTS["answers-one-class"].targets(sets) == ()


def test_numbers_have_the_faults_that_numbers_may_have(scope: FaultScope, bare: FaultScope) -> None:
    spec = replace(scope.spec, classes=(), other_task=Regression(bound=1.0))
    numbers = replace(scope, spec=spec, sample=with_answers_of_one_number(scope))
    assert [name for name, fault in FAULTS.items() if fault.targets(numbers)] == ["answers-base-rate", "wrong-version"]
    assert np.ptp(planted("answers-base-rate", numbers)) == 0.0
    assert np.ptp(planted("wrong-version", numbers)) > 0.0
    assert [name for name, fault in FAULTS.items() if fault.targets(bare)] == []


def with_answers_of_one_number(scope: FaultScope) -> pa.Table:
    values = pa.array(answers_of(scope.sample, scope.spec)[:, 0])
    return scope.sample.set_column(scope.sample.column_names.index("probabilities"), "probabilities", values)
