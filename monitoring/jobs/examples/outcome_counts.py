"""Counts of answers against labels, and residuals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitoring.tasks.ranking import Ranking
from monitoring.tasks.row_operations import row_choices
from monitoring.tasks.task import Floats, Task, Whole


def confusion_counts(answers: Floats, labels: Whole) -> NDArray[np.int64]:
    """How many rows of each class were answered with each class, where a row has one.

    Args:
        answers: Probabilities, [n, classes].
        labels: Indices of classes, [n].

    Returns:
        int64 [classes, classes]: label, then answer.

    >>> confusion_counts(np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]), np.array([0, 1, 1])).tolist()
    [[1, 0], [1, 1]]
    """
    width = answers.shape[1]
    places = labels * width + row_choices(answers) if len(answers) else np.zeros(0, dtype=np.int64)
    return np.bincount(places, minlength=width * width).reshape(width, width)


def shares_of_rows(counts: NDArray[np.int64]) -> Floats:
    """Counts as shares of the sum of their row; NaN in a row without any."""
    totals = counts.sum(axis=1, keepdims=True)
    return np.where(totals > 0, counts / np.maximum(totals, 1), np.nan)


def decision_rates(task: Task, answers: Floats, labels: Whole) -> tuple[Floats, NDArray[np.int64]]:
    """How often each class was missed, and answered where it is not, where a row may have several.

    Args:
        answers: Probabilities, [n, classes].
        labels: Codes of sets of classes, [n].

    Returns:
        Shares of the rows with the class, and of those without it, [classes, 2], NaN where there are none; and how many
        rows have each class, int64 [classes].
    """
    has, answer_has = task.read_labels(labels), task.read_answers(answers)
    rows = np.stack([has.sum(axis=0), (~has).sum(axis=0)], axis=1)
    wrong = np.stack([(has & ~answer_has).sum(axis=0), (~has & answer_has).sum(axis=0)], axis=1)
    return np.where(rows > 0, wrong / np.maximum(rows, 1), np.nan), rows[:, 0].astype(np.int64)


def relevant_ranks(task: Ranking, answers: Floats, labels: Whole) -> NDArray[np.int64]:
    """Where the first relevant id of each row stood.

    Args:
        answers: [n, width].
        labels: Codes of the relevant ids, [n, relevant ids].

    Returns:
        Ranks from 1, int64 [n]; 0 where no relevant id was answered.

    >>> relevant_ranks(Ranking(places=2), np.array([[7.0, 8.0], [7.0, 8.0]]), np.array([[8, 7], [5, -1]])).tolist()
    [1, 0]
    """
    ids, relevant = task.read_answers(answers), task.read_labels(labels)
    ranks = np.zeros(len(ids), dtype=np.int64)
    for rank in range(task.places, 0, -1):
        code = ids[:, rank - 1]
        ranks[(code > 0) & (relevant == code[:, None]).any(axis=1)] = rank
    return ranks


def residuals(task: Task, answers: Floats, labels: Whole) -> Floats:
    """Label minus answer, where numbers are predicted.

    Args:
        answers: Numbers, [n, numbers].
        labels: Codes, [n] or [n, numbers].

    Returns:
        [n, numbers].
    """
    width = answers.shape[1]
    difference: Floats = task.read_labels(labels).reshape(-1, width) - task.read_answers(answers).reshape(-1, width)
    return difference
