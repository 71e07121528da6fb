"""Calibration of a multi-label model's probabilities: one isotonic map per class, each by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.tasks.multilabel import CLASS_METRICS, METRICS, THRESHOLD, class_matrix
from monitoring.tasks.row_operations import row_sums
from monitoring.tasks.task import Task
from monitoring.watches.calibration import ClassCalibration
from monitoring.watches.estimates import ExpectedLoss

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MultilabelCalibration:
    """The calibration of every class of a multi-label model; a row's probabilities need not sum to 1."""

    task: Task
    maps: tuple[ClassCalibration, ...]
    values: tuple[Floats, ...]

    @classmethod
    def fit(cls, task: Task, probabilities: Floats, labels: Whole) -> MultilabelCalibration:
        """Fit to labelled rows.

        Args:
            probabilities: The model's probabilities, [n, classes], n > 0.
            labels: The labels' codes, [n].
        """
        truth = class_matrix(labels, task.width) > 0.0
        return cls._of(task, [ClassCalibration.fit(probabilities[:, k], truth[:, k]) for k in range(task.width)])

    def without(self, probabilities: Floats, labels: Whole) -> MultilabelCalibration:
        """The calibration on the same bins without rows that were among those fitted; arguments as of `fit`."""
        truth = class_matrix(labels, self.task.width) > 0.0
        maps = [
            calibration_map.without(probabilities[:, k], truth[:, k]) for k, calibration_map in enumerate(self.maps)
        ]
        return MultilabelCalibration._of(self.task, maps)

    def calibrated(self, probabilities: Floats) -> Floats:
        """Calibrated probabilities, [n, classes], of the model's, [n, classes]."""
        pairs = zip(self.maps, self.values, strict=True)
        columns = [
            values[np.searchsorted(calibration_map.edges, probabilities[:, k], side="right")]
            for k, (calibration_map, values) in enumerate(pairs)
        ]
        return np.stack(columns, axis=1)

    def expected_losses(self, probabilities: Floats) -> dict[str, ExpectedLoss]:
        """The losses to expect of rows if classes were drawn by the calibrated probabilities (CBPE for each class).

        The variance of a mean over classes is that of classes which are drawn independently of each other.
        """
        return self.losses_drawn_by(probabilities, self.calibrated(probabilities))

    def losses_drawn_by(self, probabilities: Floats, calibrated: Floats) -> dict[str, ExpectedLoss]:
        """As `expected_losses`, with the calibrated probabilities [n, classes] known."""
        width = self.task.width
        answered = probabilities >= THRESHOLD
        wrong = np.where(answered, 1.0 - calibrated, calibrated)
        squares = calibrated * (1.0 - probabilities) ** 2 + (1.0 - calibrated) * probabilities**2
        spread = calibrated * (1.0 - calibrated)  # of the label; of the squares it is this times (1 - 2p)²
        pairs = ((wrong, spread), (squares, spread * (1.0 - 2.0 * probabilities) ** 2))
        expected = {
            metric.name: ExpectedLoss(losses=row_sums(losses) / width, variances=row_sums(variances) / width**2)
            for metric, (losses, variances) in zip(METRICS, pairs, strict=True)
        }
        for place, name in enumerate(self.task.classes):
            for metric, (losses, variances) in zip(CLASS_METRICS, pairs, strict=True):
                class_loss = ExpectedLoss(losses=losses[:, place], variances=variances[:, place])
                expected[f"{metric.name}:{name}"] = class_loss
        return expected

    @classmethod
    def _of(cls, task: Task, maps: list[ClassCalibration]) -> MultilabelCalibration:
        return cls(task=task, maps=tuple(maps), values=tuple(calibration_map.values() for calibration_map in maps))
