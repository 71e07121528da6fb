"""Bounded betting: e-values that need no exchangeability, only a bound on the expected score given the past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.detector import DetectorState

#: Width of the clipped score in baseline standard deviations; the wide ones see large moves, the narrow one small ones.
WIDTHS = (6.0, 12.0)

#: Shares of the largest safe bet. No smaller ones: a bet near nothing gathers evidence at one a window, whatever comes.
STAKES = (0.3, 0.6, 0.95)

#: A width on which the boundary lies higher than this has no room above it, and is stretched until it lies here.
HIGHEST_BOUNDARY = 0.65


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryTest:
    """The mirrored test that closes an incident.

    Its null says that the harm lasts: given the past, the expected score lies at or above `boundary`, but for what the
    window before foretells. With memory φ, that is taken out: ``a = (g - φ h) / (1 - φ)`` of a score g after a score h
    is expected at or above the boundary if scores keep around a level there, whatever h was. With d the deviation of a
    over the baseline and c a width, ``s = clip((a - mean + 2d) / cd, 0, 1)``, ``m = (boundary - mean + 2d) / cd``
    and ``e = 1 + bet * (m - s)`` for bets up to ``.95 / (1 - m)``: then e >= 0 and, under that null, E[e | past] <= 1
    (but for scores cut off at s = 1, which are rare and far from the boundary). A harm of many deviations lies beyond
    every width, and widths are then made as wide as it takes: where no bet is laid, the sums grow by one a window
    whatever comes, and an incident would be taken for over because time has passed. Source: Waudby-Smith & Ramdas,
    *Estimating means of bounded random variables by betting* (2021), §4.

    >>> test = RecoveryTest(mean=0.2, deviation=0.02, boundary=0.22)
    >>> bool((test.log_e_values(0.2) > 0).all()), bool((test.log_e_values(0.3) < 0).all())
    (True, True)
    >>> huge = RecoveryTest(mean=0.0, deviation=0.005, boundary=0.5)
    >>> bool((huge.log_e_values(0.0) > 0).all()), bool((huge.log_e_values(1.0) < 0).all())
    (True, True)
    """

    mean: float
    deviation: float
    boundary: float

    def log_e_values(self, score: float) -> NDArray[np.float64]:
        """Logs of the e-values, shape [grid], for one window's mean score, less what the window before foretold."""
        reach = self.boundary - self.mean + 2.0 * self.deviation
        widths = np.maximum(np.asarray(WIDTHS) * self.deviation, reach / HIGHEST_BOUNDARY)
        clipped = np.clip((score - self.mean + 2.0 * self.deviation) / widths, 0.0, 1.0)
        boundary = reach / widths
        return np.log1p(np.asarray(STAKES)[None, :] * ((boundary - clipped) / (1.0 - boundary))[:, None]).ravel()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryState:
    """What the recovery test remembers: its boundary, the last score, and Shiryaev-Roberts sums on its grid.

    Recovery may begin in any window, as harm may: while the harm lasts, the evidence reaches A no sooner than after A
    windows, on average. A wrong all-clear has a budget as a wrong alarm has.

    >>> state = RecoveryState.begun(0.22).after(np.log(np.full(6, 2.0)), 0.2)
    >>> round(float(np.exp(state.log_evidence)), 6), RecoveryState.from_text(state.to_text()) == state
    (2.0, True)
    """

    boundary: float
    last: float
    detector: DetectorState

    @classmethod
    def begun(cls, boundary: float) -> RecoveryState:
        """The state when an incident opens: as if the window before had been at the boundary."""
        return cls(boundary=boundary, last=boundary, detector=DetectorState.fresh(len(WIDTHS) * len(STAKES)))

    def after(self, log_e: NDArray[np.float64], score: float) -> RecoveryState:
        """One window on, with its mean score; `log_e` has shape [grid]."""
        return RecoveryState(boundary=self.boundary, last=score, detector=self.detector.after(log_e))

    @property
    def log_evidence(self) -> float:
        """Log of the mean over the grid."""
        return self.detector.log_evidence

    def to_text(self) -> str:
        """Exact: the boundary, the last score, then the detector's own text."""
        return f"{self.boundary.hex()} {self.last.hex()} {self.detector.to_text()}"

    @classmethod
    def from_text(cls, text: str) -> RecoveryState:
        """The inverse of `to_text`."""
        boundary, last, detector = text.split(" ", maxsplit=2)
        return cls(
            boundary=float.fromhex(boundary), last=float.fromhex(last), detector=DetectorState.from_text(detector)
        )
