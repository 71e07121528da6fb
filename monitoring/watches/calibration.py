"""Calibration of a model's probabilities: one isotonic map per class, fitted on labelled rows of the baseline."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.binning import Binner
from monitoring.tasks.classification import COST, expected_costs
from monitoring.watches.estimates import ExpectedLoss, calibrated_confidence

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Bins of a class's map at most, before those that do not rise are pooled.
MAX_BINS = 50

#: Labelled rows per bin on average: a rate of .2 then has a standard error of .06.
ROWS_PER_BIN = 50

#: With fewer labelled rows nothing is calibrated.
MIN_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassCalibration:
    """One class's counts by bins of its probability.

    `edges` float64 [b - 1] separate the bins; `rows` and `positives` int64 [b] count rows and rows of the class;
    `bin_means` float64 [b] are the mean probabilities, each of which counts as one more row, so that a bin that has
    lost all its rows has a value.
    """

    edges: Floats
    rows: Whole
    positives: Whole
    bin_means: Floats

    @classmethod
    def fit(cls, scores: Floats, positive: NDArray[np.bool_]) -> ClassCalibration:
        """Count rows in bins of about equal size, fewer where scores repeat.

        Args:
            scores: The class's probability in each row, [n], n > 0.
            positive: Whether each row is of the class, [n].
        """
        wanted = min(MAX_BINS, max(scores.size // ROWS_PER_BIN, 1))
        edges = np.unique(np.quantile(scores, np.linspace(0, 1, wanted + 1)[1:-1]))
        bins = np.searchsorted(edges, scores, side="right")
        count = edges.size + 1
        rows = np.bincount(bins, minlength=count).astype(np.int64)
        sums = np.bincount(bins, weights=scores, minlength=count)
        lower_edges = np.concatenate([[scores.min()], edges])
        bin_means = np.where(rows > 0, sums / np.maximum(rows, 1), lower_edges)
        return cls(edges=edges, rows=rows, positives=_positives(bins, positive, count), bin_means=bin_means)

    def without(self, scores: Floats, positive: NDArray[np.bool_]) -> ClassCalibration:
        """The same bins without rows that were among those fitted; arguments as of `fit`."""
        bins = np.searchsorted(self.edges, scores, side="right")
        rows = self.rows - np.bincount(bins, minlength=self.rows.size)
        positives = self.positives - _positives(bins, positive, rows.size)
        return ClassCalibration(edges=self.edges, rows=rows, positives=positives, bin_means=self.bin_means)

    def values(self) -> Floats:
        """The calibrated probability of each bin, non-decreasing, [b]."""
        rows = self.rows.astype(np.float64) + 1.0
        return isotonic_fit((self.positives + self.bin_means) / rows, rows)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """The calibration of every class; of two classes, only the second has a map.

    One-against-rest isotonic regression on bins. The values of more than two classes are divided by their sum, which
    leaves a small bias. Counts are integers, so rows can be removed again exactly. Source: Zadrozny & Elkan,
    *Transforming classifier scores into accurate multiclass probability estimates* (KDD 2002).

    >>> p = np.linspace(0.01, 0.99, 1000)
    >>> late = (np.arange(1000) % 100) < 100 * p**2  # the model says p, the truth is p²
    >>> found = Calibration.fit(np.stack([1 - p, p], axis=1), late.astype(np.int64))
    >>> float(abs(found.calibrated(np.stack([1 - p, p], axis=1))[:, 1] - p**2).mean()) < 0.05
    True
    """

    classes: int
    maps: tuple[ClassCalibration, ...]
    values: tuple[Floats, ...]
    binners: tuple[Binner, ...]
    costs: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def fit(cls, probabilities: Floats, labels: Whole, costs: tuple[tuple[float, ...], ...] = ()) -> Calibration:
        """Fit to labelled rows.

        Args:
            probabilities: The model's probabilities, [n, classes], n > 0.
            labels: Class indices, [n].
            costs: What a row costs, by its true class and then by its answer; empty for no such loss.
        """
        classes = int(probabilities.shape[1])
        maps = tuple(ClassCalibration.fit(probabilities[:, k], labels == k) for k in _mapped(classes))
        binners = tuple(Binner(calibration_map.edges) for calibration_map in maps)
        values = tuple(calibration_map.values() for calibration_map in maps)
        return cls(classes=classes, costs=costs, maps=maps, values=values, binners=binners)

    def without(self, probabilities: Floats, labels: Whole) -> Calibration:
        """The calibration on the same bins without rows that were among those fitted; arguments as of `fit`."""
        pairs = zip(self.maps, _mapped(self.classes), strict=True)
        maps = tuple(calibration_map.without(probabilities[:, k], labels == k) for calibration_map, k in pairs)
        values = tuple(calibration_map.values() for calibration_map in maps)
        return replace(self, maps=maps, values=values)

    def calibrated(self, probabilities: Floats) -> Floats:
        """Calibrated probabilities. Cost: some 10 ns per row and class.

        Args:
            probabilities: The model's probabilities, [n, classes].

        Returns:
            Probabilities [n, classes]; rows sum to 1.
        """
        columns = [
            values[binner.places(probabilities[:, k])]
            for binner, values, k in zip(self.binners, self.values, _mapped(self.classes), strict=True)
        ]
        if self.classes == 2:
            return _both(columns[0])
        stacked = np.stack(columns, axis=1)
        sums = stacked.sum(axis=1, keepdims=True)
        shares: Floats = np.divide(stacked, sums, out=np.full_like(stacked, 1.0 / self.classes), where=sums > 0)
        return shares

    def expected_losses(self, probabilities: Floats) -> dict[str, ExpectedLoss]:
        """The losses to expect of rows, by metric, from the model's probabilities [n, classes] (CBPE)."""
        return self.losses_drawn_by(probabilities, self.calibrated(probabilities))

    def losses_drawn_by(self, probabilities: Floats, calibrated: Floats) -> dict[str, ExpectedLoss]:
        """As `expected_losses`, with the calibrated probabilities [n, classes] known."""
        expected = calibrated_confidence(probabilities, calibrated)
        if self.costs:
            losses, variances = expected_costs(probabilities, calibrated, self.costs)
            expected[COST.name] = ExpectedLoss(losses=losses, variances=variances)
        return expected

    def bins(self, probabilities: Floats) -> Whole:
        """For two classes: the bin of each row's probability of the second, [n], from probabilities [n, 2]."""
        return self.binners[0].places(probabilities[:, 1]).astype(np.int64, copy=False)

    def of_bins(self, bins: Whole) -> Floats:
        """For two classes: the calibrated probabilities of rows in these bins [n], [n, 2]."""
        return _both(self.values[0][bins])


