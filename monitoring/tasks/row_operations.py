"""Fast row operations on few columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

#: Up to this many columns numpy adds a row from left to right.
LEFT_TO_RIGHT_COLUMNS = 7


def row_sums(values: Floats) -> Floats:
    """Each row's sum, to the bit as numpy adds few columns, but ten times as fast.

    Args:
        values: [n, k].

    >>> row_sums(np.array([[0.1, 0.2, 0.3]])) == np.array([[0.1, 0.2, 0.3]]).sum(axis=1)
    array([ True])
    """
    if not 0 < values.shape[1] <= LEFT_TO_RIGHT_COLUMNS:
        sums: Floats = values.sum(axis=1)
        return sums
    total = values[:, 0].copy()
    for place in range(1, values.shape[1]):
        total += values[:, place]
    return total


def row_maxima(values: Floats) -> Floats:
    """Each row's largest value.

    Args:
        values: [n, k], k > 0.

    >>> row_maxima(np.array([[0.25, 0.75]])).tolist()
    [0.75]
    """
    largest = values[:, 0].copy()
    for place in range(1, values.shape[1]):
        np.maximum(largest, values[:, place], out=largest)
    return largest


def row_choices(values: Floats) -> NDArray[np.int64]:
    """The index of each row's largest value. Returns indices, int64 [n]; the first of equal values.

    Args:
        values: [n, k] without NaN, k > 0.

    >>> row_choices(np.array([[0.5, 0.5], [0.2, 0.8]])).tolist()
    [0, 1]
    """
    if values.shape[1] == 2:
        return (values[:, 1] > values[:, 0]).astype(np.int64)
    return np.asarray(values.argmax(axis=1), dtype=np.int64)


def baseline_ranks(values: Floats, knots: Sequence[float]) -> Floats:
    """Where values lie among a baseline's.

    Args:
        values: Numbers, [n].
        knots: Quantiles of the baseline's numbers, in order; none if it has no numbers.

    Returns:
        Ranks in [0, 1], [n]; the middle of the knots that are equal to a value, and 1/2 without knots.

    >>> baseline_ranks(np.array([0.5, 1.0, 9.0]), (0.0, 1.0)).tolist()
    [0.5, 0.75, 1.0]
    """
    if not len(knots):
        return np.full(len(values), 0.5)
    below, above = (np.searchsorted(knots, values, side=side) for side in ("left", "right"))
    ranks: Floats = (below + above) / (2.0 * len(knots))
    return ranks


#: Probabilities of a row may add up to something as far from 1 as this: rounding, in a file with two decimals.
ROUNDING = 0.02


def are_probabilities(values: Floats, *, exclusive: bool = True) -> NDArray[np.bool_]:
    """Which of n rows, [n, classes], are from 0 to 1, and 1 in sum but for rounding.

    >>> are_probabilities(np.array([[0.25, 0.75], [0.5, 0.7], [np.nan, 0.5]])).tolist()
    [True, False, False]

    Args:
        values: Answers, [n, classes].
        exclusive: Whether a row has exactly one of the classes; otherwise the sum does not matter.

    Returns:
        bool [n]; False for a row with a NaN.
    """
    width = values.shape[1]
    with np.errstate(invalid="ignore"):
        usable: NDArray[np.bool_] = np.ones(len(values), dtype=np.bool_)
        if exclusive:
            total = values[:, 0] + values[:, 1] if width == 2 else values.sum(axis=1)
            usable = np.abs(total - 1) <= ROUNDING
        for place in range(width):
            usable &= (values[:, place] >= 0) & (values[:, place] <= 1)
    return usable


def column_means(columns: Sequence[Floats]) -> Floats:
    """The mean of some columns, [n] each, [n]; NaN where one is.

    >>> column_means([np.array([0.0, 1.0]), np.array([1.0, np.nan])]).tolist()
    [0.5, nan]
    """
    return np.asarray(np.mean(np.stack(columns), axis=0), dtype=np.float64)


def differ(a: Floats, b: Floats) -> Floats:
    """1.0 for each row of which two answers, [n, width], differ, else 0.0, [n].

    >>> differ(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 2.0], [3.0, 5.0]])).tolist()
    [0.0, 1.0]
    """
    return np.asarray((a != b).any(axis=1), dtype=np.float64)


def largest_over_labels(loss: Callable[[Floats, int], Floats], a: Floats, b: Floats, labels: tuple[int, ...]) -> Floats:
    """The largest absolute difference of a loss between two answers, [n, width], over some labels, [n]."""
    largest = np.zeros(len(a))
    for label in labels:
        np.maximum(largest, np.abs(loss(b, label) - loss(a, label)), out=largest)
    return largest
