"""Builds a profile from batches of columns, in memory that does not grow with the rows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.baseline.binning import Binner
from monitoring.baseline.moments import NO_MOMENTS
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.baseline.sketch import Sketch
from monitoring.traffic.descriptors.vocabulary import HashedVocabulary

#: No category is looked up.
NO_VOCABULARIES: Mapping[str, HashedVocabulary] = MappingProxyType({})


class ProfileBuilder:
    """Counts columns on fixed bins.

    Columns are as in `Predictions.features`: float64 with NaN for missing (null counts as missing too), and text, plain
    or dictionary encoded; numbers may have any width. Cost: some 2 ns a number in C, 9 by numpy; a hash per text value,
    or 2 ns where text has a dictionary that stays the same.
    """

    def __init__(
        self,
        bins: tuple[Bins, ...],
        *,
        described: bool = True,
        vocabularies: Mapping[str, HashedVocabulary] = NO_VOCABULARIES,
    ) -> None:
        """A builder for some bins.

        Args:
            described: Whether profiles have moments and other values besides counts; without them many small windows
                cost less.
        """
        self.vocabularies = vocabularies
        self._bins = bins
        self._described = described
        self._vocabularies = vocabularies
        self._binners = {b.feature: Binner(np.asarray(b.edges)) for b in bins if b.edges is not None}
        self._categories = {b.feature: pa.array(b.categories or (), pa.string()) for b in bins if b.edges is None}

    def begin(self) -> RunningProfile:
        """A running profile without rows, to which batches are added."""
        return RunningProfile(
            {
                bins.feature: (
                    _TextColumn(
                        self._categories[bins.feature],
                        described=self._described,
                        vocabulary=self._vocabularies.get(bins.feature),
                    )
                    if bins.edges is None
                    else _NumberColumn(self._binners[bins.feature], bins.places, described=self._described)
                )
                for bins in self._bins
            }
        )

    def counted_words(self, feature: str, words: pa.Array, counts: NDArray[np.int64]) -> FeatureCounts:
        """The counts of a category whose values others have counted.

        Args:
            words: Text [d], null for missing values.
            counts: How often each occurred, int64 [d].
        """
        column = _TextColumn(
            self._categories[feature], described=self._described, vocabulary=self._vocabularies.get(feature)
        )
        column.add_counts(words, counts)
        return column.counted()

    @property
    def columns(self) -> int:
        """How many columns are counted."""
        return len(self._bins)

    def count(self, features: pa.Table, rows: int | None = None) -> Profile:
        """The profile of a table with every input; `rows` is needed for a table without columns."""
        counting = self.begin()
        counting.add(features, rows)
        return counting.profile()


def profile(predictions: Predictions, bins: tuple[Bins, ...]) -> Profile:
    """The profile of some rows on the baseline's bins; for many windows, create a `ProfileBuilder` once."""
    return ProfileBuilder(bins).count(predictions.features, len(predictions))


class RunningProfile:
    """A profile under construction: the sum of its batches' profiles."""

    def __init__(self, columns: dict[str, _Column]) -> None:
        self._columns = columns
        self._rows = 0

    def add(self, features: pa.Table, rows: int | None = None) -> None:
        """Add a batch with every input; `rows` is needed for a table without columns."""
        for name, column in self._columns.items():
            column.add(features[name])
        self._rows += features.num_rows if rows is None else rows

    def profile(self) -> Profile:
        """The profile of all rows so far."""
        return Profile(rows=self._rows, features=tuple(column.counted() for column in self._columns.values()))


class _Column(Protocol):
    def add(self, column: pa.ChunkedArray) -> None:
        """Add a batch of one column."""

    def counted(self) -> FeatureCounts:
        """The counts of all batches so far."""


