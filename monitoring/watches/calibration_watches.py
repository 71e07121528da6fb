"""Calibration watches: whether labels follow the calibrated probabilities, which harder traffic leaves as it is.

Two departures of a score test of logistic recalibration (Cox, *Two further applications of a model for binary
regression*, 1958): in the large, where a class is more or less frequent than its probabilities say; and in the slope,
where the model is too sure or not sure enough. A surprise is one-sided and of one loss: it falls where probabilities
are too near the middle, and a loss that rises with it looks like harder traffic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.records import ScoreSum, Watch, WatchKey
from monitoring.tasks.row_operations import row_sums
from monitoring.tasks.task import Task
from monitoring.watches.calibration import Calibration
from monitoring.watches.family import Counts, ScoredRows, Sums, WatchFamily
from monitoring.watches.multilabel_calibration import MultilabelCalibration
from monitoring.watches.scoring import fixed_point, fixed_point_sum
from monitoring.watches.tally import Tally

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: What precedes the class in the name of the watch on its frequency; and the watch on the slope.
RESIDUAL = "residual:"
SLOPE = "calibration_slope"

#: Logarithms are of probabilities no smaller than this, so that the score of the slope is bounded.
SMALLEST = 0.01

#: Of models with more classes, the first ones have a residual each, and all of them share the slope.
MAX_RESIDUALS = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibrationWatches(WatchFamily):
    """The watches of one classifier with a fitted calibration.

    With calibrated probabilities q and labels y, the residual of a class is ``y - q``. The score of the slope is
    ``Σ_k (y_k - q_k) (l_k - m_k)`` with ``l_k = log q_k``, of two classes ``(y - q) (logit q - m)``: but for m the
    entropy that is expected less the log loss that came. It falls where labels contradict confident answers, and rises
    where the model is righter than it says. Labels that are drawn by q have a mean of 0 in both, whatever the inputs.
    The centre m is the mean of l in the reference with the variance of a label, q (1 - q), as weight, so that the slope
    is orthogonal to the residual: a day on which a class is more frequent does not move it.

    Attributes:
        centres: m of each class; of two exclusive classes that of the second.

    >>> p = np.linspace(0.01, 0.99, 5000)
    >>> probabilities = np.stack([1 - p, p], axis=1)
    >>> labels = (np.random.default_rng(0).random(5000) < p).astype(np.int64)
    >>> from monitoring.tasks.classification import Classification
    >>> task = Classification(classes=("no", "yes"))
    >>> watches = CalibrationWatches.fit(task, Calibration.fit(probabilities, labels), probabilities)
    >>> [watch.name for watch in watches.watches]
    ['residual:yes', 'calibration_slope']
    >>> means = watches.tally(probabilities, labels) / 5000 / 2**32
    >>> [round(abs(watch.value(float(mean))), 2) for watch, mean in zip(watches.watches, means)]
    [0.0, 0.0]
    """

    task: Task
    calibration: Calibration | MultilabelCalibration
    centres: tuple[float, ...]

    @classmethod
    def fit(
        cls, task: Task, calibration: Calibration | MultilabelCalibration, probabilities: Floats
    ) -> CalibrationWatches:
        """The watches of a calibration. `probabilities`: the model's probabilities in the reference, [n, classes]."""
        calibrated = calibration.calibrated(probabilities)
        logs, variance = task.log_odds(calibrated, SMALLEST), calibrated * (1.0 - calibrated)
        if task.is_binary:
            logs, variance = logs[:, 1:] - logs[:, :1], variance[:, 1:]
        totals = variance.sum(axis=0)
        means = np.divide((variance * logs).sum(axis=0), totals, out=np.zeros(totals.size), where=totals > 0.0)
        return cls(task=task, calibration=calibration, centres=tuple(means.tolist()))

    @property
    def residual_classes(self) -> tuple[int, ...]:
        """The classes with a residual; of two exclusive classes the second, whose residual is that of both."""
        if self.task.is_binary:
            return (1,)
        return tuple(range(min(self.task.width, MAX_RESIDUALS)))

    @property
    def bound(self) -> float:
        """The largest score of the slope, to either side."""
        return -2.0 * math.log(SMALLEST)

    @property
    def watches(self) -> tuple[Watch, ...]:
        """The residual of each class, then the slope."""
        residuals = tuple(_watch(f"{RESIDUAL}{self.task.classes[index]}", bound=1.0) for index in self.residual_classes)
        return (*residuals, _watch(SLOPE, bound=self.bound))

    def group(self, watch: Watch) -> str:
        """One for all."""
        return "calibration"

    @override
    def tally_labels(self, rows: ScoredRows, labels: Whole, power: int) -> Counts:
        return {"calibration": self.tally(rows.probabilities, labels, power=power, bins=rows.bins)}

    def tally(self, probabilities: Floats, labels: Whole, *, power: int = 1, bins: Whole | None = None) -> Whole:
        """Sums of the scores of labelled rows in fixed point. Returns one sum for each watch, int64 [watches].

        Cost: of two classes some 5 ns a row, as rows of one calibration bin and label have one score.

        Args:
            probabilities: Finite probabilities of the model, [n, classes].
            labels: Their labels' codes, [n].
            bins: Of two classes: the bin of each row in the calibration, [n], where it is known.
        """
        if isinstance(self.calibration, Calibration) and self.calibration.classes == 2:
            bins = self.calibration.bins(probabilities) if bins is None else bins
            size = self.calibration.values[0].size
            # Labels of no known class are of neither, the third column.
            columns = np.where(labels < 0, 2, labels)
            counts = np.bincount(3 * bins + columns, minlength=3 * size).reshape(size, 3)
            calibrated = np.repeat(self.calibration.of_bins(np.arange(size)), 3, axis=0)
            scores = self._scores(calibrated, np.tile([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], (size, 1)))
            return np.array([int((fixed_point(score**power) * counts.ravel()).sum()) for score in scores])
        truth = self.task.truth(labels)
        scores = self._scores(self.calibration.calibrated(probabilities), truth)
        return np.array([fixed_point_sum(score**power) for score in scores])

    @override
    def label_sums(self, labelled: Tally) -> Sums:
        rows, totals = labelled.number("rows"), labelled.numbers("calibration") or (0,) * len(self.watches)
        return {
            WatchKey(watch=watch.name): ScoreSum(rows, total) for watch, total in zip(self.watches, totals, strict=True)
        }

    def _scores(self, calibrated: Floats, truth: Floats) -> list[Floats]:
        """The scores of each watch in [0, 1], from calibrated probabilities and labels as ones, [n, classes]."""
        off, logs = truth - calibrated, self.task.log_odds(calibrated, SMALLEST)
        residuals = [(off[:, index] + 1.0) / 2.0 for index in self.residual_classes]
        if self.task.is_binary:
            # Labels of no known class are of neither: the residuals of both count by half.
            off, logs = (off[:, 1:] - off[:, :1]) / 2.0, logs[:, 1:] - logs[:, :1]
        slope = row_sums(off * (logs - np.array(self.centres)))
        if not self.task.exclusive:
            slope /= self.task.width
        return [*residuals, (np.clip(slope / self.bound, -1.0, 1.0) + 1.0) / 2.0]


def _watch(name: str, *, bound: float) -> Watch:
    return Watch(
        name=name,
        family="calibration",
        level="page",
        needs_label=True,
        direction="both",
        scale=2.0 * bound,
        offset=-bound,
    )
