"""Values that a baseline does not list, counted in each of its windows by a list made of the other windows' rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.baseline.profile import MAX_CATEGORIES

Whole = NDArray[np.int64]


def unlisted_values(baseline: Baseline, windows: Sequence[Whole]) -> Iterator[tuple[str, Whole]]:
    """How many rows of each window have a value of a category that the other windows do not list.

    The list is made of a window's own rows too, and so has its values rather than those of a window to come: counted by
    it, a column of a thousand equally common values would have fewer unlisted ones in the baseline than ever after.

    Cost: one category of all rows in memory at a time. Categories of which no value can be in one window alone, and
    none is unlisted, are not read.

    Args:
        baseline: The baseline.
        windows: The positions of each window's rows; no row is in two windows.

    Yields:
        The name of an input, and the counts, int64 [windows].
    """
    largest = max((positions.size for positions in windows), default=0)
    for bins, counts in zip(baseline.bins, baseline.profile.features, strict=True):
        if bins.categories is None or (not counts.counts[-1] and min(counts.counts[:-1], default=0) > largest):
            continue
        column = baseline.rows.inputs([bins.feature])[bins.feature].combine_chunks()
        yield bins.feature, count_unlisted(column, windows, MAX_CATEGORIES)


def count_unlisted(column: pa.Array, windows: Sequence[Whole], most: int) -> Whole:
    """For each window, its values that are not among the commonest of the other windows' rows.

    >>> count_unlisted(pa.array(["a", "a", "b", "a", "b", None]), [np.array([0, 1, 2]), np.array([3, 4, 5])], 1)
    array([1, 1])
    >>> count_unlisted(pa.array(["a", "new", "a", "a"]), [np.array([0, 1]), np.array([2, 3])], 200)
    array([1, 0])

    Args:
        column: Text, [n].
        windows: The positions of each window's rows; no row is in two windows.
        most: How many values are listed: the commonest, and of equally common ones the first by code point.

    Returns:
        Counts of rows, int64 [windows]; null is no value.
    """
    coded = column.dictionary_encode()
    codes = np.asarray(pc.fill_null(coded.indices, -1), dtype=np.int64)
    inside = [codes[positions] for positions in windows]
    known = [np.unique(values[values >= 0], return_counts=True) for values in inside]
    places = np.asarray(pc.array_sort_indices(coded.dictionary), dtype=np.int64)
    words = max(places.size, 1)
    later = np.empty(places.size, dtype=np.int64)
    later[places] = np.arange(places.size)[::-1]
    counts = np.zeros(places.size, dtype=np.int64)
    for values, times in known:
        counts[values] += times
    keys = counts * words + later  # no two are the same; larger ones are listed first
    order = np.argsort(-keys)
    here = np.zeros(places.size, dtype=np.bool_)
    found = np.zeros(len(windows), dtype=np.int64)
    for number, (values, times) in enumerate(known):
        here[values] = True
        first = order[: most + values.size]
        own, others = keys[values] - times * words, keys[first[~here[first]]]
        ranked = np.sort(np.concatenate([own, others]))
        listed = own >= max(int(ranked[-most]) if ranked.size >= most else 0, words)
        found[number] = times[~listed].sum()
        here[values] = False
    return found
