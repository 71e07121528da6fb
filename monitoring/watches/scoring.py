"""Scores to sums: in fixed point, so that no order of rows changes them; and which slice each row is in."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline import binning
from monitoring.baseline.predictions import Predictions
from monitoring.records import SCORE_ONE

#: This many fixed-point scores, each at most 2^32, add up exactly in floating point.
EXACT_ROWS = 1 << 20


def fixed_point(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Scores as multiples of 2^-32. Sums of up to 2^31 rows cannot overflow. Returns integers in [0, 2^32], int64 [n].

    Args:
        scores: Scores, [n]; clipped to [0, 1].

    >>> fixed_point(np.array([0.0, 0.5, 1.5])).tolist()
    [0, 2147483648, 4294967296]
    """
    return fixed_point_floats(scores).astype(np.int64)


def fixed_point_floats(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """`fixed_point` as float64, which holds such integers and sums of `EXACT_ROWS` of them exactly, in any order.

    Args:
        scores: Scores, [n]; clipped to [0, 1].

    Returns:
        Integers in [0, 2^32], float64 [n].

    >>> fixed_point_floats(np.array([0.5])).tolist()
    [2147483648.0]
    """
    units = np.clip(scores, 0.0, 1.0)
    units *= SCORE_ONE
    return np.rint(units, out=units)


def fixed_point_sum(scores: NDArray[np.float64]) -> int:
    """The sum of scores in fixed point. Returns the sum in units of 2^-32, the same for any order of rows.

    Args:
        scores: Scores, [n]; clipped to [0, 1].

    >>> fixed_point_sum(np.array([0.5, 1.5])) / SCORE_ONE
    1.5
    """
    if scores.size <= EXACT_ROWS:
        if binning.compiled_sum is not None and scores.dtype == np.float64:
            total = binning.compiled_sum(np.ascontiguousarray(scores))
        else:
            total = float(fixed_point_floats(scores).sum())
        if math.isfinite(total):
            return int(total)
    return int(fixed_point(scores).sum())


def slice_codes(column: pa.Array | pa.ChunkedArray, values: tuple[str, ...]) -> NDArray[np.int64]:
    """Each row's index among the values of a sliced column.

    Args:
        column: Text, plain or dictionary encoded, [n].

    Returns:
        Indices, int64 [n]; ``len(values)`` for other values and nulls.

    >>> slice_codes(pa.array(["b", None, "c"]), ("a", "b")).tolist()
    [1, 2, 2]
    """
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    value_set = pa.array(values, pa.string())
    if pa.types.is_dictionary(whole.type):
        words = pc.fill_null(pc.index_in(whole.dictionary.cast(pa.string()), value_set), len(values))
        codes = np.append(np.asarray(words, dtype=np.int64), len(values))
        indices = whole.indices
        if indices.null_count:
            indices = pc.fill_null(indices.cast(pa.int64()), len(codes) - 1)
        return codes.take(np.asarray(indices))
    return np.asarray(pc.fill_null(pc.index_in(whole.cast(pa.string()), value_set), len(values)), dtype=np.int64)


def slice_masks(predictions: Predictions, slices: Mapping[str, tuple[str, ...]]) -> dict[str, NDArray[np.bool_]]:
    """Which rows belong to each slice. Returns masks, [n], by the name ``column=value``; none for the whole traffic."""
    masks: dict[str, NDArray[np.bool_]] = {}
    for column, values in slices.items():
        codes = slice_codes(predictions.features[column], values)
        for code, value in enumerate(values):
            masks[f"{column}={value}"] = codes == code
    return masks
