"""The profile: a mergeable summary of a window, counts on bins fixed by the baseline."""

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

#: Differences of larger numbers may overflow.
_LARGE = 8e307

#: The least value of an input that describes a column that is not 0.
ABOVE_ZERO = 1e-9

#: Categories with a bin of their own; rarer ones share one bin.
MAX_CATEGORIES = 200

#: Slices per column: its commonest values in the baseline. In a benchmark a category with more values has no slices.
MAX_SLICE_VALUES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """How one input is counted: inner `edges` for a number, `categories` for a category.

    A value on an edge belongs to the bin on its right. A number has ``len(edges) + 1`` bins; a category
    ``len(categories) + 1``, the last for values not among them.
    """

    feature: str
    edges: tuple[float, ...] | None = None
    categories: tuple[str, ...] | None = None

    @property
    def places(self) -> int:
        """How many bins there are."""
        return len(self.edges if self.edges is not None else self.categories or ()) + 1


@dataclass(frozen=True, slots=True)
class FeatureCounts:
    """Counts of one input on its bins, and of missing values (null or NaN); merging is addition.

    Counts are integers, and evidence uses nothing else. `unseen` are the rows of a category with a value that the
    baseline never had, where these are looked up. The other fields merge within stated errors and are not compared:
    `moments` of a number; for a category, `others` are the values without a bin of their own, and `characters` the
    bytes of all its values in UTF-8.

    >>> FeatureCounts((1, 0), 1) + FeatureCounts((1, 2), 0)
    FeatureCounts(counts=(2, 2), missing=1, unseen=None)
    """

    counts: tuple[int, ...]
    missing: int = 0
    moments: Moments = field(default=NO_MOMENTS, compare=False, repr=False)
    others: Sketch = field(default=Sketch(), compare=False, repr=False)
    characters: int = field(default=0, compare=False, repr=False)
    unseen: int | None = field(default=None, kw_only=True)

    def __add__(self, other: FeatureCounts) -> FeatureCounts:
        if len(self.counts) != len(other.counts):
            raise ValueError(f"cannot merge counts on {len(self.counts)} and on {len(other.counts)} bins")
        return FeatureCounts(
            tuple(map(add, self.counts, other.counts)),
            self.missing + other.missing,
            self.moments + other.moments,
            self.others + other.others,
            self.characters + other.characters,
            unseen=None if self.unseen is None or other.unseen is None else self.unseen + other.unseen,
        )

    @property
    def never_seen(self) -> int:
        """Rows of a category with a value that the baseline does not have."""
        return self.counts[-1] if self.unseen is None else self.unseen

    @property
    def present(self) -> int:
        """Rows with a value."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Counts of every input over some rows; merged in any order they are the same integers."""

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
            if feature.source and values.size:  # of a share that is mostly 0, what is not
                edges = np.unique(np.append(edges, ABOVE_ZERO))
            bins.append(Bins(feature=feature.name, edges=tuple(float(edge) for edge in edges)))
        else:
            bins.append(Bins(feature=feature.name, categories=commonest(column, MAX_CATEGORIES)))
    return tuple(bins)


def _quantiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inner edges of bins; numbers whose differences would overflow are scaled down first."""
    scale = 0.25 if np.abs(values).max() > _LARGE else 1.0
    return np.asarray(np.quantile(values * scale, np.linspace(0, 1, BINS + 1)[1:-1]) / scale, dtype=np.float64)


def commonest(column: pa.Array, most: int) -> tuple[str, ...]:
    """The commonest values of a text column, exactly. Cost: a hash per row and a partial sort.

    Returns:
        At most `most` values, commonest first; equally common ones by code point.

    >>> commonest(pa.array(["b", "a", None, "b", "c"]), 2)
    ('b', 'a')
    """
    coded = column.drop_null().dictionary_encode()
    counts = np.bincount(np.asarray(coded.indices, dtype=np.int64), minlength=len(coded.dictionary))
    if len(counts) > most:  # keep all ties of the last that fits; names decide among them
        least = int(np.partition(counts, len(counts) - most)[len(counts) - most])
        places = np.flatnonzero(counts >= least)
    else:
        places = np.arange(len(counts))
    words = coded.dictionary.take(pa.array(places)).to_pylist()
    pairs = sorted(zip(words, counts[places].tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
    return tuple(word for word, _ in pairs[:most])


def mid_distribution(counts: FeatureCounts) -> NDArray[np.float64]:
    """The mid-distribution ``F(x-) + f(x)/2`` of each bin: the probability integral transform on bins.

    Returns:
        Ranks in [0, 1], [bins]; their mean under the counts is exactly 1/2.

    >>> mid_distribution(FeatureCounts((1, 1, 2)))
    array([0.125, 0.375, 0.75 ])
    """
    weights = np.asarray(counts.counts, dtype=np.float64)
    total = max(float(weights.sum()), 1.0)
    ranks: NDArray[np.float64] = (np.cumsum(weights) - weights / 2) / total
    return ranks
