"""The most typical of some rows: those whose inputs are near the middle, or among the most frequent."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import final

Floats = NDArray[np.float64]


def typicality(inputs: pa.Table) -> Floats:
    """How typical each row is of all of them: the mean over its inputs.

    A number counts 1 at the median and 0 at either end of the ranks; a category its share of rows over that of the most
    frequent one; what is missing counts 0.

    >>> typicality(pa.table({"age": [1.0, 2.0, 50.0], "shop": ["a", "a", "b"]})).round(2).tolist()
    [0.67, 1.0, 0.42]
    """
    if not inputs.num_columns:
        return np.zeros(inputs.num_rows)
    columns = [column.combine_chunks() for column in final(inputs).columns]
    each = [_of_numbers(column) if pa.types.is_floating(column.type) else _of_words(column) for column in columns]
    mean: Floats = np.mean(each, axis=0)
    return mean


def most_typical(inputs: pa.Table, most: int) -> NDArray[np.int64]:
    """The indices of the most typical rows, at most so many, the most typical first."""
    order: NDArray[np.int64] = np.argsort(-typicality(inputs), kind="stable")
    return order[:most]


def _of_numbers(column: pa.Array) -> Floats:
    values = np.asarray(column, dtype=np.float64)
    is_finite = np.isfinite(values)
    scores = np.zeros(values.size)
    ordered = np.sort(values[is_finite])
    if ordered.size:
        first, last = (np.searchsorted(ordered, values[is_finite], side=side) for side in ("left", "right"))
        scores[is_finite] = 1.0 - np.abs((first + last) / ordered.size - 1.0)
    return scores


def _of_words(column: pa.Array) -> Floats:
    coded = column.cast(pa.string()).dictionary_encode()
    codes = np.asarray(pc.fill_null(coded.indices, -1), dtype=np.int64)
    counts = np.append(np.bincount(codes[codes >= 0], minlength=len(coded.dictionary)), 0).astype(np.float64)
    return np.asarray(counts[codes] / max(counts.max(), 1.0), dtype=np.float64)
