from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monitoring.dashboard.incident.example_rows import answer_words, label_words, value_words
from monitoring.tasks.classification import Classification
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.number_codes import number_codes
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.regression import Regression

CLASSES = Classification(classes=("on_time", "late"))


def test_a_class_has_its_probability_and_a_broken_answer_none() -> None:
    assert answer_words(CLASSES, np.array([[0.1, 0.9], [np.nan, 1.0]])) == ("late, 0.9", "invalid")


def test_labels_are_classes_unknown_ones_or_none() -> None:
    codes = CLASSES.label_codes(pa.chunked_array([["late", "lost", None]]))
    assert label_words(CLASSES, codes) == ("late", "unknown class", "\u2013")


def test_several_classes_are_listed() -> None:
    task = Multilabel(classes=("a", "b", "c"))
    assert answer_words(task, np.array([[0.9, 0.1, 0.8], [0.1, 0.2, 0.3]])) == ("a, c", "none")


def test_numbers_are_numbers() -> None:
    task = Regression()
    assert answer_words(task, np.array([[1234.5678]])) == ("1,235",)
    assert label_words(task, number_codes(pa.chunked_array([["2.5", None]]))) == ("2.5", "\u2013")
    assert label_words(task, number_codes(pa.chunked_array([[None]], pa.string()))) == ("\u2013",)


def test_ids_are_named_if_they_often_stand_first_and_can_be_told_apart_else() -> None:
    task = Ranking(places=3, scored=True, first=((2**52, "LAX"),))
    answers = np.array([[2.0**52, 2.0**51 + 255, 0.0, 0.9, 0.5, 0.0]])
    assert answer_words(task, answers) == ("LAX, #0000ff",)
    labels = np.array([[2**51 + 255, 2**52, -1], [-1, -1, -1]])
    assert label_words(task, labels) == ("#0000ff, LAX", "\u2013")
    assert answer_words(task, answers, {2**51 + 255: "J\nFK"}) == ("LAX, J\ufffdFK",)
    assert label_words(task, labels, {2**51 + 255: "JFK"}) == ("JFK, LAX", "\u2013")


@pytest.mark.parametrize(
    ("value", "words"), [(float("nan"), "\u2013"), (None, "\u2013"), (0.1 + 0.2, "0.3"), ("a\n", "a\ufffd")]
)
def test_inputs_in_words(value: float | str | None, words: str) -> None:
    assert value_words(value) == words
