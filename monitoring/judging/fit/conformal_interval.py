"""Split conformal intervals for estimated losses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.watches.trust import MISS_RATE

#: Baseline windows that an interval needs: with fewer, no quantile of them has this level.
MIN_INTERVAL_WINDOWS = math.ceil(1.0 / MISS_RATE) - 1

#: Smallest variance assumed, so that estimates that were always right have an interval too.
_MIN_VARIANCE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformalInterval:
    """How far an estimated loss lies from the true loss of a window.

    The standard error of an estimate has two parts: the variance among the window's rows, which is known, and the
    variance between windows beyond it. The half-width is the quantile of |estimate - truth| in standard errors that
    split conformal prediction uses: the ⌈(R + 1)(1 - a)⌉-th smallest of R baseline windows, a = `MISS_RATE`. Source:
    Vovk, Gammerman & Shafer, *Algorithmic learning in a random world* (2nd ed. 2022), §4.2.

    >>> interval = ConformalInterval.fit(np.linspace(-0.04, 0.04, 9), np.full(9, 0.0004))
    >>> round(interval.half_width(100, 4.0), 4), round(interval.half_width(100, 12.0), 4)
    (0.04, 0.0593)

    Attributes:
        excess_variance: The variance between windows beyond that among rows.
        quantile: The quantile, in standard errors.
    """

    excess_variance: float
    quantile: float

    @classmethod
    def fit(cls, differences: NDArray[np.float64], row_variances: NDArray[np.float64]) -> ConformalInterval:
        """Fit to R baseline windows.

        Args:
            differences: True minus estimated loss of each window, [R], R >= `MIN_INTERVAL_WINDOWS`.
            row_variances: The variance of each estimate that the variance among its rows explains, [R].
        """
        excess = max(float(np.mean(differences**2 - row_variances)), 0.0)
        errors = np.abs(differences) / np.sqrt(np.maximum(excess + row_variances, _MIN_VARIANCE))
        rank = math.ceil((differences.size + 1) * (1.0 - MISS_RATE))
        return cls(excess_variance=excess, quantile=float(np.sort(errors)[rank - 1]))

    def half_width(self, rows: int, variance: float) -> float:
        """Half the width of the interval for a mean.

        Args:
            rows: Rows of the mean.

        Returns:
            The half-width, in the loss's unit.
        """
        return self.quantile * math.sqrt(max(self.excess_variance + variance / rows**2, _MIN_VARIANCE))
