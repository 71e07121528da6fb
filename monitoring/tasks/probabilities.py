"""Which answers are probabilities of classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Probabilities of a row may add up to something as far from 1 as this: rounding, in a file with two decimals.
ROUNDING = 0.02


def are_probabilities(values: NDArray[np.float64], *, exclusive: bool = True) -> NDArray[np.bool_]:
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
