from __future__ import annotations

import numpy as np
import pyarrow as pa

from monitoring.inspection.outcomes import decision_rates, relevant_ranks, residuals, shares_of_rows
from monitoring.tasks.classification import Classification
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import NO_LABEL


def test_rows_are_counted_by_label_and_answer() -> None:
    answers = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1]])
    counts = Classification(classes=("a", "b", "c")).confusion_counts(answers, np.array([2, 1, 1, 1]))
    assert counts.tolist() == [[0, 0, 0], [1, 2, 0], [0, 0, 1]]
    shares = shares_of_rows(counts)
    assert np.isnan(shares[0]).all()
    assert shares[1].round(3).tolist() == [0.333, 0.667, 0.0]
    none = Classification(classes=("a", "b")).confusion_counts(np.zeros((0, 2)), np.zeros(0, np.int64))
    assert none.tolist() == [[0, 0], [0, 0]]


def test_each_class_of_several_is_missed_or_answered_where_it_is_not() -> None:
    task = Multilabel(classes=("a", "b"))
    labels = task.label_codes(pa.chunked_array([["a", "a|b", "b"]]))
    rates, rows = decision_rates(task, np.array([[0.9, 0.9], [0.1, 0.9], [0.2, 0.8]]), labels)
    assert rows.tolist() == [2, 2]
    assert rates.tolist() == [[0.5, 0.0], [0.0, 1.0]]


def test_a_residual_is_the_label_minus_the_answer() -> None:
    task = Regression()
    labels = task.label_codes(pa.chunked_array([["3", "1.5"]]))
    assert residuals(task, np.array([[1.0], [2.0]]), labels).tolist() == [[2.0], [-0.5]]


def test_the_rank_is_that_of_the_first_relevant_id_and_empty_places_are_none() -> None:
    answers = np.array([[7.0, 8.0, 9.0], [7.0, 8.0, 9.0], [7.0, 0.0, 0.0], [7.0, 8.0, 9.0]])
    labels = np.array([[9, 8], [9, NO_LABEL], [5, NO_LABEL], [7, 8]])
    assert relevant_ranks(Ranking(places=3), answers, labels).tolist() == [2, 3, 0, 1]
    assert relevant_ranks(Ranking(places=3), np.zeros((0, 3)), labels[:0]).tolist() == []
