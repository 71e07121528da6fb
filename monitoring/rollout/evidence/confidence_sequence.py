"""Intervals for the mean difference of two versions that hold at every look, and e-values against margins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from monitoring.records import SCORE_ONE, MissingLabels
from monitoring.rollout.evidence.paired_sums import BETS, PairedSums

#: How the betting capital is divided among the bets: by the square root of each, since large bets decide first.
WEIGHTS = tuple(math.sqrt(bet) / sum(map(math.sqrt, BETS)) for bet in BETS)

#: Windows count as differing from each other by more than their rows explain where so much variance has a smaller
#: chance than this if they do not.
DISPERSION_LEVEL = 0.1

#: A bound is looked for in [-1, 1] by dividing what is left into so many parts, so often: to 2^-47.
_PARTS, _ROUNDS = 64, 8

_LOG_WEIGHTS = np.log(WEIGHTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceInterval:
    """An interval for the mean difference.

    Attributes:
        low: Its lower bound.
        high: Its upper bound.
        mean: The mean of the rows that are known.
    """

    low: float
    high: float
    mean: float

    def scaled(self, scale: float) -> DifferenceInterval:
        """The interval in a unit of which the present one is `scale`."""
        return DifferenceInterval(low=self.low * scale, high=self.high * scale, mean=self.mean * scale)

    @property
    def half_width(self) -> float:
        """Half the distance between its bounds."""
        return (self.high - self.low) / 2.0


def interval(
    sums: PairedSums, *, alpha: float, dispersion: float = 1.0, missing: MissingLabels = "bounded"
) -> DifferenceInterval:
    """The interval for the mean difference, each of whose bounds is wrong at any look ever with probability `alpha`.

    For a bet b the product of ``(1 + b x) exp(-b E[x | past])`` over rows is a nonnegative supermartingale, as
    ``1 + b E[x | past] <= exp(b E[x | past])``: whatever the dependence of rows, and however the difference changes
    with time. So is the mean of such products by `WEIGHTS`, and by Ville's inequality it reaches 1/alpha with
    probability alpha at most. The lower bound is the smallest mean of the conditional expectations at which it has not;
    the upper bound is that of -x. What is bounded is the mean over the rows seen so far. Sources: Ville's inequality;
    Waudby-Smith & Ramdas, *Estimating means of bounded random variables by betting* (2021); Choe & Ramdas, *Comparing
    sequential forecasters* (2021), whose empirical Bernstein bound is wider, as log(1 + b x) exceeds its exponent.

    Rows of a window enter together, in any order: the bets do not depend on them. Windows that differ by more than
    their rows explain have their log evidence divided by the `dispersion`, as quasi-likelihoods have; the wider of both
    bounds counts, so the guarantee for the rows seen is kept.

    >>> equal = interval(PairedSums.of(np.tile([1.0, -1.0, 0.0, 0.0], 500)), alpha=0.05)
    >>> round(equal.low, 3), round(equal.high, 3)
    (-0.05, 0.05)
    >>> worse = interval(PairedSums.of(np.tile([1.0, 0.0, 0.0, 0.0], 500)), alpha=0.05)
    >>> worse.low > 0.2
    True

    Args:
        alpha: In (0, 1), for each bound.
        dispersion: At least 1: see `dispersion_of`.
        missing: Whether rows without a label widen it by what they could be, or count as if they were like the others.

    Returns:
        The interval within [-1, 1], in units of x. Without rows it is all of that.
    """
    weight = float(sums.weight) if missing == "bounded" else sums.known_weight
    if weight <= 0:
        return DifferenceInterval(low=-1.0, high=1.0, mean=0.0)
    rows, limit = weight / SCORE_ONE, math.log(1.0 / alpha)
    rising, falling = (np.asarray(logs) / SCORE_ONE for logs in (sums.rising, sums.falling))
    widening = sums.unknown / weight if missing == "bounded" else 0.0
    low = min(_lower_bound(rising, rows, limit, by) for by in {1.0, dispersion})
    high = max(-_lower_bound(falling, rows, limit, by) for by in {1.0, dispersion})
    return DifferenceInterval(low=max(low - widening, -1.0), high=min(high + widening, 1.0), mean=sums.total / weight)


def log_e_value(sums: PairedSums, margin: float, *, rising: bool, dispersion: float = 1.0) -> float:
    """The log of the e-value against the hypothesis that the mean difference lies on one side of a margin.

    >>> worse = PairedSums.of(np.tile([1.0, 0.0, 0.0, 0.0], 500))
    >>> log_e_value(worse, 0.01, rising=True) > 100.0, log_e_value(worse, -0.01, rising=False) < 0.0
    (True, True)

    Args:
        sums: The rows; those without a label count as the side that the hypothesis needs.
        margin: In units of x.
        rising: Whether the hypothesis is that the mean is at most the margin; otherwise that it is at least that.
        dispersion: See `dispersion_of`.

    Returns:
        The log. The e-value has expectation 1 at most at any look while the hypothesis is true; 0 without rows.
    """
    return min(tempered_log_e_value(sums, margin, rising=rising, dispersion=by) for by in {1.0, dispersion})


def tempered_log_e_value(sums: PairedSums, margin: float, *, rising: bool, dispersion: float) -> float:
    """`log_e_value` with its log evidence divided by the dispersion whatever that does; convex in the margin."""
    if not sums.weight:
        return 0.0
    logs = np.asarray(sums.rising if rising else sums.falling) / SCORE_ONE
    towards = (margin if rising else -margin) + sums.unknown_share
    return _mixture(logs - np.asarray(BETS) * (sums.weight / SCORE_ONE * towards), dispersion)


def dispersion_of(windows: Sequence[PairedSums]) -> float:
    """By how much the differences of windows vary more than their rows explain: the Pearson statistic of a dispersion.

    One version may be better on weekdays and worse on Sundays. The rows seen so far have the mean that they have; days
    like them have it less certainly. The statistic is 1 on average where windows differ by their rows alone, and counts
    as 1 unless it is significant at `DISPERSION_LEVEL`. Source: McCullagh & Nelder, *Generalized linear models* (1989),
    section 4.5.

    >>> alike = [PairedSums.of(np.array([1.0, -1.0, 0.0, 0.0])) for _ in range(9)]
    >>> days = [PairedSums.of(np.full(50, sign)) for sign in (1.0, -1.0) * 5]
    >>> dispersion_of(alike), round(dispersion_of(days))
    (1.0, 56)

    Returns:
        The dispersion, 1 at least.
    """
    columns = [(window.weight, window.total, window.squares) for window in windows if window.weight]
    if len(columns) < 2:
        return 1.0
    weights, totals, squares = np.array(columns, dtype=np.float64).T / SCORE_ONE
    mean = totals.sum() / weights.sum()
    variance = squares.sum() / weights.sum() - mean**2
    if variance <= 0.0:
        return 1.0
    statistic = float(((totals - weights * mean) ** 2 / (weights * variance)).sum())
    freedom = len(columns) - 1
    if chdtrc(freedom, statistic) >= DISPERSION_LEVEL:
        return 1.0
    return max(statistic / freedom, 1.0)


def _lower_bound(logs: NDArray[np.float64], rows: float, limit: float, dispersion: float) -> float:
    """The smallest mean that is not rejected: the evidence against a mean falls as it rises."""
    low, high = -1.0, 1.0
    for _ in range(_ROUNDS):
        edges = np.linspace(low, high, _PARTS + 1)
        against = logs - np.asarray(BETS) * (rows * edges[1:-1, None])
        rejected = int(np.count_nonzero(_mixtures(against, dispersion) >= limit))
        low, high = float(edges[rejected]), float(edges[rejected + 1])
    return low


def _mixture(logs: NDArray[np.float64], dispersion: float) -> float:
    """The log of the weighted mean of e-values, from their logs, each divided by the dispersion."""
    return float(_mixtures(logs[None], dispersion)[0])


def _mixtures(logs: NDArray[np.float64], dispersion: float) -> NDArray[np.float64]:
    """`_mixture` of each row, [n] of [n, bets]."""
    values = logs / dispersion + _LOG_WEIGHTS
    top = values.max(axis=1)
    mixtures: NDArray[np.float64] = top + np.log(np.exp(values - top[:, None]).sum(axis=1))
    return mixtures
