"""How long a verdict of a split takes: by simulating the units that each version gets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.rollout.evidence.between_days import beyond
from monitoring.rollout.evidence.confidence_sequence import WEIGHTS
from monitoring.rollout.evidence.paired_sums import BETS
from monitoring.rollout.evidence.planning import SIMULATIONS, Rejections
from monitoring.rollout.evidence.verdict import Rules

#: Halvings in which a bound is found: to 2^-16, a hundredth of the usual smallest difference that matters.
_HALVINGS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStream:
    """What is known beforehand of the units of a split, as a `monitoring.rollout.evidence.planning.Stream`.

    Attributes:
        mean: The mean of the champion's measure, in [0, 1].
    """

    rows: float
    share: float
    mean: float
    square: float
    coverage: float = 1.0

    @property
    def labels(self) -> float:
        """See `Stream`: each unit needs one."""
        return self.rows * self.coverage

    def simulated(self, effect: float, rules: Rules, rng: np.random.Generator, windows: int) -> Rejections:
        """See `Stream`: a unit has a loss of 0 or of one size, so that mean and square are these."""
        return _ArmRejections(self, effect, rules, rng, windows)


class _ArmRejections:
    """`Rejections` of units of which each was answered by one version."""

    def __init__(self, stream: UnitStream, effect: float, rules: Rules, rng: np.random.Generator, windows: int) -> None:
        self._alpha, self._scale = rules.alpha, rules.scale
        missing = 1.0 - stream.coverage
        self._unknown = 2.0 * missing if rules.missing == "bounded" else 0.0
        size = stream.square / stream.mean if stream.mean > 0.0 else 1.0
        shares = np.clip([stream.mean / size, (stream.mean + effect / rules.scale) / size], 0.0, 1.0)
        parts, bounds = [], []
        for part, share in zip((1.0 - stream.share, stream.share), shares, strict=True):
            judged = 1.0 if rules.missing == "bounded" else stream.coverage
            units = np.diff(np.floor(stream.rows * part * judged * np.arange(windows + 1)))
            hits = rng.binomial(units.astype(np.int64), share * stream.coverage / judged, size=(SIMULATIONS, windows))
            counts, totals = units.cumsum(), hits.cumsum(axis=1)
            bounds.append(
                [_bound(totals, counts, size, rules.alpha / 2.0), -_bound(totals, counts, -size, rules.alpha / 2.0)]
            )
            parts.append(size * hits / np.maximum(units, 1.0))
        (first_low, first_high), (second_low, second_high) = bounds
        self._low, self._high = second_low - first_high, second_high - first_low
        self._differences = parts[1] - parts[0]

    def above(self, boundary: float) -> NDArray[np.bool_]:
        """See `Rejections`."""
        edge = boundary / self._scale - self._unknown
        return (self._high < edge) & beyond(edge - self._differences, self._alpha)

    def below(self, boundary: float) -> NDArray[np.bool_]:
        """See `Rejections`."""
        edge = boundary / self._scale + self._unknown
        return (self._low > edge) & beyond(self._differences - edge, self._alpha)


def _bound(hits: NDArray[np.int64], counts: NDArray[np.float64], size: float, alpha: float) -> NDArray[np.float64]:
    """The lower bound of the mean, [n, windows], where of `counts` units `hits` have a value of `size`, others of 0."""
    low, high = np.full(hits.shape, -1.0), np.full(hits.shape, 1.0)
    bets = np.asarray(BETS)
    gains, weights = np.log1p(bets * size), np.log(WEIGHTS)
    limit = math.log(1.0 / alpha)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        evidence = np.full(hits.shape, -np.inf)
        for bet, gain, weight in zip(bets, gains, weights, strict=True):
            evidence = np.logaddexp(evidence, weight + gain * hits - bet * counts * middle)
        rejected = evidence >= limit
        low, high = np.where(rejected, middle, low), np.where(rejected, high, middle)
    return low
