"""Values that a baseline's window has and no other of its windows, as live windows have values that it never had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.traffic.descriptors.vocabulary import MOST_PARTS, HashedVocabulary

Whole = NDArray[np.int64]

#: Hashes for each different value of a column with a long tail, so that few new values share one with an old one; and
#: at most so many in all, a byte each.
HASHES_PER_VALUE = 16
MOST_HASHES = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnseenValues:
    """One category of a baseline.

    Attributes:
        feature: Its name.
        counts: The rows of each window with a value that no other window has, int64 [windows].
        vocabulary: What live values are looked up in, of a category with more values than are listed.
    """

    feature: str
    counts: Whole
    vocabulary: HashedVocabulary | None = None


def unseen_values(baseline: Baseline, windows: Sequence[Whole]) -> Iterator[UnseenValues]:
    """The values of each category that one window alone has.

    A window's own values are in the baseline, unlike those of a window to come: so each is judged by the others. Where
    all values are listed they are compared themselves; of others by hash, as those of live windows are, each by the
    windows but for one that its hash draws.

    Cost: one category of all rows in memory at a time. Categories of which no value can be in one window alone are not
    read.

    Args:
        windows: The positions of each window's rows; no row is in two windows.
    """
    largest = max((positions.size for positions in windows), default=0)
    window_of = np.full(len(baseline.rows.answers), -1, dtype=np.int64)
    for number, positions in enumerate(windows):
        window_of[positions] = number
    for bins, counts in zip(baseline.bins, baseline.profile.features, strict=True):
        if bins.categories is None or (not counts.counts[-1] and min(counts.counts[:-1], default=0) > largest):
            continue
        column = baseline.rows.inputs([bins.feature])[bins.feature].combine_chunks()
        there = np.asarray(pc.is_valid(column)) & (window_of >= 0)
        words, inside = column.filter(pa.array(there)), window_of[there]
        if counts.counts[-1]:
            vocabulary, alone = _by_hash(words, inside, len(windows))
        else:
            vocabulary, alone = None, in_one_window(words, inside)
        found = np.bincount(inside[alone], minlength=len(windows)).astype(np.int64)
        yield UnseenValues(feature=bins.feature, counts=found, vocabulary=vocabulary)


def in_one_window(words: pa.Array, windows: Whole) -> NDArray[np.bool_]:
    """Which values are in one window alone.

    >>> in_one_window(pa.array(["a", "b", "a", "c"]), np.array([0, 0, 1, 1])).tolist()
    [False, True, False, True]

    Args:
        words: Text, [n], none null.
        windows: The window of each, [n].

    Returns:
        bool [n].
    """
    coded = words.dictionary_encode()
    codes = np.asarray(coded.indices, dtype=np.int64)
    first = np.full(len(coded.dictionary), np.iinfo(np.int64).max)
    last = np.full(len(coded.dictionary), -1)
    np.minimum.at(first, codes, windows)
    np.maximum.at(last, codes, windows)
    alone: NDArray[np.bool_] = (first == last)[codes]
    return alone


def _by_hash(words: pa.Array, windows: Whole, count: int) -> tuple[HashedVocabulary, NDArray[np.bool_]]:
    """The vocabulary of a category with a long tail, and which of its values no other part of the windows has."""
    parts = min(count, MOST_PARTS)
    of_part = windows * parts // count
    different = pc.count_distinct(words).as_py()
    hashes = min(1 << (HASHES_PER_VALUE * different).bit_length(), MOST_HASHES)
    vocabulary = HashedVocabulary.fit([(words, of_part)], parts=parts, hashes=hashes)
    return vocabulary, vocabulary.unknown(words, of_part)
