"""What of a day's difference may last to days after it, and the evidence against a mean whatever of that is true."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky_banded, solve_banded

Floats = NDArray[np.float64]


class Dependence(NamedTuple):
    """How days of unit variance hang together: a share lasts from each to the next, but for the variance of its own."""

    lasting: float
    own: float = 0.0


#: What the days may be: independent, with two fifths of a difference still there on the next, or with nine tenths of it
#: in all but what a day has for itself.
DEPENDENCE = (Dependence(0.0), Dependence(0.4), Dependence(0.9, own=0.15))


class Alternative(NamedTuple):
    """A mean that the days may have: of which dependence, its variance in variances of a day, and its weight."""

    place: int
    variance: float
    weight: float


#: Means that the evidence is for, most for independent days; the wider one sees large differences sooner.
ALTERNATIVES = (Alternative(0, 1.0, 0.4), Alternative(0, 25.0, 0.3), Alternative(1, 1.0, 0.3))

#: Factors are computed for so many days at least, and for twice as many as often as it takes.
_LEAST_SIZE = 64


def whitened(series: Floats) -> Floats:
    """Some series of days as each `DEPENDENCE` would have them: of independent days.

    >>> whitened(np.array([[1.0], [1.0], [1.0]])).round(2)[..., 0].tolist()
    [[1.0, 1.0, 1.0], [1.0, 0.65, 0.65], [1.0, 0.36, 0.28]]

    Args:
        series: [days, n].

    Returns:
        [dependence, days, n]. Day d of it depends on days up to d alone. Cost: linear in the days.
    """
    days = len(series)
    size = _LEAST_SIZE
    while size < days:
        size *= 2
    result = np.empty((len(DEPENDENCE), *series.shape))
    for place, (dependence, factor) in enumerate(zip(DEPENDENCE, _factors(size)[0], strict=True)):
        steps = series.copy()
        steps[1:] -= dependence.lasting * series[:-1]
        result[place] = solve_banded((1, 0), factor[:, :days], steps, check_finite=False)
    return result


@cache
def _factors(size: int) -> tuple[Floats, Floats]:
    """For each dependence the factor of the covariance of what a day adds, and the log of its determinant.

    A day less what lasts of the one before hangs together with its neighbours alone, by their own variances.

    Returns:
        The diagonals, [dependence, 2, size], and the logs by day, [dependence, size].
    """
    factors = []
    for lasting, own in DEPENDENCE:
        bands = np.empty((2, size))
        bands[0] = (1.0 - own) * (1.0 - lasting**2) + own * (1.0 + lasting**2)
        bands[0, 0], bands[1] = 1.0, -lasting * own
        factors.append(cholesky_banded(bands, lower=True))
    both = np.array(factors)
    return both, np.log(both[:, 0]).cumsum(axis=1)


def log_determinants(days: NDArray[np.int64]) -> Floats:
    """The log of the root of the covariance's determinant for so many days each, from 1 on, [..., dependence]."""
    size = _LEAST_SIZE
    while size < days.max():
        size *= 2
    return np.moveaxis(_factors(size)[1][:, days - 1], 0, -1)


def log_evidence(days: NDArray[np.int64], squares: Floats, along: Floats, unit: Floats) -> Floats:
    """The log of the evidence against a mean of 0 of days, whichever `DEPENDENCE` they have.

    Without a mean, and with a normal one in standard deviations of days, the likelihood of normal days of unknown
    variance is a function of three sums over whitened days. The evidence is the weighted mean of the latter over the
    largest of the former, so it is below that of a test martingale whichever of them is true: Wang & Ramdas,
    *Anytime-valid t-tests and confidence sequences for Gaussian means with unknown variance* (2024), and Wasserman,
    Ramdas & Balakrishnan, *Universal inference* (2020). By symmetry each side is wrong half as often as both.

    Args:
        days: How many, from 1 on, [...].
        squares: The sum of squares of whitened days, [..., dependence].
        along: The sum of their products with whitened ones.
        unit: The sum of squares of whitened ones.

    Returns:
        The log, [...].
    """
    count = np.asarray(days, dtype=np.float64)[..., None]
    sizes = np.maximum(squares, np.finfo(np.float64).tiny)
    none = -log_determinants(days) - 0.5 * count * np.log(sizes)
    places, variances, weights = (np.array(column) for column in zip(*ALTERNATIVES, strict=True))
    prior = variances * unit[..., places]
    shrunk = prior / (1.0 + prior)
    part = np.minimum(along**2 / (sizes * unit), 1.0)[..., places] * shrunk
    some = none[..., places] - 0.5 * np.log1p(prior) - 0.5 * count * np.log1p(-part)
    return np.asarray(np.logaddexp.reduce(some + np.log(weights), axis=-1) - none.max(axis=-1))
