"""Intervals for the mean difference of two versions that hold at every look, and e-values against margins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.records import SCORE_ONE, MissingLabels
from monitoring.rollout.evidence.paired_sums import BETS, PairedSums

#: How the betting capital is divided among the bets: by the square root of each, since large bets decide first.
WEIGHTS = tuple(math.sqrt(bet) / sum(map(math.sqrt, BETS)) for bet in BETS)

#: A bound is looked for in [-1, 1] by dividing what is left into so many parts, so often: to 2^-47.
_PARTS, _ROUNDS = 64, 8

_LOG_WEIGHTS = np.log(WEIGHTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceInterval:
    """An interval for the mean difference."""

    low: float
    high: float
    mean: float

    def scaled(self, scale: float) -> DifferenceInterval:
        """The interval in a unit of which the present one is `scale`."""
        return DifferenceInterval(low=self.low * scale, high=self.high * scale, mean=self.mean * scale)

    def widened(self, other: DifferenceInterval) -> DifferenceInterval:
        """The smallest interval that holds both, with the mean of this one."""
        return DifferenceInterval(low=min(self.low, other.low), high=max(self.high, other.high), mean=self.mean)

    @property
    def half_width(self) -> float:
        """Half the distance between its bounds."""
        return (self.high - self.low) / 2.0


def interval(sums: PairedSums, *, alpha: float, missing: MissingLabels = "bounded") -> DifferenceInterval:
    """The interval for the mean difference of the rows seen; either bound is wrong ever with probability `alpha`.

    For a bet b the product of ``(1 + b x) exp(-b E[x | past])`` over rows is a nonnegative supermartingale, as
    ``1 + b E[x | past] <= exp(b E[x | past])``: whatever the dependence of rows, and however the difference changes
    with time. So is the mean of such products by `WEIGHTS`, and by Ville's inequality it reaches 1/alpha with
    probability alpha at most. The lower bound is the smallest mean of the conditional expectations at which it has not;
    the upper bound is that of -x. What is bounded is the mean over the rows seen so far. Sources: Ville's inequality;
    Waudby-Smith & Ramdas, *Estimating means of bounded random variables by betting* (2021); Choe & Ramdas, *Comparing
    sequential forecasters* (2021), whose empirical Bernstein bound is wider, as log(1 + b x) exceeds its exponent.

    Rows of a window enter together, in any order: the bets do not depend on them.

    >>> equal = interval(PairedSums.of(np.tile([1.0, -1.0, 0.0, 0.0], 500)), alpha=0.05)
    >>> round(equal.low, 3), round(equal.high, 3)
    (-0.05, 0.05)
    >>> worse = interval(PairedSums.of(np.tile([1.0, 0.0, 0.0, 0.0], 500)), alpha=0.05)
    >>> worse.low > 0.2
    True

    Args:
        alpha: In (0, 1), for each bound.

    Returns:
        The interval within [-1, 1], in units of x. Without rows it is all of that.
    """
    weight = float(sums.weight) if missing == "bounded" else sums.known_weight
    if weight <= 0:
        return DifferenceInterval(low=-1.0, high=1.0, mean=0.0)
    rows, limit = weight / SCORE_ONE, math.log(1.0 / alpha)
    rising, falling = (np.asarray(logs) / SCORE_ONE for logs in (sums.rising, sums.falling))
    widening = sums.unknown / weight if missing == "bounded" else 0.0
    low, high = _lower_bound(rising, rows, limit), -_lower_bound(falling, rows, limit)
    return DifferenceInterval(low=max(low - widening, -1.0), high=min(high + widening, 1.0), mean=sums.total / weight)


def log_e_value(sums: PairedSums, margin: float, *, rising: bool) -> float:
    """The log of the e-value against the hypothesis that the mean difference of the rows seen is on a margin's side.

    >>> worse = PairedSums.of(np.tile([1.0, 0.0, 0.0, 0.0], 500))
    >>> log_e_value(worse, 0.01, rising=True) > 100.0, log_e_value(worse, -0.01, rising=False) < 0.0
    (True, True)

    Args:
        sums: The rows; those without a label count as the side that the hypothesis needs.
        rising: Whether the hypothesis is that the mean is at most the margin; otherwise that it is at least that.

    Returns:
        The log, convex in the margin. The e-value has expectation 1 at most at any look while the hypothesis is true; 0
        without rows.
    """
    if not sums.weight:
        return 0.0
    logs = np.asarray(sums.rising if rising else sums.falling) / SCORE_ONE
    towards = (margin if rising else -margin) + sums.unknown_share
    return float(_mixtures((logs - np.asarray(BETS) * (sums.weight / SCORE_ONE * towards))[None])[0])


def _lower_bound(logs: NDArray[np.float64], rows: float, limit: float) -> float:
    """The smallest mean that is not rejected: the evidence against a mean falls as it rises."""
    low, high = -1.0, 1.0
    for _ in range(_ROUNDS):
        edges = np.linspace(low, high, _PARTS + 1)
        against = logs - np.asarray(BETS) * (rows * edges[1:-1, None])
        rejected = int(np.count_nonzero(_mixtures(against) >= limit))
        low, high = float(edges[rejected]), float(edges[rejected + 1])
    return low


def _mixtures(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logs of the weighted means of e-values, [n], from their logs, [n, bets]."""
    values = logs + _LOG_WEIGHTS
    top = values.max(axis=1)
    mixtures: NDArray[np.float64] = top + np.log(np.exp(values - top[:, None]).sum(axis=1))
    return mixtures
