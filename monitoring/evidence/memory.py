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

#: Correlations are summed over one lag for so many baseline windows, and at most over a week of days.
WINDOWS_PER_LAG = 12
MOST_LAGS = 7

#: By so many of its standard errors must the sum miss a geometric memory's before the miss counts, and then the rest.
DOUBT = 0.5

#: Between these a geometric memory is looked for; below the first, the sum of its powers no longer grows with it.
_RANGE = (-0.5, 0.98)


def lags(windows: int) -> int:
    """How many lags a baseline of so many windows can tell of.

    >>> [lags(r) for r in (20, 40, 90, 365)]
    [1, 3, 7, 7]
    """
    return min(max(windows // WINDOWS_PER_LAG, 1), MOST_LAGS)


def remembered(scores: NDArray[np.float64]) -> float:
    """The geometric memory φ under which sums of windows would vary as much as the baseline's do.

    `scores` has shape [R], in order of time. Evidence is gathered over many windows, so what counts is how much their
    sum varies, and the correlation r of neighbours alone foretells that only where memory fades geometrically. Real
    days often remember yesterday and not the day before: a storm passes, and better weather follows. So the
    correlations of the first L lags are summed (see `lags`), each corrected for the bias of a short baseline, about
    -κ/R - kr/R at lag k with κ = (1 + φ)/(1 - φ). Where that sum misses ``φ + φ² + … + φ^L`` of the neighbours' φ by
    more than chance would, φ is moved by what is beyond chance. One lag is the neighbours' correlation itself,
    ``(r + 1/R) / (1 - 3/R)``. 0 for scores that never moved. Cost: some 50 µs. Source: Kendall, *Note on bias in the
    estimation of autocorrelation* (1954); Marriott & Pope, *Bias in the estimation of autocorrelations* (1954).

    >>> remembered(np.array([0.1, 0.2, 0.1, 0.2, 0.1, 0.2])) < 0.0 < remembered(np.linspace(0.1, 0.2, 30))
    True
    """
    centred = scores - scores.mean()
    total = float(centred @ centred)
    if total <= 0.0:
        return 0.0
    size = scores.size
    found = [float(centred[lag:] @ centred[:-lag]) / total for lag in range(1, lags(size) + 1)]
    neighbours = min((found[0] + 1.0 / size) / (1.0 - 3.0 / size), LONGEST)
    if len(found) == 1:
        return neighbours
    held = min(max(neighbours, _RANGE[0]), 0.9)
    varies = (1.0 + held) / (1.0 - held)
    seen = neighbours + sum(r + (varies + lag * r) / size for lag, r in enumerate(found[1:], start=2))
    foretold = _powers(neighbours, len(found))
    chance = DOUBT * float(np.sqrt((len(found) - 1) / size))
    beyond = float(np.sign(seen - foretold)) * max(abs(seen - foretold) - chance, 0.0)
    return _geometric(foretold + beyond, len(found))


def _powers(memory: float, count: int) -> float:
    """``φ + φ² + … + φ^count``."""
    return float(sum(memory**power for power in range(1, count + 1)))


def _geometric(total: float, count: int) -> float:
    """The memory whose first `count` powers sum to `total`, to 1e-9, or the nearer end of the range looked at."""
    low, high = _RANGE
    while high - low > 1e-9:
        middle = (low + high) / 2.0
        if _powers(middle, count) < total:
            low = middle
        else:
            high = middle
    return low


def cautious(estimate: float, windows: int) -> float:
    """The memory to work with: 0 if the estimate may well be chance, else the estimate and a part of its error.

    Too little memory breaks the budget and too much costs delay, so the error is added, the more the fewer windows
    it comes from. The constants were chosen by simulation (see docs/decisions/0021-long-run-memory.md).

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
