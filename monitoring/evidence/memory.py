"""How much of a window's score the next window remembers: days after a storm are not independent of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Key = TypeVar("Key")

#: An estimate below so many of its own standard errors is taken for none: what looks independent pays nothing.
GATE = 0.5

#: Estimates that count are raised by so many standard errors over the square root of R: five at one window, half at 90.
CAUTION = 5.0

#: No memory is taken to be longer than this: beyond it, windows tell next to nothing of a level.
LONGEST = 0.95


def remembered(scores: NDArray[np.float64]) -> float:
    """The correlation of each window's score with the one before it, corrected for the bias of a short baseline.

    `scores` has shape [R], in order of time. The sample's correlation r falls short by about (1 + 3r)/R, which is
    added. 0 for scores that never moved. Source: Kendall, *Note on bias in the estimation of autocorrelation* (1954).

    >>> remembered(np.array([0.1, 0.2, 0.1, 0.2, 0.1, 0.2])) < 0.0 < remembered(np.linspace(0.1, 0.2, 30))
    True
    """
    centred = scores - scores.mean()
    total = float(centred @ centred)
    if total <= 0.0:
        return 0.0
    correlation = float(centred[1:] @ centred[:-1]) / total
    return correlation + (1.0 + 3.0 * correlation) / scores.size


def cautious(estimate: float, windows: int) -> float:
    """The memory to work with: 0 if the estimate may well be chance, else the estimate and a part of its error.

    Too little memory breaks the budget and too much costs delay, so the error is added, the more the fewer windows
    it comes from. GATE and CAUTION were chosen by simulation (see docs/decisions/0013-memory.md).

    >>> cautious(0.02, 90), round(cautious(0.3, 90), 3), round(cautious(0.3, 20), 3)
    (0.0, 0.353, 0.538)
    """
    error = float(np.sqrt(max(1.0 - estimate**2, 0.05) / windows))
    if estimate <= GATE * error:
        return 0.0
    return min(estimate + CAUTION / float(np.sqrt(windows)) * error, LONGEST)


def memories(scores: Mapping[Key, NDArray[np.float64]]) -> dict[Key, float]:
    """The memory of each watch of one level, from its baseline's window scores.

    The watches of a level see the same days, and where there are many, the luckiest of them would decide the level's
    false alarms: so no watch works with less than the level's mean estimate. Watches that never moved have none.
    """
    estimates = {key: remembered(values) for key, values in scores.items()}
    moved = [estimates[key] for key, values in scores.items() if np.ptp(values) > 0.0]
    shared = float(np.mean(moved)) if len(moved) > 1 else 0.0
    return {
        key: min(max(cautious(estimates[key], values.size), shared), LONGEST) if np.ptp(values) > 0.0 else 0.0
        for key, values in scores.items()
    }
