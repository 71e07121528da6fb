"""Bounded betting: e-values that need no exchangeability, only a bound on the expected score given the past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Width of the clipped score in baseline standard deviations; the wide ones see large moves, the narrow one small ones.
WIDTHS = (6.0, 12.0, 24.0)

#: Shares of the largest safe bet.
STAKES = (0.1, 0.3, 0.6, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryTest:
    """The mirrored test that closes an incident.

    Its null says that, given the past, the expected score is still at or above the boundary, baseline mean +
    tolerance. With d the baseline's deviation and c a width, ``s = clip((g - mean + 2d) / cd, 0, 1)``, ``m =
    (tolerance + 2d) / cd`` and ``e = 1 + bet * (m - s)`` for bets up to ``.95 / (1 - m)``: then e >= 0 and, under
    that null, E[e | past] <= 1. Source: Waudby-Smith & Ramdas, *Estimating means of bounded random variables by
    betting* (2021), §4.

    >>> test = RecoveryTest(mean=0.2, deviation=0.02, tolerance=0.02)
    >>> bool((test.log_e_values(0.2) > 0).all()), bool((test.log_e_values(0.3) < 0).all())
    (True, True)
    """

    mean: float
    deviation: float
    tolerance: float

    @property
    def grid(self) -> int:
        """Number of bets held side by side."""
        return len(WIDTHS) * len(STAKES)

    def log_e_values(self, score: float) -> NDArray[np.float64]:
        """Logs of the e-values, shape [grid], for one window's mean score."""
        widths = np.asarray(WIDTHS) * self.deviation
        clipped = np.clip((score - self.mean + 2.0 * self.deviation) / widths, 0.0, 1.0)
        boundary = np.minimum((self.tolerance + 2.0 * self.deviation) / widths, 0.95)
        stakes = np.asarray(STAKES)[None, :] / (1.0 - boundary)[:, None]
        return np.log1p(stakes * (boundary - clipped)[:, None]).ravel()
