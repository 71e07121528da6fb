"""Which metrics are shown of a task, fitted to a baseline."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from monitoring.baseline.predictions import Predictions
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.task import Task
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
    if task.outputs_judged and known.any():
        return OutputMetrics.fit(task, reference.probabilities[known], reference.labels[known], threshold)
    known &= ~task.unknown(reference.labels)
    if not known.any():
        return None
    if task.classes:
        return ClassMetrics.fit(task, reference.probabilities[known], threshold)
    if len(task.numbers) > 1:
        return VectorMetrics.fit(task, reference.labels[known])
    if task.ranking is not None:
        return RankingMetrics(task=task.ranking)
    return NumberMetrics.fit(task.numbers[0], reference.labels[known]) if task.numbers else None
