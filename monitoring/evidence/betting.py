"""Recovery of an incident, tested by bounded betting: e-values that need only a bound on the expected score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Widths of the clipped score in baseline standard deviations: the wide one for large changes, the narrow for small.
WIDTHS = (6.0, 12.0)

#: Fractions of the largest admissible bet. None is smaller: a bet near 0 grows the sum by one a window, whatever the
#: scores are.
BET_FRACTIONS = (0.3, 0.6, 0.95)

#: Largest position of the boundary within a width; a width on which it would lie higher is widened to this.
MAX_BOUNDARY = 0.65


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryTest:
    """The test that closes an incident.

    The null hypothesis is that the harm lasts: given the past, the expected score is at or above `boundary`, apart from
    what the previous score predicts. With AR(1) coefficient φ the caller passes ``a = (g - φ h) / (1 - φ)`` for a score
    g after a score h, which is expected at or above the boundary if scores stay around a level there, whatever h was.
    With d the standard deviation of a over the baseline and c a width, ``s = clip((a - mean + 2d) / cd, 0, 1)``,
    ``m = (boundary - mean + 2d) / cd`` and ``e = 1 + bet (m - s)``, with bets up to ``.95 / (1 - m)``. Then e >= 0, and
    under the null E[e | past] <= 1, apart from scores clipped at s = 1, which are rare and far from the boundary. A
    harm of many standard deviations lies beyond every width, so widths are widened as far as needed: without a bet the
    sums grow by one a window, and an incident would be closed because time has passed. Source: Waudby-Smith & Ramdas,
    *Estimating means of bounded random variables by betting* (2021), §4.

    >>> test = RecoveryTest(mean=0.2, std=0.02, boundary=0.22)
    >>> bool((test.log_e_values(0.2) > 0).all()), bool((test.log_e_values(0.3) < 0).all())
    (True, True)
    >>> large = RecoveryTest(mean=0.0, std=0.005, boundary=0.5)
    >>> bool((large.log_e_values(0.0) > 0).all()), bool((large.log_e_values(1.0) < 0).all())
    (True, True)
    """

    mean: float
    std: float
    boundary: float

    def log_e_values(self, score: float) -> NDArray[np.float64]:
        """Logs of the e-values of one window."""
        distance = self.boundary - self.mean + 2.0 * self.std
        widths = np.maximum(np.asarray(WIDTHS) * self.std, distance / MAX_BOUNDARY)
        clipped = np.clip((score - self.mean + 2.0 * self.std) / widths, 0.0, 1.0)
        boundary = distance / widths
        bets = np.asarray(BET_FRACTIONS)[None, :]
        return np.log1p(bets * ((boundary - clipped) / (1.0 - boundary))[:, None]).ravel()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryState:
    """The state of a recovery test: its boundary, the previous score, and Shiryaev-Roberts sums on its grid.

    Recovery may begin in any window, as a harm may. While the harm lasts, the evidence reaches a threshold A after A
    windows on average or later, so a premature close has the same budget as a false alarm.

    >>> state = RecoveryState.initial(0.22).updated(np.log(np.full(6, 2.0)), 0.2)
    >>> round(float(np.exp(state.log_evidence)), 6), RecoveryState.from_text(state.to_text()) == state
    (2.0, True)
    """

    boundary: float
    last_score: float
    detector: EDetectorState

    @classmethod
    def initial(cls, boundary: float) -> RecoveryState:
        """The state when an incident opens: as if the previous score had been at the boundary."""
        grid = len(WIDTHS) * len(BET_FRACTIONS)
        return cls(boundary=boundary, last_score=boundary, detector=EDetectorState.initial(grid))

    def updated(self, log_e: NDArray[np.float64], score: float) -> RecoveryState:
        """The state after one more window of mean score `score` and e-values of the logs `log_e` [grid]."""
        return RecoveryState(boundary=self.boundary, last_score=score, detector=self.detector.updated(log_e))

    @property
    def log_evidence(self) -> float:
        """Log of the mean over the grid."""
        return self.detector.log_evidence

    def to_text(self) -> str:
        """The state as exact text: boundary, previous score, then the detector's text."""
        return f"{self.boundary.hex()} {self.last_score.hex()} {self.detector.to_text()}"

    @classmethod
    def from_text(cls, text: str) -> RecoveryState:
        """The inverse of `to_text`."""
        boundary, last_score, detector = text.split(" ", maxsplit=2)
        return cls(
            boundary=float.fromhex(boundary),
            last_score=float.fromhex(last_score),
            detector=EDetectorState.from_text(detector),
        )


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
        return log_evidences([self])[0]

    def to_text(self) -> str:
        """Exact hexadecimal floats, separated by blanks."""
        return " ".join(value.hex() for value in self.log_m)

    @classmethod
    def from_text(cls, text: str) -> EDetectorState:
        """The inverse of `to_text`."""
        return cls(tuple(float.fromhex(word) for word in text.split()))


def log_evidences(states: Sequence[EDetectorState]) -> list[float]:
    """`EDetectorState.log_evidence` of many states at once, whose grids may differ.

    >>> log_evidences([EDetectorState((0.0, 0.0)), EDetectorState((-math.inf,))])
    [0.0, -inf]
    """
    by_grid: dict[int, list[int]] = {}
    for place, state in enumerate(states):
        by_grid.setdefault(len(state.log_m), []).append(place)
    logs = np.empty(len(states))
    for grid, places in by_grid.items():
        sums = np.logaddexp.reduce([states[place].log_m for place in places], axis=1)
        logs[places] = sums - math.log(grid)
    return [float(value) for value in logs]


def shiryaev_roberts_step(log_m: NDArray[np.float64], log_e: NDArray[np.float64]) -> NDArray[np.float64]:
    """One step of the Shiryaev-Roberts recursion in logs: ``log M' = log e + log(M + 1)``.

    Under the null M_w - w is a supermartingale, so the average run length to ``M ≥ A`` is at least A windows. Source:
    Shin, Ramdas & Rinaldo, *E-detectors* (2022), §3.

    Args:
        log_m: Logs of the sums so far, of any shape; -inf for 0.
        log_e: Logs of the window's e-values, of the same shape.
    """
    return log_e + np.logaddexp(log_m, 0.0)
