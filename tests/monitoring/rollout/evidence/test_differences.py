"""Differences of losses in every task: what no label could exceed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.rollout.evidence.differences import (
    calibration_differences,
    has_expectation,
    largest_differences,
    loss_named,
    loss_scale,
    losses_of,
    paired_differences,
)
from monitoring.rollout.evidence.terms import DEFAULT
from monitoring.tasks.classification import Classification
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.ranking import MAX_RELEVANT, Ranking
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import NO_LABEL, UNKNOWN_CLASS, OutputTask, Task
from monitoring.tasks.vector_regression import VectorRegression

ROWS = 40


@dataclass(frozen=True)
class Case:
    """A task with answers and labels of it."""

    task: Task

    def answers(self, rng: np.random.Generator) -> np.ndarray:
        task = self.task
        if isinstance(task, Classification):
            found = rng.dirichlet(np.full(task.width, 0.5), ROWS)
            return found if task.has_probabilities else np.eye(task.width)[found.argmax(axis=1)]
        if isinstance(task, Multilabel):
            return rng.random((ROWS, task.width)).round(1)
        if isinstance(task, Ranking):
            return rng.permuted(np.tile(np.arange(1.0, 8.0), (ROWS, 1)), axis=1)[:, : task.width]
        if isinstance(task, SeveralTasks):
            return np.concatenate([Case(one.task).answers(rng) for one in task.outputs_judged], axis=1)
        return rng.normal(0.0, 5.0, (ROWS, task.width)).round(1)

    def labels(self, rng: np.random.Generator) -> np.ndarray:
        task = self.task
        if isinstance(task, Classification):
            return rng.choice([UNKNOWN_CLASS, *range(task.width)], ROWS)
        if isinstance(task, Multilabel):
            return rng.choice([UNKNOWN_CLASS, UNKNOWN_CLASS - 1, *range(1 << task.width)], ROWS)
        if isinstance(task, Ranking):
            found = np.full((ROWS, MAX_RELEVANT), NO_LABEL)
            found[:, :2] = rng.integers(1, 9, (ROWS, 2))
            return found
        if isinstance(task, SeveralTasks):
            return np.stack([Case(one.task).labels(rng).reshape(ROWS) for one in task.outputs_judged], axis=1)
        return rng.normal(0.0, 8.0, (ROWS, task.width)).view(np.int64).reshape((ROWS, -1)[: 1 + (task.width > 1)])


KIND = OutputTask(output="kind", task=Classification(classes=("no", "yes")), numbers=2)
PRICE = OutputTask(output="price", task=Regression(bound=10.0), numbers=1)
CASES = {
    "two classes": Case(Classification(classes=("no", "yes"))),
    "three classes with costs": Case(Classification(classes=("a", "b", "c"), costs=((0, 1, 2), (5, 0, 1), (9, 4, 0)))),
    "predicted classes": Case(Classification(classes=("a", "b", "c"), has_probabilities=False)),
    "any of three classes": Case(Multilabel(classes=("a", "b", "c"))),
    "a number": Case(Regression(bound=10.0, percentage=True)),
    "a quantile": Case(Regression(bound=10.0, quantile=0.9)),
    "three numbers": Case(VectorRegression(names=("x", "y"), numbers=(Regression(bound=9.0), Regression(bound=4.0)))),
    "a ranking": Case(Ranking(places=3)),
    "two outputs": Case(SeveralTasks(outputs_judged=(KIND, PRICE))),
}
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@cases
@given(st.integers(0, 1_000))
@settings(max_examples=25, deadline=None)
def test_no_label_makes_a_larger_difference_than_the_largest(case: Case, seed: int) -> None:
    rng, task = np.random.default_rng(seed), case.task
    champion, candidate = case.answers(rng), case.answers(rng)
    candidate[::3] = champion[::3]
    for loss in {loss_named(task, DEFAULT), *task.metrics}:
        largest = largest_differences(task, loss, champion, candidate)
        assert ((largest >= 0.0) & (largest <= 1.0)).all()
        assert not largest[::3].any(), "versions that answer the same need no label"
        for _ in range(5):
            found = paired_differences(task, loss, champion, candidate, case.labels(rng))
            assert (np.abs(found.values) <= largest + 1e-9).all(), loss


@cases
def test_versions_that_change_places_have_the_opposite_difference(case: Case) -> None:
    rng, task = np.random.default_rng(0), case.task
    champion, candidate, labels = case.answers(rng), case.answers(rng), case.labels(rng)
    loss = loss_named(task, DEFAULT)
    there, back = (
        paired_differences(task, loss, *pair, labels).values for pair in ((champion, candidate), (candidate, champion))
    )
    np.testing.assert_allclose(there, -back)
    assert there.any()


@cases
def test_rows_without_a_label_or_an_answer(case: Case) -> None:
    rng, task = np.random.default_rng(1), case.task
    champion, candidate, labels = case.answers(rng), case.answers(rng), case.labels(rng)
    labels[0], candidate[1] = NO_LABEL, np.nan
    loss = loss_named(task, DEFAULT)
    found = paired_differences(task, loss, champion, candidate, labels)
    assert np.isnan(found.values[0])
    assert found.values[1] == pytest.approx(1.0 - losses_of(task, loss, champion, labels)[1])
    assert found.largest[1] == 1.0
    assert np.isfinite(found.values[2:]).all()


@pytest.mark.parametrize("name", ["two classes", "three classes with costs", "any of three classes"])
@given(st.integers(0, 1_000))
@settings(max_examples=25, deadline=None)
def test_calibration_compares_what_losses_exceed_their_expectation_by(name: str, seed: int) -> None:
    rng, task = np.random.default_rng(seed), CASES[name].task
    champion, candidate, labels = CASES[name].answers(rng), CASES[name].answers(rng), CASES[name].labels(rng)
    loss = task.metrics[-1]
    assert has_expectation(task, loss)
    found = calibration_differences(task, loss, champion, candidate, labels)
    assert (np.abs(found.values) <= found.largest + 1e-9).all()
    assert found.largest.max() <= found.scale == 2.0


def test_a_version_that_is_too_sure_has_a_calibration_gap() -> None:
    rng, task = np.random.default_rng(2), Classification(classes=("no", "yes"))
    p = rng.uniform(0.5, 0.9, 20_000)
    labels = (rng.random(p.size) < p).astype(np.int64)
    champion, candidate = (np.stack([1 - q, q], axis=1) for q in (p, 0.5 + p / 2))
    found = calibration_differences(task, "error", champion, candidate, labels)
    assert paired_differences(task, "error", champion, candidate, labels).values.any() == np.False_
    assert found.values.mean() == pytest.approx((0.5 - p / 2).mean(), abs=0.01)


def test_numbers_and_rankings_promise_no_loss() -> None:
    assert not has_expectation(CASES["a number"].task, "absolute_error")
    assert not has_expectation(CASES["a ranking"].task, "recall_loss")
    assert not has_expectation(CASES["predicted classes"].task, "error")


def test_the_default_is_the_cost_where_costs_are_given_and_of_several_outputs_their_mean() -> None:
    assert loss_named(CASES["three classes with costs"].task, DEFAULT) == "cost"
    assert loss_scale(CASES["three classes with costs"].task, "cost") == 9.0
    several = CASES["two outputs"].task
    assert loss_named(several, DEFAULT) == DEFAULT
    assert loss_scale(several, DEFAULT) == 1.0
    with pytest.raises(BadInput, match=r"no such loss.*of:kind:error"):
        loss_named(several, "error")


def test_a_missing_part_of_a_label_is_no_label_for_what_needs_it() -> None:
    task = CASES["two outputs"].task
    rng = np.random.default_rng(3)
    champion, candidate, labels = (
        CASES["two outputs"].answers(rng),
        CASES["two outputs"].answers(rng),
        CASES["two outputs"].labels(rng),
    )
    labels[:, 1] = NO_LABEL
    assert np.isnan(paired_differences(task, DEFAULT, champion, candidate, labels).values).all()
    assert np.isfinite(paired_differences(task, "of:kind:error", champion, candidate, labels).values).all()