def _both(second: Floats) -> Floats:
    """Probabilities of both classes, [n, 2], from those of the second."""
    pair = np.empty((2, second.size))
    np.subtract(1.0, second, out=pair[0])
    pair[1] = second
    return pair.T


def isotonic_fit(values: Floats, weights: Floats) -> Floats:
    """The weighted least-squares fit that never falls, by pooling adjacent violators.

    Source: Ayer et al., *An empirical distribution function for sampling with incomplete information* (1955).

    >>> isotonic_fit(np.array([0.1, 0.5, 0.3, 0.9]), np.array([1.0, 1.0, 3.0, 1.0])).tolist()
    [0.1, 0.35, 0.35, 0.9]
    """
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        total, mass, count = value * weight, weight, 1
        while pools and pools[-1][0] * mass >= total * pools[-1][1]:
            before = pools.pop()
            total, mass, count = total + before[0], mass + before[1], count + before[2]
        pools.append((total, mass, count))
    return np.repeat([total / mass for total, mass, _ in pools], [count for _, _, count in pools])


def _mapped(classes: int) -> tuple[int, ...]:
    return (1,) if classes == 2 else tuple(range(classes))


def _positives(bins: Whole, positive: NDArray[np.bool_], count: int) -> Whole:
    return np.bincount(bins[positive], minlength=count).astype(np.int64)
