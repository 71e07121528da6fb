"""One window whose losses lie far outside the baseline's windows: a bad day, told on that day.

Evidence adds up over windows, so one bad window never reaches a threshold by itself, whatever its size. A prediction
limit for a single window says how far the next one may lie from the baseline's, at a share of the budget.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from monitoring.evidence.sampling_variance import SamplingVariance, assumed_std
from monitoring.evidence.seasonality import NO_SEASONALITY, Seasonality
from monitoring.judging.facts.binomial import binomial_tail
from monitoring.records import Finding, ScoreSum, Watch, WatchKey, WindowRecord
from monitoring.watches.descriptions import format_value, lower_first, watch_title

#: A window lies so many times as far above the baseline's mean, in log odds, as the worst window seen, and has so many
#: times its loss. Where days have heavier tails than the normal law, a prediction limit alone is passed too often.
EXCESS_FACTOR = 2.0
WORST_FACTOR = 1.2

#: Losses besides the first one that a message names.
NAMED_LOSSES = 2

#: The kind of the finding, and what it is about.
OUTLIER = "losses far outside the baseline"
SUBJECT = "losses"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossLimit:
    """How large the mean loss of one window may be, by the baseline's windows.

    The limit is that of a Student-t prediction interval for one more window, of log odds: scores lie in [0, 1], and
    small ones vary by factors. Its degrees of freedom are those of R windows, or fewer where the windows above their
    median have heavier tails: those of the Student-t law with their kurtosis.

    Attributes:
        watch: The watch on the loss.
        mean: The mean log odds of the baseline's windows.
        std: Their standard deviation, at least that of independent rows in part (`assumed_std`).
        windows: R, how many there are.
        degrees: Degrees of freedom.
        lowest: The smallest score of them.
        highest: The largest.
        sampling: How much a mean over fewer rows varies besides.
        seasonality: What the time of the day or week adds to a score.
    """

    watch: Watch
    mean: float
    std: float
    windows: int
    degrees: float
    lowest: float
    highest: float
    sampling: SamplingVariance
    seasonality: Seasonality = NO_SEASONALITY

    @classmethod
    def fit(
        cls, watch: Watch, scores: Floats, sampling: SamplingVariance, seasonality: Seasonality = NO_SEASONALITY
    ) -> LossLimit:
        """From the baseline's windows.

        Args:
            watch: The watch on the loss.
            scores: The loss of each window without its seasonality, in [0, 1], [R], at least 2.
            sampling: How much means vary with the number of rows.
            seasonality: What was taken from the scores.

        Returns:
            The limit.
        """
        odds = log_odds(scores, sampling.reference_rows)
        centre = _inside(float(scores.mean()), sampling.reference_rows)
        row_variance = sampling.row_variance or centre * (1.0 - centre)
        prior = math.sqrt(row_variance / sampling.reference_rows) / (centre * (1.0 - centre))
        std = assumed_std(float(odds.std(ddof=1)), scores.size, min_std=1e-6, prior_std=prior)
        return cls(
            watch=watch,
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

        >>> error = Watch(name="error", family="performance", level="page", needs_label=True)
        >>> scores = np.linspace(0.2, 0.3, 90)
        >>> limit = LossLimit.fit(error, scores, SamplingVariance(row_variance=0.19, reference_rows=400.0))
        >>> [round(1.0 / (1.0 + math.exp(-limit.largest(rows, 1e-5))), 3) for rows in (400, 50)]
        [0.404, 0.613]

        Args:
            rows: The window's rows.
            alpha: A probability.

        Returns:
            The limit.
        """
        centre = _inside(1.0 / (1.0 + math.exp(-self.mean)), self.sampling.reference_rows)
        few = self.sampling.excess(rows) / (centre * (1.0 - centre)) ** 2
        quantile = -float(stdtrit(self.degrees, alpha))
        return self.mean + quantile * math.sqrt(self.std**2 * (1.0 + 1.0 / self.windows) + few)

    def exceeded(self, total: ScoreSum, seen: float, alpha: float, phases: Mapping[str, int]) -> bool:
        """Whether a window lies far outside.

        Args:
            total: Its score sum.
            seen: The largest score seen, in the baseline and in sound live windows.
            alpha: The probability of a sound window that does.
            phases: The window's phase in each period.

        Returns:
            True if it is beyond the limit, and far beyond the worst window seen.
        """
        if not total.rows or total.mean <= WORST_FACTOR * seen:
            return False
        own, worst = (
            float(log_odds(np.array([score]), total.rows)[0]) for score in (self._plain(total.mean, phases), seen)
        )
        if own <= self.largest(total.rows, alpha) or own - self.mean <= EXCESS_FACTOR * (worst - self.mean):
            return False
        if total.rows >= self.sampling.reference_rows:
            return True
        null = _inside(seen, self.sampling.reference_rows)
        # The tail of a mean of scores in [0, 1] is at most e times the binomial one (Bentkus 2004).
        return math.e * binomial_tail(math.floor(total.mean * total.rows), total.rows, null) <= alpha

    def widened(self, width: float) -> LossLimit:
        """The limit of windows that vary so many times as much."""
        return replace(self, std=self.std * width)

    def _plain(self, score: float, phases: Mapping[str, int]) -> float:
        """A score without its seasonality."""
        return min(max(score - self.seasonality.offset(phases), 0.0), 1.0)


