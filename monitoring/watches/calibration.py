"""From a model's probabilities to calibrated ones: a rising step function per class, learnt from labelled rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.binning import Binner

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Steps of a class's map at most, before those that do not rise are joined.
STEPS = 50

#: Labelled rows that one step needs on average: a rate of .2 is then known to .06.
ROWS_A_STEP = 50

#: With fewer labelled rows than this nothing is calibrated.
FEWEST_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassMap:
    """One class's counts by bins of its probability: edges float64 [b - 1], rows and hits int64 [b], middles [b].

    `middles` are the mean probabilities of the bins, which stand in, as one row each, where a bin has lost its rows.
    """

    edges: Floats
    rows: Whole
    hits: Whole
    middles: Floats

    @classmethod
    def fit(cls, scores: Floats, hits: NDArray[np.bool_]) -> ClassMap:
        """Bins of about equal numbers of rows, fewer where scores repeat; both arguments have shape [n], n > 0."""
        wanted = min(STEPS, max(scores.size // ROWS_A_STEP, 1))
        edges = np.unique(np.quantile(scores, np.linspace(0, 1, wanted + 1)[1:-1]))
        places = np.searchsorted(edges, scores, side="right")
        bins = edges.size + 1
        rows = np.bincount(places, minlength=bins).astype(np.int64)
        sums = np.bincount(places, weights=scores, minlength=bins)
        inside = np.concatenate([[scores.min()], edges])
        middles = np.where(rows > 0, sums / np.maximum(rows, 1), inside)
        return cls(edges=edges, rows=rows, hits=_hits(places, hits, bins), middles=middles)

    def without(self, scores: Floats, hits: NDArray[np.bool_]) -> ClassMap:
        """The same bins, less the counts of rows that were among those fitted."""
        places = np.searchsorted(self.edges, scores, side="right")
        rows = self.rows - np.bincount(places, minlength=self.rows.size)
        return ClassMap(
            edges=self.edges, rows=rows, hits=self.hits - _hits(places, hits, rows.size), middles=self.middles
        )

    def steps(self) -> Floats:
        """The calibrated probability of each bin, never falling: [b]."""
        rows = self.rows.astype(np.float64) + 1.0
        return rising((self.hits + self.middles) / rows, rows)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """Maps of every class (of the second alone where there are two).

    One-against-rest isotonic regression on bins, the classes' values then divided by their sum, which leaves a small
    bias where there are more than two. Counts are whole numbers, so rows can be taken out again exactly. Source:
    Zadrozny & Elkan, *Transforming classifier scores into accurate multiclass probability estimates* (KDD 2002).

    >>> p = np.linspace(0.01, 0.99, 1000)
    >>> late = (np.arange(1000) % 100) < 100 * p**2  # the model says p, the truth is p²
    >>> found = Calibration.fit(np.stack([1 - p, p], axis=1), late.astype(np.int64))
    >>> float(abs(found.calibrated(np.stack([1 - p, p], axis=1))[:, 1] - p**2).mean()) < 0.05
    True
    """

    classes: int
    maps: tuple[ClassMap, ...]
    steps: tuple[Floats, ...]
    rulers: tuple[Binner, ...]

    @classmethod
    def fit(cls, probabilities: Floats, labels: Whole) -> Calibration:
        """Learn from labelled rows: `probabilities` [n, classes], `labels` [n] class indices, n > 0."""
        classes = int(probabilities.shape[1])
        maps = tuple(ClassMap.fit(probabilities[:, k], labels == k) for k in _mapped(classes))
        rulers = tuple(Binner(one.edges) for one in maps)
        return cls(classes=classes, maps=maps, steps=tuple(one.steps() for one in maps), rulers=rulers)

    def without(self, probabilities: Floats, labels: Whole) -> Calibration:
        """As if those rows, which were among the fitted ones, had never been seen; the bins' edges stay."""
        pairs = zip(self.maps, _mapped(self.classes), strict=True)
        maps = tuple(one.without(probabilities[:, k], labels == k) for one, k in pairs)
        steps = tuple(one.steps() for one in maps)
        return Calibration(classes=self.classes, maps=maps, steps=steps, rulers=self.rulers)

    def calibrated(self, probabilities: Floats) -> Floats:
        """Calibrated probabilities [n, classes]; rows sum to 1. Cost: some 10 ns per row and class."""
        found = [
            steps[ruler.places(probabilities[:, k])]
            for ruler, steps, k in zip(self.rulers, self.steps, _mapped(self.classes), strict=True)
        ]
        if self.classes == 2:
            return _both(found[0])
        values = np.stack(found, axis=1)
        sums = values.sum(axis=1, keepdims=True)
        shares: Floats = np.divide(values, sums, out=np.full_like(values, 1.0 / self.classes), where=sums > 0)
        return shares

    def places(self, probabilities: Floats) -> Whole:
        """Of two classes: the bin of each row's probability of the second, [n]."""
        return self.rulers[0].places(probabilities[:, 1]).astype(np.int64, copy=False)

    def at(self, places: Whole) -> Floats:
        """Of two classes: what rows of these bins are calibrated to, [n, 2]."""
        return _both(self.steps[0][places])


def _both(second: Floats) -> Floats:
    """Probabilities of both classes, [n, 2], by those of the second."""
    pair = np.empty((2, second.size))
    np.subtract(1.0, second, out=pair[0])
    pair[1] = second
    return pair.T


def rising(values: Floats, weights: Floats) -> Floats:
    """The weighted least-squares fit that never falls: neighbours that do are joined (pool adjacent violators).

    Source: Ayer et al., *An empirical distribution function for sampling with incomplete information* (1955).

    >>> rising(np.array([0.1, 0.5, 0.3, 0.9]), np.array([1.0, 1.0, 3.0, 1.0])).tolist()
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


def _hits(places: Whole, hits: NDArray[np.bool_], bins: int) -> Whole:
    return np.bincount(places[hits], minlength=bins).astype(np.int64)
