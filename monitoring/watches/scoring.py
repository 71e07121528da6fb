"""Scores become sums: fixed point per watch and slice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey


def fixed_point(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Scores in [0, 1] as multiples of 2^-32; what is outside is clipped. Sums of up to 2^31 rows cannot overflow.

    >>> fixed_point(np.array([0.0, 0.5, 1.5])).tolist()
    [0, 2147483648, 4294967296]
    """
    return np.rint(np.clip(scores, 0.0, 1.0) * SCORE_ONE).astype(np.int64)


def slice_masks(predictions: Predictions, slices: Mapping[str, tuple[str, ...]]) -> dict[str, NDArray[np.bool_]]:
    """Which rows belong to each slice, by the name ``column=value``; the whole traffic is not among them."""
    masks: dict[str, NDArray[np.bool_]] = {}
    for column, values in slices.items():
        text = predictions.features[column]
        for value in values:
            equal = pc.fill_null(pc.equal(text, value), fill_value=False)
            masks[f"{column}={value}"] = np.asarray(equal, dtype=np.bool_)
    return masks


def sums(scores: Mapping[str, NDArray[np.float64]], masks: Mapping[str, NDArray[np.bool_]]) -> dict[WatchKey, ScoreSum]:
    """Sum each watch's scores over the whole traffic and over each slice."""
    result: dict[WatchKey, ScoreSum] = {}
    for watch, values in scores.items():
        whole = fixed_point(values)
        result[WatchKey(watch=watch)] = ScoreSum(int(whole.size), int(whole.sum()))
        for name, mask in masks.items():
            part = whole[mask]
            result[WatchKey(watch=watch, slice=name)] = ScoreSum(int(part.size), int(part.sum()))
    return result


def merged(parts: list[dict[WatchKey, ScoreSum]]) -> dict[WatchKey, ScoreSum]:
    """Add sums key by key."""
    total: dict[WatchKey, ScoreSum] = {}
    for part in parts:
        for key, value in part.items():
            total[key] = total.get(key, ScoreSum()) + value
    return total
