"""The e-detector: Shiryaev-Roberts sums of e-values, one per point of a grid, kept in logs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EDetectorState:
    """The state of an e-detector: ``log M`` for each point of its grid, -inf before the first window.

    `to_text` and `from_text` are exact to the bit.

    >>> state = EDetectorState.initial(2).updated(np.log([4.0, 0.5]))
    >>> EDetectorState.from_text(state.to_text()) == state
    True
    """

    log_m: tuple[float, ...]

    @classmethod
    def initial(cls, grid: int) -> EDetectorState:
        """The state before any window, for a grid of this many points."""
        return cls((-math.inf,) * grid)

    def updated(self, log_e: NDArray[np.float64]) -> EDetectorState:
        """The state after one more window: ``M ← e (M + 1)`` for each point of the grid.

        >>> two = EDetectorState.initial(1).updated(np.log([2.0])).updated(np.log([2.0]))
        >>> [round(math.exp(m), 6) for m in two.log_m]
        [6.0]
        """
        return EDetectorState(tuple(float(v) for v in shiryaev_roberts_step(np.asarray(self.log_m), log_e)))

    @property
    def log_evidence(self) -> float:
        """Log of the mean of M over the grid."""
        return float(np.logaddexp.reduce(np.asarray(self.log_m)) - math.log(len(self.log_m)))

    def to_text(self) -> str:
        """Exact hexadecimal floats, separated by blanks."""
        return " ".join(value.hex() for value in self.log_m)

    @classmethod
    def from_text(cls, text: str) -> EDetectorState:
        """The inverse of `to_text`."""
        return cls(tuple(float.fromhex(word) for word in text.split()))


def shiryaev_roberts_step(log_m: NDArray[np.float64], log_e: NDArray[np.float64]) -> NDArray[np.float64]:
    """One step of the Shiryaev-Roberts recursion in logs: ``log M' = log e + log(M + 1)``.

    Under the null M_w - w is a supermartingale, so the average run length to ``M ≥ A`` is at least A windows. Source:
    Shin, Ramdas & Rinaldo, *E-detectors* (2022), §3.

    Args:
        log_m: Logs of the sums so far, of any shape; -inf for 0.
        log_e: Logs of the window's e-values, of the same shape.
    """
    return log_e + np.logaddexp(log_m, 0.0)
