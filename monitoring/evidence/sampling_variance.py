"""Sampling variance of a window's mean: a mean over few rows varies more than one over many."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Quantile of the baseline windows' row counts: windows with fewer rows than that get additional variance.
ROWS_QUANTILE = 0.1

#: Lower bound of that row count as a share of the harmonic mean of the baseline's, so that a few thin baseline windows
#: do not lower it.
HARMONIC_MEAN_SHARE = 0.75

#: Where the baseline varies less than the sampling of its rows alone does, that sampling counts as this many windows: a
#: few windows are often too alike by chance, and many that are alike show that their rows are no independent samples.
SAMPLING_PRIOR_WINDOWS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingVariance:
    """The sampling variance of one watch's window means.

    `row_variance` is the variance of one row's score about its window's mean. `reference_rows` is the row count below
    which sampling variance is added: nine of ten baseline windows have at least as many (`ROWS_QUANTILE`), and it is at
    least three quarters of their harmonic mean (`HARMONIC_MEAN_SHARE`). The baseline's variance between windows already
    contains the sampling variance of windows of that size. With `independent_rows` a smaller one is taken for chance in
    part (`assumed_std`).

    >>> variance = SamplingVariance(row_variance=0.16, reference_rows=200.0)
    >>> variance.excess(20) == 0.16 * (1 / 20 - 1 / 200), variance.excess(300)
    (True, 0.0)
    """

    row_variance: float = 0.0
    reference_rows: float = 1.0
    independent_rows: bool = False

    @classmethod
    def from_row_variance(cls, row_variance: float, rows: NDArray[np.int64]) -> SamplingVariance:
        """From a known variance of one row's score.

        Args:
            rows: Rows of each baseline window, at least 1, [R].

        >>> SamplingVariance.from_row_variance(0.25, np.arange(100, 200)).reference_rows
        109.0
        """
        lowest = HARMONIC_MEAN_SHARE / float(np.mean(1.0 / rows))
        quantile = float(np.quantile(rows, ROWS_QUANTILE, method="lower"))
        return cls(row_variance=row_variance, reference_rows=max(quantile, lowest))

    @classmethod
    def fit(
        cls, means: NDArray[np.float64], mean_squares: NDArray[np.float64], rows: NDArray[np.int64]
    ) -> SamplingVariance:
        """Estimate from the baseline's windows.

        Args:
            means: Mean score of each window, [R].
            mean_squares: Mean squared score of each window, [R].
            rows: Rows of each window, at least 1, [R].

        Returns:
            The pooled within-window variance; 0 where every window has a single row.

        >>> variance = SamplingVariance.fit(np.array([0.5, 0.3]), np.array([0.5, 0.3]), np.array([101, 101]))
        >>> round(variance.row_variance, 4), variance.reference_rows
        (0.2323, 101.0)
        """
        degrees_of_freedom = float(np.sum(rows - 1.0))
        if degrees_of_freedom <= 0.0:
            return cls()
        squares = float(np.sum(rows * np.maximum(mean_squares - means**2, 0.0)))
        return cls.from_row_variance(squares / degrees_of_freedom, rows)

    @property
    def prior_std(self) -> float:
        """The standard deviation of means over `reference_rows` independent rows; 0 where rows do not count as such.

        >>> SamplingVariance(row_variance=0.16, reference_rows=400.0, independent_rows=True).prior_std
        0.02
        """
        return math.sqrt(self.row_variance / self.reference_rows) if self.independent_rows else 0.0

    def excess(self, rows: int) -> float:
        """The variance of a mean over `rows` beyond that of a mean over `reference_rows`; 0 for as many or more."""
        return float(excess_variance(self.row_variance, self.reference_rows, rows))


def excess_variance(
    row_variance: NDArray[np.float64] | float,
    reference_rows: NDArray[np.float64] | float,
    rows: NDArray[np.int64] | int,
) -> NDArray[np.float64]:
    """`SamplingVariance.excess` of arrays of any shapes that broadcast."""
    less = 1.0 / np.maximum(rows, 1) - 1.0 / np.asarray(reference_rows)
    return np.asarray(row_variance * np.maximum(less, 0.0), dtype=np.float64)


def assumed_std(
    observed: NDArray[np.float64] | float,
    windows: int,
    *,
    min_std: NDArray[np.float64] | float,
    prior_std: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """The standard deviation between windows that a test assumes.

    Returns:
        The observed one; where independent rows would give a larger one, between both, nearer to the observed one the
        more windows there are; at least `min_std`. Of the shape that they broadcast to.

    >>> [assumed_std(observed, 9, min_std=1e-6, prior_std=0.05).round(3).item() for observed in (0.03, 0.06)]
    [0.042, 0.06]
    """
    weight = SAMPLING_PRIOR_WINDOWS / (SAMPLING_PRIOR_WINDOWS + windows - 1.0)
    variance = np.square(observed) + weight * np.maximum(np.square(prior_std) - np.square(observed), 0.0)
    return np.asarray(np.maximum(np.sqrt(variance), min_std), dtype=np.float64)


NO_SAMPLING_VARIANCE = SamplingVariance()