def loss_outlier(
    limits: Mapping[WatchKey, LossLimit],
    sums: Mapping[WatchKey, ScoreSum],
    history: Sequence[WindowRecord],
    *,
    alpha: float,
    phases: Mapping[str, int],
) -> tuple[Finding, ...]:
    """The finding of a window whose losses lie far outside.

    Args:
        limits: Of each loss, in the order in which they are named.
        sums: The window's score sums.
        history: The windows before: what they reached without a page is no fact.
        alpha: The probability of each loss of a sound window to be far outside.
        phases: The window's phase in each period.

    Returns:
        One fact, about the first such loss; none where no loss is.
    """
    above = [key for key, limit in limits.items() if key in sums and sums[key].rows and sums[key].mean > limit.highest]
    seen = _largest_seen(limits, history) if above else {}
    far = [key for key in above if limits[key].exceeded(sums[key], seen[key], alpha, phases)]
    if not far:
        return ()
    message = f"{_departure(limits[far[0]], sums[far[0]], alpha)}{_promised(far[0], limits[far[0]], sums)}"
    shown = next(iter(limits))  # the first is the one that people ask for
    others = [key for key in (shown, *far[1:]) if key != far[0] and key in sums and sums[key].rows]
    if others:
        named = ", ".join(
            f"{lower_first(watch_title(key.watch))} {_value(limits[key], sums[key].mean)} "
            f"(at most {_value(limits[key], limits[key].highest)} in the baseline)"
            for key in dict.fromkeys(others[:NAMED_LOSSES])
        )
        message = f"{message} Besides: {named}."
    return (Finding(kind=OUTLIER, feature=SUBJECT, message=message, fact=True),)


def log_odds(scores: Floats, rows: float) -> Floats:
    """Log odds of scores, of which each counts as at least half a row from 0 and from 1.

    Args:
        scores: In [0, 1], [n].
        rows: How many rows each is a mean over.

    Returns:
        Log odds, [n].

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


def _largest_seen(limits: Mapping[WatchKey, LossLimit], history: Sequence[WindowRecord]) -> dict[WatchKey, float]:
    """The largest score of each loss in the baseline's windows, and in live ones in which no page was open."""
    seen = {key: limit.highest for key, limit in limits.items()}
    for window in history:
        if window.status == "page":
            continue
        for one in window.scores:
            key = WatchKey(watch=one.watch, slice=one.slice)
            if key in seen and one.value is not None:
                watch = limits[key].watch
                seen[key] = max(seen[key], (one.value - watch.offset) / watch.scale)
    return seen


def _departure(limit: LossLimit, total: ScoreSum, alpha: float) -> str:
    largest = 1.0 / (1.0 + math.exp(-limit.largest(total.rows, alpha)))
    return (
        f"{watch_title(limit.watch.name)} of {_value(limit, total.mean)} over {total.rows:,} labelled rows of one "
        f"window; the baseline's {limit.windows} windows lie between {_value(limit, limit.lowest)} and "
        f"{_value(limit, limit.highest)}, and by their variation one window in {1.0 / alpha:,.0f} exceeds "
        f"{_value(limit, largest)}."
    )


def _promised(key: WatchKey, limit: LossLimit, sums: Mapping[WatchKey, ScoreSum]) -> str:
    """What was to be expected of the window's rows, where that is known."""
    gap = sums.get(WatchKey(watch=f"surprise_{key.watch}"))
    if gap is None or not gap.rows or gap.rows != sums[key].rows:
        return ""
    expected = limit.watch.value(sums[key].mean) - limit.watch.scale * (2.0 * gap.mean - 1.0)
    return f" Of these rows {format_value(limit.watch.name, expected)} was to be expected by the model's answers."


def _value(limit: LossLimit, score: float) -> str:
    return format_value(limit.watch.name, limit.watch.value(score))
