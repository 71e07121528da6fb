"""Any of several classes: losses of each class by their definition, their means, and what the answers promise."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.tasks.metrics import find_metric, part_of
from monitoring.tasks.multilabel import Multilabel, class_matrix
from monitoring.tasks.task import UNKNOWN_CLASS

TASK = Multilabel(classes=("dog", "cat", "bird"))
PROBABILITY = st.floats(0.0, 1.0)


@given(st.lists(st.tuples(PROBABILITY, PROBABILITY, PROBABILITY, st.integers(0, 7)), min_size=1, max_size=20))
def test_losses_are_those_of_each_class_and_their_means(rows: list[tuple[float, float, float, int]]) -> None:
    answers, labels = np.array([row[:3] for row in rows]), np.array([row[3] for row in rows])
    found = TASK.losses(answers, labels)
    assert tuple(found) == TASK.metrics
    truth = class_matrix(labels, 3)
    for place, name in enumerate(TASK.classes):
        np.testing.assert_array_equal(found[f"class_brier:{name}"], (answers[:, place] - truth[:, place]) ** 2)
        wrong = (answers[:, place] >= 0.5) != (truth[:, place] == 1.0)
        np.testing.assert_array_equal(found[f"class_error:{name}"], wrong)
    np.testing.assert_allclose(found["macro_brier"], ((answers - truth) ** 2).mean(axis=1))
    np.testing.assert_allclose(found["hamming_error"], ((answers >= 0.5) != (truth == 1.0)).mean(axis=1))


def test_an_unknown_class_is_one_more_that_the_model_missed_and_the_known_ones_are_judged() -> None:
    answers = np.array([[1.0, 0.0, 0.0]])
    found = TASK.losses(answers, np.array([UNKNOWN_CLASS - 0b001]))
    assert found["hamming_error"].tolist() == found["macro_brier"].tolist() == [0.25]
    assert found["class_brier:dog"].tolist() == [0.0]
    assert TASK.unknown(np.array([-1, 0, 7, UNKNOWN_CLASS, UNKNOWN_CLASS - 5])).tolist() == [False] * 3 + [True] * 2


def test_classes_drawn_by_the_answers_lose_what_they_promise() -> None:
    rng = np.random.default_rng(0)
    answers = rng.random((40_000, 3))
    labels = ((rng.random(answers.shape) < answers) << np.arange(3)).sum(axis=1)
    promised, realised = TASK.expected_losses(answers, {}), TASK.losses(answers, labels)
    for metric in TASK.metrics:
        assert float(realised[metric].mean() - promised[metric].mean()) == pytest.approx(0.0, abs=0.01)


def test_every_loss_has_a_watch_its_surprise_and_a_name_for_people() -> None:
    names = [watch.name for watch in TASK.loss_watches]
    assert names == [*TASK.metrics, *(f"surprise_{metric}" for metric in TASK.metrics)]
    assert all(watch.level == "page" for watch in TASK.loss_watches)
    assert all(find_metric(metric) is not None for metric in TASK.metrics)
    assert [part_of(metric) for metric in TASK.metrics[:3]] == [None, None, "dog"]
    assert {watch.name for watch in TASK.output_watches} == set(TASK.outputs(np.full((1, 3), 0.5)))


def test_a_task_comes_back_from_json() -> None:
    assert Multilabel.of(json.loads(json.dumps(TASK.document()))) == TASK
    assert TASK.score(np.array([[0.0, 0.5, 1.0]])).tolist() == [0.5]
    assert not TASK.exclusive


@pytest.mark.parametrize("classes", [("a",), ("a", "a"), ("a|b", "c"), (" a", "b"), tuple(map(str, range(61)))])
def test_classes_that_a_label_cannot_name_are_refused(classes: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="classes of a multi-label model"):
        Multilabel(classes=classes).check()