class _NumberColumn(_Column):
    def __init__(self, binner: Binner, places: int, *, described: bool) -> None:
        self._binner = binner
        self._described = described
        self._counts = np.zeros(places, dtype=np.int64)
        self._cells = 0
        self._moments = NO_MOMENTS

    @override
    def add(self, column: pa.ChunkedArray) -> None:
        for chunk in column.chunks:
            moments = self._binner.add(chunk, self._counts, described=self._described)
            if self._described:
                self._moments += moments
        self._cells += len(column)

    @override
    def counted(self) -> FeatureCounts:
        return FeatureCounts(tuple(self._counts.tolist()), self._cells - int(self._counts.sum()), self._moments)


class _TextColumn(_Column):
    """Rows are counted by dictionary code while the dictionary stays the same; its values are looked up once."""

    def __init__(self, categories: pa.Array, *, described: bool, vocabulary: HashedVocabulary | None) -> None:
        self._categories = categories
        self._described = described
        self._vocabulary = vocabulary
        self._before: FeatureCounts | None = None
        self._dictionary: pa.Array | None = None
        self._by_word = np.zeros(0, dtype=np.int64)
        self._missing = 0

    @override
    def add(self, column: pa.ChunkedArray) -> None:
        for chunk in column.chunks:
            coded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
            if coded.dictionary.null_count:
                coded = coded.dictionary_decode().dictionary_encode()
            if self._dictionary is None or not coded.dictionary.equals(self._dictionary):
                self._before = None if self._dictionary is None else self.counted()
                self._missing = 0
                self._dictionary = coded.dictionary
                self._by_word = np.zeros(len(coded.dictionary), dtype=np.int64)
            self._missing += coded.null_count
            indices = coded.indices.drop_null() if coded.null_count else coded.indices
            self._by_word += np.bincount(np.asarray(indices, dtype=np.intp), minlength=self._by_word.size)

    def add_counts(self, words: pa.Array, counts: NDArray[np.int64]) -> None:
        """Add words with how often each occurred."""
        is_valid = np.asarray(words.is_valid(), dtype=np.bool_)
        coded = words.filter(pa.array(is_valid)).dictionary_encode()
        by_word = np.bincount(
            np.asarray(coded.indices, dtype=np.intp), weights=counts[is_valid], minlength=len(coded.dictionary)
        )
        self._before = None if self._dictionary is None else self.counted()
        self._dictionary, self._by_word = coded.dictionary, by_word.astype(np.int64)
        self._missing = int(counts[~is_valid].sum())

    @override
    def counted(self) -> FeatureCounts:
        if self._dictionary is None:
            return FeatureCounts((0,) * (len(self._categories) + 1), unseen=None if self._vocabulary is None else 0)
        here = self._latest(self._dictionary.cast(pa.string()))
        return here if self._before is None else self._before + here

    def _latest(self, words: pa.Array) -> FeatureCounts:
        """The counts of the rows with the current dictionary."""
        places = len(self._categories)
        codes = np.asarray(pc.fill_null(pc.index_in(words, self._categories), places), dtype=np.intp)
        counts = np.bincount(codes, weights=self._by_word, minlength=places + 1).astype(np.int64)
        unseen = None if self._vocabulary is None else self._unseen(self._vocabulary, words)
        if not self._described:
            return FeatureCounts(tuple(counts.tolist()), self._missing, unseen=unseen)
        lengths = np.asarray(pc.binary_length(words), dtype=np.int64)
        others = np.flatnonzero((codes == places) & (self._by_word > 0))
        return FeatureCounts(
            tuple(counts.tolist()),
            self._missing,
            unseen=unseen,
            others=Sketch.of(words.take(pa.array(others)), self._by_word[others]),
            characters=int(lengths @ self._by_word) if len(words) else 0,
        )

    def _unseen(self, vocabulary: HashedVocabulary, words: pa.Array) -> int:
        """The rows with a value that the reference never had, each value judged by its parts but one."""
        unknown = vocabulary.unknown(words, vocabulary.parts_of(words)) if len(words) else np.zeros(0, dtype=np.bool_)
        return int(self._by_word[unknown].sum())
