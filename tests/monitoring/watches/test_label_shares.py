"""The watches on labels themselves, of every task."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.records import WatchKey
from monitoring.tasks.classification import Classification
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.ranking import MAX_RELEVANT, Ranking
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import NO_LABEL, UNKNOWN_CLASS, OutputTask, Task
from monitoring.tasks.vector_regression import VectorRegression
from monitoring.watches.descriptions import watch_title
from monitoring.watches.label_shares import ANSWERED, LabelWatches
from tests.monitoring.watches.family_sums import label_sums

NUMBERS = np.arange(400.0).view(np.int64)


def shares(labels: LabelWatches, answers: np.ndarray, codes: np.ndarray) -> dict[str, float]:
    return {key.watch: round(one.mean, 3) for key, one in label_sums(labels, answers, codes).items() if one.rows}


def test_of_two_classes_the_second_is_watched_and_a_label_of_no_class_is_none() -> None:
    labels = LabelWatches.fit(Classification(classes=("no", "yes")), np.array([0, 1, 0, 0]))
    answers = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8], [1.0, 0.0]])
    assert shares(labels, answers, np.array([0, 1, UNKNOWN_CLASS, 0])) == {
        "label:yes": 0.25,
        f"{ANSWERED}label:yes": 0.35,
    }


def test_of_sets_of_classes_each_is_watched() -> None:
    labels = LabelWatches.fit(Multilabel(classes=("dog", "cat")), np.array([0b01, 0b11]))
    found = shares(labels, np.array([[0.5, 0.25], [0.5, 0.75]]), np.array([0b01, 0b11]))
    assert found == {"label:dog": 1.0, f"{ANSWERED}label:dog": 0.5, "label:cat": 0.5, f"{ANSWERED}label:cat": 0.5}


def test_labelled_numbers_are_watched_by_their_ranks_and_so_are_the_answers_to_them() -> None:
    labels = LabelWatches.fit(Regression(bound=10.0), NUMBERS)
    found = shares(labels, np.arange(400.0)[:, None] + 200.0, NUMBERS)
    assert found["label:location"] == pytest.approx(0.5, abs=0.01)
    assert found[f"{ANSWERED}label:location"] == pytest.approx(0.875, abs=0.01)
    assert found["label:spread"] == pytest.approx(0.5, abs=0.01)


def test_every_number_of_several_has_its_own() -> None:
    task = VectorRegression(names=("day_1", "day_2"), numbers=(Regression(), Regression()))
    labels = LabelWatches.fit(task, np.stack([NUMBERS, NUMBERS], axis=1))
    assert labels.names == ("label:day_1:location", "label:day_1:spread", "label:day_2:location", "label:day_2:spread")
    assert watch_title("label:day_2:location") == "Mean quantile of labels day_2"
    assert [part.name for part in labels.variety_parts] == ["day_1", "day_2"]


def test_of_relevant_ids_those_are_watched_that_were_never_answered_and_no_jump_is_looked_for() -> None:
    rng = np.random.default_rng(0)
    answers = rng.integers(1, 40, (400, 3)).astype(np.float64)
    codes = np.full((400, MAX_RELEVANT), NO_LABEL)
    codes[:, 0] = rng.integers(1, 40, 400)
    labels = LabelWatches.fit(Ranking(places=3).fitted(answers), codes)
    assert labels.names == ("label:new_ids", "label:common_ids")
    assert labels.jumping == labels.class_names == ()
    assert shares(labels, answers, codes)["label:new_ids"] == 0.0
    codes[:100, 0] += 10_000
    assert shares(labels, answers, codes)["label:new_ids"] == 0.25


def test_outputs_with_a_label_each_have_their_own_and_count_the_rows_that_have_it() -> None:
    kind = OutputTask(output="kind", task=Classification(classes=("no", "yes")), numbers=2)
    price = OutputTask(output="price", task=Regression(bound=10.0), numbers=1)
    task = SeveralTasks(outputs_judged=(kind, price))
    codes = np.stack([np.array([0, 1, NO_LABEL, 0]), NUMBERS[:4]], axis=1)
    labels = LabelWatches.fit(task, codes)
    answers = np.array([[0.5, 0.5, 1.0]] * 4)
    sums = label_sums(labels, answers, codes)
    assert sums[WatchKey(watch="of:kind:label:yes")].rows == 3
    assert sums[WatchKey(watch="of:price:label:location")].rows == 4
    assert labels.class_names == ("of:kind:label:yes",)
    assert labels.jumping == ("of:kind:label:yes", "of:price:label:location")
    _, variety = labels.tallies(answers, codes)
    assert variety.shape[0] == 1


@pytest.mark.parametrize("task", [Classification(classes=("no", "yes")), Regression()])
def test_without_labels_nothing_is_watched(task: Task) -> None:
    assert LabelWatches.fit(task, np.zeros(0, dtype=np.int64)).watches == ()
