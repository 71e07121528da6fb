"""The running test: Shiryaev-Roberts sums of e-values, kept in logs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class DetectorState:
    """What a running test remembers: ``log M`` for each point of its grid. -inf before the first window.

    Goes to the store as `to_text` and comes back bit for bit.

    >>> state = DetectorState.fresh(2).after(np.log([4.0, 0.5]))
    >>> DetectorState.from_text(state.to_text()) == state
    True
    """

    log_m: tuple[float, ...]

    @classmethod
    def fresh(cls, grid: int) -> DetectorState:
        """The state before any window, for a grid of so many points."""
        return cls((-math.inf,) * grid)

    def after(self, log_e: NDArray[np.float64]) -> DetectorState:
        """One window on: ``M ← e · (M + 1)``, elementwise; `log_e` has shape [grid].

        >>> [round(math.exp(m), 6) for m in DetectorState.fresh(1).after(np.log([2.0])).after(np.log([2.0])).log_m]
        [6.0]
        """
        return DetectorState(tuple(float(v) for v in advance(np.asarray(self.log_m), log_e)))

    @property
    def log_evidence(self) -> float:
        """Log of the mean of M over the grid."""
        return float(np.logaddexp.reduce(np.asarray(self.log_m)) - math.log(len(self.log_m)))

    def to_text(self) -> str:
        """Exact hexadecimal floats, separated by blanks."""
        return " ".join(value.hex() for value in self.log_m)

    @classmethod
    def from_text(cls, text: str) -> DetectorState:
        """The inverse of `to_text`."""
        return cls(tuple(float.fromhex(word) for word in text.split()))


def advance(log_m: NDArray[np.float64], log_e: NDArray[np.float64]) -> NDArray[np.float64]:
    """The recursion on arrays of any one shape: ``log M' = log e + log(M + 1)``.

    Under the null M_w - w is a supermartingale, hence the average run length to ``M ≥ A`` is at least A windows.
    Source: Shin, Ramdas & Rinaldo, *E-detectors* (2022), §3.
    """
    return log_e + np.logaddexp(log_m, 0.0)
