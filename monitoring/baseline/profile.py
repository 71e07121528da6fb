"""The mergeable summary of a window: counts on bins that the baseline fixed."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import add

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.moments import Moments
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.ruler import Ruler
from monitoring.baseline.sketch import Sketch
from monitoring.baseline.spec import BaselineSpec

#: Bins of a number, at quantiles of the baseline.
BINS = 64

#: Numbers beyond may differ by more than there are numbers for.
_LARGE = 8e307

#: Categories kept apart; rarer ones share the place "other".
CATEGORIES = 200

#: Rows counted at once: a column of so many numbers fits the processor's second cache.
BATCH = 1 << 15


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
    moments: Moments = field(default=Moments(), compare=False, repr=False)
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


class Counter:
    """Counts columns on fixed bins, batch by batch, in memory that does not grow with the rows.

    Columns are as `Predictions.features` has them: float64 with NaN for missing (null counts as missing too), and text,
    plain or dictionary encoded. Cost a value: some 10 ns a number, a hash a word. With `described` off there are counts
    and no more: for many small windows, whose every column costs more than its values.
    """

    def __init__(self, bins: tuple[Bins, ...], *, described: bool = True) -> None:
        self._bins = bins
        self._described = described
        self._rulers = {b.feature: Ruler(np.asarray(b.edges)) for b in bins if b.edges is not None}
        self._categories = {b.feature: pa.array(b.categories or (), pa.string()) for b in bins if b.edges is None}

    def count(self, features: pa.Table) -> Profile:
        """The profile of a table with a column for every bin."""
        there = dict(zip(features.column_names, features.columns, strict=True))
        counted = [
            _words(there[bins.feature], self._categories[bins.feature], described=self._described)
            if bins.edges is None
            else _numbers(there[bins.feature], self._rulers[bins.feature], bins.places, described=self._described)
            for bins in self._bins
        ]
        return Profile(rows=features.num_rows, features=tuple(counted))


def profile(predictions: Predictions, bins: tuple[Bins, ...]) -> Profile:
    """Count every input on the baseline's bins; for many windows make a `Counter` once."""
    return Counter(bins).count(predictions.features)


def _numbers(column: pa.ChunkedArray, ruler: Ruler, places: int, *, described: bool) -> FeatureCounts:
    """Cut into pieces that the processor's cache holds."""
    counts, moments = np.zeros(places, dtype=np.int64), Moments()
    for chunk in column.chunks:
        for first in range(0, len(chunk), BATCH):
            piece = chunk.slice(first, BATCH)
            present = np.asarray(piece.drop_null() if piece.null_count else piece, dtype=np.float64)
            with np.errstate(invalid="ignore"):
                if present.size and np.isnan(present.min()):
                    present = present[~np.isnan(present)]
            counts += ruler.counts(present)
            if described:
                moments += Moments.of(present)
    return FeatureCounts(tuple(counts.tolist()), len(column) - int(counts.sum()), moments)


def _words(column: pa.ChunkedArray, categories: pa.Array, *, described: bool) -> FeatureCounts:
    parts = [_encoded(chunk, categories, described=described) for chunk in column.chunks]
    return sum(parts, start=FeatureCounts((0,) * (len(categories) + 1)))


def _encoded(column: pa.Array, categories: pa.Array, *, described: bool) -> FeatureCounts:
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    if coded.dictionary.null_count:
        coded = coded.dictionary_decode().dictionary_encode()
    missing = coded.null_count
    indices = coded.indices.drop_null() if missing else coded.indices
    words = coded.dictionary.cast(pa.string())
    by_word = np.bincount(np.asarray(indices, dtype=np.intp), minlength=len(words))
    known = np.asarray(pc.fill_null(pc.index_in(words, categories), len(categories)), dtype=np.intp)
    counts = np.bincount(known, weights=by_word, minlength=len(categories) + 1).astype(np.int64)
    if not described:
        return FeatureCounts(tuple(counts.tolist()), missing)
    lengths = np.asarray(pc.binary_length(words), dtype=np.int64)
    strange = np.flatnonzero((known == len(categories)) & (by_word > 0))
    return FeatureCounts(
        tuple(counts.tolist()),
        missing,
        others=Sketch.of(words.take(pa.array(strange)), by_word[strange]),
        characters=int(lengths @ by_word) if len(words) else 0,
    )


def mid_distribution(counts: FeatureCounts) -> NDArray[np.float64]:
    """F(x-) + f(x)/2 of each place under these counts: the probability integral transform on bins, mean exactly 1/2.

    >>> mid_distribution(FeatureCounts((1, 1, 2)))
    array([0.125, 0.375, 0.75 ])
    """
    weights = np.asarray(counts.counts, dtype=np.float64)
    total = max(float(weights.sum()), 1.0)
    ranks: NDArray[np.float64] = (np.cumsum(weights) - weights / 2) / total
    return ranks
