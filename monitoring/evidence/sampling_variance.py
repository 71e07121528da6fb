"""What a window's score owes to how many rows it has: a mean of few rows varies by chance more than one of many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: So large a part of the baseline's windows may have fewer rows than a window that answers for none.
FEWER = 0.1

#: It has so large a part of the harmonic mean of the baseline's rows at least: a few thin windows make none usual.
USUAL = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """One watch's chance within a window.

    `row` is the variance of one row's score about the mean of its window. `rows` are as many as nine of ten of the
    baseline's windows have at least, and no fewer than three quarters of their harmonic mean: what chance does to
    windows of that size is in the baseline's spread already.

    >>> Chance(row=0.16, rows=200.0).beyond(20) == 0.16 * (1 / 20 - 1 / 200), Chance(row=0.16, rows=200.0).beyond(300)
    (True, 0.0)
    """

    row: float = 0.0
    rows: float = 1.0

    @classmethod
    def of(cls, row: float, rows: NDArray[np.int64]) -> Chance:
        """That of a known variance, and of baseline windows [R] of so many rows, at least 1 each.

        >>> Chance.of(0.25, np.arange(100, 200)).rows
        109.0
        """
        usual = USUAL / float(np.mean(1.0 / rows))
        return cls(row=row, rows=max(float(np.quantile(rows, FEWER, method="lower")), usual))

    @classmethod
    def fit(cls, means: NDArray[np.float64], squares: NDArray[np.float64], rows: NDArray[np.int64]) -> Chance:
        """From the baseline's windows, [R] each: mean score, mean squared score, and rows, at least 1 each.

        Rows alone in their windows tell no variance; then there is none.

        >>> Chance.fit(np.array([0.5, 0.3]), np.array([0.5, 0.3]), np.array([101, 101]))
        Chance(row=0.2323, rows=101.0)
        """
        free = float(np.sum(rows - 1.0))
        if free <= 0.0:
            return cls()
        return cls.of(float(np.sum(rows * np.maximum(squares - means**2, 0.0))) / free, rows)

    def beyond(self, rows: int) -> float:
        """The variance of a mean of so many rows beyond that of `rows`; 0 for as many or more."""
        return self.row * max(1.0 / max(rows, 1) - 1.0 / self.rows, 0.0)


NONE = Chance()
