"""How a share of rows varies between a baseline's windows: rows of one window may be those of one storm or client."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

#: Windows vary by more than independent rows do from so many standard errors of Pearson's statistic on.
DISPERSION_ERRORS = 2.0

#: Of fewer windows nothing is taken of how they vary.
MIN_WINDOWS = 7

#: Of more rows the law is nearly that of the windows' rates, and is taken of so many.
MOST_ROWS = 4096

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLaw:
    """A beta-binomial law: each window has a rate of its own, around the mean of all.

    Attributes:
        mean: The share over all rows.
        correlation: That of two rows of one window: the variance of windows' rates over mean * (1 - mean). 0 where
            windows vary no more than independent rows do.
    """

    mean: float = 0.0
    correlation: float = 0.0

    @classmethod
    def fit(cls, counts: Floats, rows: Floats) -> ShareLaw:
        """From windows, by the moments of Pearson's statistic (Williams, *Extra-binomial variation*, 1982).

        Where windows vary more than independent rows do, the correlation is as high as they allow: by as many standard
        errors of the statistic more.

        Args:
            counts: Rows that count in each window, or the sum of their scores in [0, 1], [R].
            rows: Rows of each window, [R]; those without rows are left out.

        >>> one_storm_a_week = ShareLaw.fit(np.tile([20.0, 0.0, 0.0, 0.0], 15), np.full(60, 20.0))
        >>> one_storm_a_week.mean, one_storm_a_week.correlation
        (0.25, 1.0)
        >>> ShareLaw.fit(np.tile([5.0, 6.0, 4.0, 5.0], 15), np.full(60, 20.0)).correlation
        0.0
        """
        counts, rows = counts[rows > 0.0], rows[rows > 0.0]
        total = float(rows.sum())
        mean = float(counts.sum()) / total if total else 0.0
        if rows.size < MIN_WINDOWS or not 0.0 < mean < 1.0:
            return cls(mean=mean)
        pearson = float(np.sum((counts - rows * mean) ** 2 / rows)) / (mean * (1.0 - mean))
        degrees = rows.size - 1.0
        pairs = float(np.sum((rows - 1.0) * (1.0 - rows / total)))
        if pearson - degrees <= DISPERSION_ERRORS * math.sqrt(2.0 * degrees) or pairs <= 0.0:
            return cls(mean=mean)
        highest = pearson * (1.0 + DISPERSION_ERRORS * math.sqrt(2.0 / degrees))
        return cls(mean=mean, correlation=min((highest - degrees) / pairs, 1.0))

    def tail(self, rows: int, of: int) -> float:
        """The probability that of a window's rows so many count, or more; 0 of independent rows.

        >>> law = ShareLaw(mean=0.11, correlation=0.3)
        >>> round(law.tail(29, 29), 4), law.tail(0, 29), ShareLaw(mean=0.11).tail(29, 29)
        (0.0003, 1.0, 0.0)
        """
        if rows <= 0:
            return 1.0
        if not self.correlation:
            return 0.0
        if of > MOST_ROWS:
            rows, of = rows * MOST_ROWS // of, MOST_ROWS
        size = 1.0 / max(self.correlation, 1e-9) - 1.0
        if size <= 0.0:  # all rows of a window are alike
            return self.mean
        first, second = self.mean * size, (1.0 - self.mean) * size
        counts = np.arange(rows, of + 1, dtype=np.float64)
        ways = gammaln(of + 1.0) - gammaln(counts + 1.0) - gammaln(of - counts + 1.0)
        logs = ways + _log_beta(counts + first, of - counts + second) - _log_beta(first, second)
        return min(float(np.exp(logs).sum()), 1.0)

    def log_none(self, rows: float, of_window: float, *, part: float = 1.0) -> float:
        """The logarithm of the probability that none of so many rows count, if the share is this part of the mean.

        Args:
            of_window: Rows of a window: those of another one have a rate of their own.

        >>> batches = ShareLaw(mean=0.1, correlation=0.5)
        >>> round(batches.log_none(200, 20.0), 2), round(ShareLaw(mean=0.1).log_none(200, 20.0), 2)
        (-3.68, -21.07)
        """
        mean = part * self.mean
        if mean >= 1.0:
            return -math.inf
        if not self.correlation:
            return rows * math.log1p(-mean)
        size = max(1.0 / self.correlation - 1.0, 1e-9)
        of_one = _log_beta(mean * size, (1.0 - mean) * size + of_window) - _log_beta(mean * size, (1.0 - mean) * size)
        return float(of_one) * rows / of_window


#: Windows vary no more than independent rows do.
INDEPENDENT = ShareLaw()


def _log_beta(first: Floats | float, second: Floats | float) -> Floats:
    return np.asarray(gammaln(first) + gammaln(second) - gammaln(first + second), dtype=np.float64)
