"""Rows without ids as 64-bit keys of what they hold, whatever file they lie in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.traffic.cells import as_doubles, is_number
from monitoring.traffic.id_keys import id_keys, mixed

#: The column of a row's key, which no table of a user has.
ROW_KEY = "pitfalls_row_key"

#: What a missing cell counts as.
_MISSING = np.uint64(0x2545F4914F6CDD1D)

_FACTORS, _SHIFT = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)), np.uint64(32)


def row_keys(features: pa.Table, numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """A 64-bit hash of each row's cells: equal rows have equal keys, in whatever types and order their columns come.

    Cost: some 5 ns a cell.

    >>> one, other = pa.table({"x": [2, 3], "c": ["a", None]}), pa.table({"c": [None, "a"], "x": [3.0, 2.0]})
    >>> row_keys(one, np.zeros((2, 1))).tolist() == row_keys(other, np.zeros((2, 1))).tolist()[::-1]
    True

    Args:
        features: Numbers with null or NaN for missing, and texts, plain or as dictionaries, n rows.
        numbers: What the model answered, [n, width].
    """
    keys = np.zeros(len(numbers), dtype=np.uint64)
    for column in features.columns:
        keys += _scattered(_codes(column.combine_chunks()))
    for place in range(numbers.shape[1]):
        keys += _scattered(_bits(numbers[:, place]) + np.uint64(place + 1))
    return mixed(keys).view(np.int64)


def _scattered(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A cheap hash of each integer, in its place."""
    values *= _FACTORS[0]
    values ^= values >> _SHIFT
    values *= _FACTORS[1]
    return values


def _codes(column: pa.Array) -> NDArray[np.uint64]:
    kind = column.type
    if not is_number(kind):
        coded = column if pa.types.is_dictionary(kind) else column.dictionary_encode()
        words = coded.dictionary.cast(pa.large_string())
        known = np.append(id_keys(words.fill_null("")).view(np.uint64), _MISSING)
        known[:-1][np.asarray(words.is_null(), dtype=np.bool_)] = _MISSING
        return known[np.asarray(pc.fill_null(coded.indices.cast(pa.int64()), len(words)))]
    return _bits(np.asarray(pc.fill_null(as_doubles(column), float("nan")), dtype=np.float64))


def _bits(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Doubles as their bits; of zero and of NaN there is one each."""
    plain = values + 0.0
    bits = plain.view(np.uint64)
    missing = np.isnan(plain)
    if missing.any():
        bits[missing] = _MISSING
    return bits
