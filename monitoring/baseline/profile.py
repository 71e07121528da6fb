"""The mergeable summary of a window: counts on bins that the baseline fixed."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import add

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.moments import NO_MOMENTS, Moments
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.sketch import Sketch
from monitoring.baseline.spec import BaselineSpec

#: Bins of a number, at quantiles of the baseline.
BINS = 64

#: Numbers beyond may differ by more than there are numbers for.
_LARGE = 8e307

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

    These are integers, and all that evidence is made of. What else is told of the input merges within stated errors
    and is not compared: `moments` of a number; of a category `others`, the words without a place of their own, and
    `characters`, the bytes of all its words in UTF-8.

    >>> FeatureCounts((1, 0), 1) + FeatureCounts((1, 2), 0)
    FeatureCounts(counts=(2, 2), missing=1)
    """

    counts: tuple[int, ...]
    missing: int = 0
    moments: Moments = field(default=NO_MOMENTS, compare=False, repr=False)
    others: Sketch = field(default=Sketch(), compare=False, repr=False)
    characters: int = field(default=0, compare=False, repr=False)

    def __add__(self, other: FeatureCounts) -> FeatureCounts:
        if len(self.counts) != len(other.counts):
            raise ValueError(f"counts on {len(self.counts)} and on {len(other.counts)} bins")
        return FeatureCounts(
            tuple(map(add, self.counts, other.counts)),
            self.missing + other.missing,
            self.moments + other.moments,
            self.others + other.others,
            self.characters + other.characters,
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
            edges = np.unique(_quantiles(values)) if values.size else np.empty(0)
            bins.append(Bins(feature=feature.name, edges=tuple(float(edge) for edge in edges)))
        else:
            bins.append(Bins(feature=feature.name, categories=commonest(column, CATEGORIES)))
    return tuple(bins)


def _quantiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inner edges of bins; of numbers so large that their differences are none, by way of smaller ones."""
    scale = 0.25 if np.abs(values).max() > _LARGE else 1.0
    return np.asarray(np.quantile(values * scale, np.linspace(0, 1, BINS + 1)[1:-1]) / scale, dtype=np.float64)


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


def mid_distribution(counts: FeatureCounts) -> NDArray[np.float64]:
    """F(x-) + f(x)/2 of each place under these counts: the probability integral transform on bins, mean exactly 1/2.

    >>> mid_distribution(FeatureCounts((1, 1, 2)))
    array([0.125, 0.375, 0.75 ])
    """
    weights = np.asarray(counts.counts, dtype=np.float64)
    total = max(float(weights.sum()), 1.0)
    ranks: NDArray[np.float64] = (np.cumsum(weights) - weights / 2) / total
    return ranks
