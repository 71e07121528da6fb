"""Intervals that hold at every number of runs at once, so that runs can be added until a claim is decided.

The mixture of t tests: a normal prior on the standardised mean, and the right Haar prior on the standard deviation. Its
Bayes factor is a test martingale of the scale-invariant observations (Lai, Annals of Statistics 4, 1976; Wang and
Ramdas, *Anytime-valid t-tests and confidence sequences for Gaussian means with unknown variance*, Sequential Analysis
2025), so by Ville's inequality it exceeds 1 / .05 ever with probability .05 at most. Exact for independent normal
values, and an approximation for others and for the jackknife's pseudo-values: exponential values are rejected in 9 % of
sequences that are looked at after every run from the 16th to the 256th, and in less than 5 % at four looks.
"""

from __future__ import annotations

import math
from typing import Final

from scipy.optimize import brentq
from scipy.special import stdtrit

from monitoring.baseline.metrics import ConfidenceInterval
from pitfalls_tf.experiments import scale
from pitfalls_tf.experiments.scale import ScaleName

ALPHA: Final = 0.05
# The boundary is lowest, relative to its growth, where the prior has about an eighth of the runs (2 log(1 / alpha) +
# log(1 + 2 log(1 / alpha)) is 8 at .05).
PRIOR_SHARE: Final = 1 / 8


def boundary(runs: int, planned: int) -> float:
    """Student's t statistic beyond which a mean is rejected at any time.

    Args:
        runs: number of runs n so far, at least 3.

    >>> boundary(64, 64) > float(stdtrit(63, 0.975))
    True
    """
    prior = max(1.0, PRIOR_SHARE * planned)
    freedom, shrunk = runs - 1, prior / (runs + prior)

    def log_bayes_factor(statistic: float) -> float:
        square = statistic * statistic / freedom
        return 0.5 * math.log(shrunk) + runs / 2 * (math.log1p(square) - math.log1p(shrunk * square)) + math.log(ALPHA)

    largest = 1e3
    return math.inf if log_bayes_factor(largest) < 0 else float(brentq(log_bayes_factor, 0.0, largest))


def widened(interval: ConfidenceInterval, *, name: ScaleName, runs: int, planned: int) -> ConfidenceInterval:
    """An interval for a fixed number of runs, widened so that it holds at every number of runs.

    Its half width, on the quantity's scale, is multiplied by the ratio of the boundary to Student's quantile. The part
    of the interval that comes from domains is widened too, which makes it conservative.

    Args:
        interval: Student's 95 % interval of `runs` runs.

    Returns:
        The wider interval; unknown (NaN) with fewer than three runs.

    >>> wide = widened(ConfidenceInterval(low=-1.0, high=1.0), name="identity", runs=64, planned=64)
    >>> round(wide.low, 2), round(wide.high, 2)
    (-1.57, 1.57)
    """
    if runs < 3:
        return ConfidenceInterval(low=math.nan, high=math.nan)
    ratio = boundary(runs, planned) / float(stdtrit(runs - 1, 1 - ALPHA / 2))
    low, high = (scale.transform(name, end) for end in (interval.low, interval.high))
    centre, half = (low + high) / 2, ratio * (high - low) / 2
    return ConfidenceInterval(low=scale.inverse(name, centre - half), high=scale.inverse(name, centre + half))
