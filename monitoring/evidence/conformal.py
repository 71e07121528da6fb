"""Conformal e-values: how strange is this window's score among the baseline's own?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitoring.errors import BadInput
from monitoring.records import Direction

#: Steepness of the score ``exp(η z)``: small values gather many small rises, large ones catch a single jump.
ETAS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)

#: Fewer baseline windows than this carry no usable spread.
FEWEST_WINDOWS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformalTest:
    """Turns a window's mean score into e-values against R baseline windows.

    With ``z(g) = (g - mean) / deviation`` and ``f(g) = exp(η z(g))``,
    ``e = (R + 1) f(g - tolerance) / (f(g - tolerance) + Σ_r f(g_r))``. If the window, less the tolerance, is
    exchangeable with the baseline's, the R + 1 candidates for e average to exactly 1, so E[e] = 1 whatever the
    distribution; and no window gives more than R + 1. A test in both directions carries every η twice, the second
    time for a fall.

    Assumes exchangeability on average over baselines; for one unlucky baseline the tolerance pays (see
    `block_tolerance`). Source: Vovk & Wang, *E-values: calibration, combination and applications* (2021), §2; `e` is
    an e-value by construction.

    >>> test = ConformalTest.fit([0.1, 0.2, 0.3, 0.2, 0.1, 0.3, 0.2], tolerance=0.0)
    >>> np.exp(test.log_e_values(0.2)).round(2).tolist()[:3]
    [0.98, 0.91, 0.82]
    >>> np.exp(test.log_e_values(0.9)).round(2).tolist()[-2:]
    [8.0, 8.0]
    """

    mean: float
    deviation: float
    tolerance: float
    steepness: tuple[float, ...]
    log_sums: tuple[float, ...]
    windows: int

    @classmethod
    def fit(
        cls,
        scores: Sequence[float] | NDArray[np.float64],
        *,
        tolerance: float,
        direction: Direction = "up",
        smallest_deviation: float = 1e-6,
    ) -> ConformalTest:
        """Learn the yardstick from the baseline's window scores, shape [R].

        `smallest_deviation` keeps a score that never moved in the baseline (a share of missing values, say) from
        turning the first odd row into a certainty. Raises BadInput for fewer than 5 windows.
        """
        values = np.asarray(scores, dtype=np.float64)
        if values.size < FEWEST_WINDOWS:
            raise BadInput(
                "The baseline has too few windows to judge by.",
                got=f"{values.size} windows",
                expected=f"at least {FEWEST_WINDOWS} (20 or more to be useful)",
                fix="Use a longer reference or shorter windows.",
            )
        mean = float(values.mean())
        deviation = max(float(values.std(ddof=1)), smallest_deviation)
        steepness = ETAS if direction == "up" else ETAS + tuple(-eta for eta in ETAS)
        slopes = np.asarray(steepness)
        log_sums = np.logaddexp.reduce(slopes[:, None] * ((values - mean) / deviation)[None, :], axis=1)
        return cls(
            mean=mean,
            deviation=deviation,
            tolerance=tolerance,
            steepness=steepness,
            log_sums=tuple(float(v) for v in log_sums),
            windows=int(values.size),
        )

    def log_e_values(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Logs of the e-values, shape [..., grid], for window scores of shape [...]."""
        slopes = np.asarray(self.steepness)
        score = np.asarray(scores, dtype=np.float64)[..., None]
        forgiven = np.where(slopes > 0, score - self.tolerance, score + self.tolerance)
        log_f = slopes * ((forgiven - self.mean) / self.deviation)
        shares = log_f - np.logaddexp(log_f, np.asarray(self.log_sums))
        return np.asarray(math.log(self.windows + 1) + shares, dtype=np.float64)
