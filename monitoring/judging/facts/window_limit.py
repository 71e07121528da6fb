"""A prediction limit for one more window: how far its mean score may lie from the baseline's windows."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from monitoring.evidence.sampling_variance import SamplingVariance, assumed_std
from monitoring.evidence.seasonality import NO_SEASONALITY, Seasonality
from monitoring.judging.facts.log_facts import binomial_tail
from monitoring.records import ScoreSum, WatchKey, WindowRecord

#: A window lies so many times as far above the baseline's mean, in log odds, as the worst window seen. Where days have
#: heavier tails than the normal law, a prediction limit alone is passed too often.
EXCESS_FACTOR = 2.0

#: Means over fewer rows must pass a bound besides that holds whatever the rows' law is: scores near 0, such as ranking
#: losses, have tails that some windows of few rows do not show.
FEW_ROWS = 100

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowLimit:
    """How large the mean score of one window may be, by the baseline's windows.

    The limit is that of a Student-t prediction interval for one more window, of log odds: scores lie in [0, 1], and
    small ones vary by factors. Its degrees of freedom are those of R windows, or fewer where the windows above their
    median have heavier tails: those of the Student-t law with their kurtosis.

    Attributes:
        mean: The mean log odds of the baseline's windows.
        std: Their standard deviation, at least that of independent rows in part (`assumed_std`).
    """

    mean: float
    std: float
    windows: int
    degrees: float
    lowest: float
    highest: float
    sampling: SamplingVariance
    seasonality: Seasonality = NO_SEASONALITY

    @classmethod
    def fit(cls, scores: Floats, sampling: SamplingVariance, seasonality: Seasonality = NO_SEASONALITY) -> WindowLimit:
        """From the baseline's windows.

        Args:
            scores: The score of each window without its seasonality, in [0, 1], [R], at least 2.
        """
        odds = log_odds(scores, sampling.reference_rows)
        centre = _inside(float(scores.mean()), sampling.reference_rows)
        row_variance = sampling.row_variance or centre * (1.0 - centre)
        prior = math.sqrt(row_variance / sampling.reference_rows) / (centre * (1.0 - centre))
        std = assumed_std(float(odds.std(ddof=1)), scores.size, min_std=1e-6, prior_std=prior)
        return cls(
            mean=float(odds.mean()),
            std=float(std),
            windows=scores.size,
            degrees=min(scores.size - 1.0, _degrees(odds)),
            lowest=float(scores.min()),
            highest=float(scores.max()),
            sampling=sampling,
            seasonality=seasonality,
        )

    def largest(self, rows: int, alpha: float) -> float:
        """The log odds that a sound window exceeds with a probability of `alpha`.

        >>> scores = np.linspace(0.2, 0.3, 90)
        >>> limit = WindowLimit.fit(scores, SamplingVariance(row_variance=0.19, reference_rows=400.0))
        >>> [round(1.0 / (1.0 + math.exp(-limit.largest(rows, 1e-5))), 3) for rows in (400, 50)]
        [0.404, 0.613]
        """
        centre = _inside(1.0 / (1.0 + math.exp(-self.mean)), self.sampling.reference_rows)
        few = self.sampling.excess(rows) / (centre * (1.0 - centre)) ** 2
        quantile = -float(stdtrit(self.degrees, alpha))
        return self.mean + quantile * math.sqrt(self.std**2 * (1.0 + 1.0 / self.windows) + few)

    def is_beyond(self, total: ScoreSum, previous_max: float, alpha: float, phases: Mapping[str, int]) -> bool:
        """Whether a window is above the largest score seen, by more than chance of rows and windows explains."""
        if total.mean <= previous_max or self._odds(total, phases) <= self.largest(total.rows, alpha):
            return False
        if total.rows >= max(self.sampling.reference_rows, FEW_ROWS):
            return True
        null = _inside(previous_max, self.sampling.reference_rows)
        # The tail of a mean of scores in [0, 1] is at most e times the binomial one (Bentkus 2004).
        return math.e * binomial_tail(math.floor(total.mean * total.rows), total.rows, null) <= alpha

    def _odds(self, total: ScoreSum, phases: Mapping[str, int]) -> float:
        """The log odds of a window's mean score without its seasonality."""
        plain = min(max(total.mean - self.seasonality.offset(phases), 0.0), 1.0)
        return float(log_odds(np.array([plain]), total.rows)[0])

    def exceeded(self, total: ScoreSum, previous_max: float, alpha: float, phases: Mapping[str, int]) -> bool:
        """Whether a window lies far outside: beyond the limit, and far above the largest score seen."""
        worst = float(log_odds(np.array([previous_max]), total.rows)[0])
        is_far = self._odds(total, phases) - self.mean > EXCESS_FACTOR * (worst - self.mean)
        return is_far and self.is_beyond(total, previous_max, alpha, phases)

    def smallest_outlier(self, rows: int, previous_max: float, alpha: float) -> float:
        """The mean score of so many rows beyond which a window is over the limit and far over `previous_max`."""
        worst = float(log_odds(np.array([previous_max]), rows)[0])
        odds = max(self.largest(rows, alpha), self.mean + EXCESS_FACTOR * (worst - self.mean))
        return 1.0 / (1.0 + math.exp(-odds))

    def widened(self, width: float) -> WindowLimit:
        """The limit of windows that vary so many times as much."""
        return replace(self, std=self.std * width)


def live_values(keys: Collection[WatchKey], history: Sequence[WindowRecord]) -> dict[WatchKey, list[float]]:
    """What watches had in live windows in which no page was open: it is no fact when they have it again."""
    values: dict[WatchKey, list[float]] = {key: [] for key in keys}
    for window in history:
        for score in window.scores if window.status != "page" else ():
            key = WatchKey(watch=score.watch, slice=score.slice)
            if key in values and score.value is not None:
                values[key].append(score.value)
    return values


def log_odds(scores: Floats, rows: float) -> Floats:
    """Log odds of scores, of which each counts as at least half a row from 0 and from 1. Returns log odds, [n].

    Args:
        scores: In [0, 1], [n].

    >>> log_odds(np.array([0.0, 0.5]), 50.0).round(3).tolist()
    [-4.595, 0.0]
    """
    inside = np.clip(scores, 0.5 / max(rows, 1.0), 1.0 - 0.5 / max(rows, 1.0))
    return np.asarray(np.log(inside / (1.0 - inside)), dtype=np.float64)


def _degrees(odds: Floats) -> float:
    """Degrees of freedom of the Student-t law with the kurtosis of the values above the median, by its moments."""
    above = odds - np.median(odds)
    above = above[above > 0.0]
    excess = float(np.mean(above**4) / np.mean(above**2) ** 2) - 3.0 if above.size else 0.0
    return 4.0 + 6.0 / excess if excess > 0.0 else math.inf


def _inside(score: float, rows: float) -> float:
    """A score at least half a row from 0 and from 1."""
    return min(max(score, 0.5 / max(rows, 1.0)), 1.0 - 0.5 / max(rows, 1.0))
