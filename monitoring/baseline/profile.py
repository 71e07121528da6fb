"""The mergeable summary of a window: counts on bins that the baseline fixed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.spec import BaselineSpec

#: Bins of a number, at quantiles of the baseline.
BINS = 64

#: Categories kept apart; rarer ones share the place "other".
CATEGORIES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """How one input is counted: inner `edges` for a number, `categories` for a category.

    A value on an edge falls to its right. A number's counts have ``len(edges) + 1`` places; a category's
    ``len(categories) + 1``, the last for values not among them.
    """

    feature: str
    edges: tuple[float, ...] | None = None
    categories: tuple[str, ...] | None = None

    @property
    def places(self) -> int:
        """How many counts there are."""
        return len(self.edges if self.edges is not None else self.categories or ()) + 1


@dataclass(frozen=True, slots=True)
class FeatureCounts:
    """Counts of one input on its bins, and of missing values (null or NaN); merging is addition.

    >>> FeatureCounts((1, 0), 1) + FeatureCounts((1, 2), 0)
    FeatureCounts(counts=(2, 2), missing=1)
    """

    counts: tuple[int, ...]
    missing: int = 0

    def __add__(self, other: FeatureCounts) -> FeatureCounts:
        return FeatureCounts(
            tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)), self.missing + other.missing
        )

    @property
    def present(self) -> int:
        """Rows that had a value."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Counts of every input over some rows; merges in any order to the same integers."""

    rows: int
    features: tuple[FeatureCounts, ...]

    def __add__(self, other: Profile) -> Profile:
        return Profile(
            rows=self.rows + other.rows,
            features=tuple(a + b for a, b in zip(self.features, other.features, strict=True)),
        )


def fit_bins(predictions: Predictions, spec: BaselineSpec) -> tuple[Bins, ...]:
    """Bins from the baseline's rows: quantiles of each number (fewer where values repeat), the commonest categories."""
    bins = []
    for feature in spec.features:
        column = predictions.features[feature.name].combine_chunks()
        if feature.kind == "number":
            values = np.asarray(column)
            values = values[np.isfinite(values)]
            inner = np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]) if values.size else np.empty(0)
            edges = np.unique(inner)
            bins.append(Bins(feature=feature.name, edges=tuple(float(edge) for edge in edges)))
        else:
            bins.append(Bins(feature=feature.name, categories=commonest(column, CATEGORIES)))
    return tuple(bins)


def commonest(column: pa.Array, most: int) -> tuple[str, ...]:
    """The commonest values of a text column, exact, at most so many; of equally common ones the first by code point.

    Cost: a hash per row and a partial sort, whatever the number of distinct values.

    >>> commonest(pa.array(["b", "a", None, "b", "c"]), 2)
    ('b', 'a')
    """
    coded = column.drop_null().dictionary_encode()
    counts = np.bincount(np.asarray(coded.indices, dtype=np.int64), minlength=len(coded.dictionary))
    if len(counts) > most:  # all that are as common as the last that fits: which of those stay is for their names
        least = int(np.partition(counts, len(counts) - most)[len(counts) - most])
        places = np.flatnonzero(counts >= least)
    else:
        places = np.arange(len(counts))
    words = coded.dictionary.take(pa.array(places)).to_pylist()
    pairs = sorted(zip(words, counts[places].tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
    return tuple(word for word, _ in pairs[:most])


def profile(predictions: Predictions, bins: tuple[Bins, ...]) -> Profile:
    """Count every input on the baseline's bins. Cost: a binary search per number, a hash per category."""
    return Profile(
        rows=len(predictions),
        features=tuple(_count(predictions.features[b.feature].combine_chunks(), b) for b in bins),
    )


def _count(column: pa.Array, bins: Bins) -> FeatureCounts:
    if bins.edges is not None:
        values = np.asarray(column, dtype=np.float64)
        present = values[~np.isnan(values)]
        places = np.searchsorted(np.asarray(bins.edges), present, side="right")
        counts = np.bincount(places, minlength=bins.places)
        return FeatureCounts(tuple(int(c) for c in counts), int(values.size - present.size))
    categories = bins.categories or ()
    known = pc.index_in(column, pa.array(categories, pa.string()))
    places = np.asarray(pc.fill_null(known, len(categories)), dtype=np.int64)
    missing = int(column.null_count)
    counts = np.bincount(places, minlength=bins.places)
    counts[-1] -= missing
    return FeatureCounts(tuple(int(c) for c in counts), missing)


def mid_distribution(counts: FeatureCounts) -> NDArray[np.float64]:
    """F(x-) + f(x)/2 of each place under these counts: the probability integral transform on bins, mean exactly 1/2.

    >>> mid_distribution(FeatureCounts((1, 1, 2)))
    array([0.125, 0.375, 0.75 ])
    """
    weights = np.asarray(counts.counts, dtype=np.float64)
    total = max(float(weights.sum()), 1.0)
    ranks: NDArray[np.float64] = (np.cumsum(weights) - weights / 2) / total
    return ranks
