"""MAE, RMSE, MAPE and R² of each of several predicted numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from monitoring.records import MeasuredMetric
from monitoring.tasks.task import Floats, Task, Whole
from monitoring.watches.measured.number_metrics import SUMS, NumberMetrics

ROWS = "measured rows"
POWERS = "powers"


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorMetrics:
    """The metrics of a model that predicts several numbers: those of each number, its name after a colon.

    Attributes:
        task: What the model answers.
        numbers: The metrics of each number, in the order of the answers.
    """

    task: Task
    numbers: tuple[NumberMetrics, ...]

    @classmethod
    def fit(cls, task: Task, labels: Whole) -> VectorMetrics:
        """From the labels' codes of a baseline, [n, numbers], n > 0, none absent."""
        parts = (NumberMetrics.fit(one, labels[:, place]) for place, one in enumerate(task.numbers))
        return cls(task=task, numbers=tuple(parts))

    def tally(self, answers: Floats, labels: Whole) -> dict[str, Whole]:
        """Whole numbers that can be added over batches of rows.

        Args:
            answers: Finite answers, [n, numbers].
            labels: Their labels' codes, none absent, [n, numbers].
        """
        powers = [one.tally(answers[:, [place]], labels[:, place])[POWERS] for place, one in enumerate(self.numbers)]
        return {ROWS: np.array(len(labels)), POWERS: np.concatenate(powers)}

    def measured(self, counts: Mapping[str, Whole], rng: np.random.Generator | None = None) -> list[MeasuredMetric]:
        """The metrics of some rows.

        Args:
            counts: As of `tally`, or the sum of several.
            rng: As of `NumberMetrics.measured`.

        Returns:
            Those that are defined; none without rows.
        """
        if ROWS not in counts:
            return []
        powers = counts[POWERS].reshape(len(self.numbers), len(SUMS))
        return [
            replace(metric, metric=f"{metric.metric}:{name}")
            for name, one, sums in zip(self.task.number_names, self.numbers, powers, strict=True)
            for metric in one.measured({ROWS: counts[ROWS], POWERS: sums}, rng)
        ]
