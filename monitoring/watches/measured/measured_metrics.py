"""Which metrics are shown of a task, fitted to a baseline."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from monitoring.baseline.predictions import Predictions
from monitoring.tasks.classification import Classification
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import Task
from monitoring.tasks.vector_regression import VectorRegression
from monitoring.watches.measured.class_metrics import ClassMetrics
from monitoring.watches.measured.number_metrics import NumberMetrics
from monitoring.watches.measured.output_metrics import OutputMetrics
from monitoring.watches.measured.ranking_metrics import RankingMetrics
from monitoring.watches.measured.vector_metrics import VectorMetrics

MeasuredMetrics: TypeAlias = ClassMetrics | NumberMetrics | VectorMetrics | RankingMetrics | OutputMetrics


def fit_measured(task: Task, reference: Predictions, threshold: float | None = None) -> MeasuredMetrics | None:
    """The metrics that are shown of a task.

    Args:
        reference: The rows of a baseline.
        threshold: From which probability on a row counts as of the second of two classes, or as having a class.

    Returns:
        The metrics; None without labelled rows, or where no loss is known.
    """
    known = np.isfinite(reference.probabilities).all(axis=1) & has_label(reference.labels)
    if isinstance(task, SeveralTasks) and known.any():
        return OutputMetrics.fit(task, reference.probabilities[known], reference.labels[known], threshold)
    known &= ~task.unknown(reference.labels)
    if not known.any():
        return None
    if isinstance(task, Classification | Multilabel):
        return ClassMetrics.fit(task, reference.probabilities[known], threshold)
    if isinstance(task, VectorRegression):
        return VectorMetrics.fit(task, reference.labels[known])
    if isinstance(task, Ranking):
        return RankingMetrics(task=task)
    return NumberMetrics.fit(task, reference.labels[known]) if isinstance(task, Regression) else None
