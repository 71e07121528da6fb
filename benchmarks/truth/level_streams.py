"""A level's test on many resampled streams, restarted after each alarm, with the product's own simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.level import LevelTest
from monitoring.evidence.simulation import VectorizedTests, block_indices
from monitoring.records import WatchKey

#: Streams that are advanced together; a batch that fits into the CPU cache is fastest.
TOGETHER = 250

NO_HARM: Mapping[WatchKey, float] = {}


def resampled(baseline: int, rng: np.random.Generator, *, streams: int, windows: int, length: int) -> NDArray[np.int64]:
    """Positions of baseline windows, shape [streams, windows], in circular blocks of `length` windows."""
    chunks = [block_indices(baseline, streams, rng, length=length) for _ in range(-(-windows // baseline))]
    places: NDArray[np.int64] = np.concatenate(chunks, axis=1)[:, :windows]
    return places


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """Alarms of streams whose test restarts after each alarm, bool [streams, windows]."""

    at: NDArray[np.bool_]

    @property
    def first(self) -> NDArray[np.int64]:
        """Window of the first alarm, counted from 1; one past the last without an alarm."""
        has_alarm = self.at.any(axis=1)
        first: NDArray[np.int64] = np.where(has_alarm, self.at.argmax(axis=1) + 1, self.at.shape[1] + 1)
        return first

    def share_with_any(self, windows: int) -> float:
        """Share of streams with an alarm in their first windows."""
        return float(self.at[:, :windows].any(axis=1).mean())

    def per(self, windows: int, *, within: int | None = None) -> float:
        """Alarms per given number of windows, over all windows or the first `within` of each stream."""
        return float(self.at[:, :within].mean()) * windows

    @property
    def run_length(self) -> float:
        """Windows per alarm; infinite without an alarm."""
        count = int(self.at.sum())
        return self.at.size / count if count else float("inf")

    @property
    def known_run_length(self) -> float | str:
        """The run length as text; a lower bound without an alarm."""
        return self.run_length if self.at.any() else f"> {self.at.size:,}"

    @property
    def median_delay(self) -> float | None:
        """Median window of the first alarm; None if half of the streams have none."""
        return self.delay(0.5)

    def delay(self, share: float) -> float | None:
        """Window by which this share of the streams has an alarm; None if fewer have one."""
        reached = float(np.quantile(self.first, share, method="median_unbiased" if share == 0.5 else "higher"))
        return reached if reached <= self.at.shape[1] else None


def alarms(
    test: LevelTest,
    baseline: Mapping[WatchKey, NDArray[np.float64]],
    places: NDArray[np.int64],
    moves: Mapping[WatchKey, float] = NO_HARM,
    *,
    threshold: float | None = None,
    growth: NDArray[np.float64] | None = None,
    learning: bool = True,
) -> Alarms:
    """Run a level's test over streams of resampled baseline windows. Cost: 27 watches, 1,000 years: twenty seconds.

    Every watch is evaluated in every window, also one whose windows had to be pooled in the baseline.

    Args:
        places: positions in the windows of the longest watch, shape [streams, windows]; positions in shorter watches
            are proportional, as in the product's own simulation.
        threshold: evidence for an alarm; that of the budget by default.
        growth: share of the additions in each window, shape [windows]; 1 by default.
        learning: whether tests re-estimate the autocorrelation online; the product's own simulation does not.
    """
    longest = max(baseline[key].size for key in test.tests)
    spread = np.arange(longest)
    scores = np.stack([baseline[key][(spread * baseline[key].size) // longest] for key in test.tests], axis=1)
    rises = np.array([moves.get(key, 0.0) for key in test.tests])
    shares = np.array([test.shares[key] for key in test.tests])
    limit = test.budget.threshold if threshold is None else threshold
    at = np.zeros(places.shape, dtype=np.bool_)
    levels = [0] * len(test.tests) if learning else None
    for start in range(0, len(places), TOGETHER):
        some = places[start : start + TOGETHER]
        runs = VectorizedTests(list(test.tests.values()), len(some), levels=levels)
        for window in range(some.shape[1]):
            moved = rises if growth is None else rises * growth[window]
            over = runs.step(scores[some[:, window]] + moved) @ shares >= limit
            at[start : start + TOGETHER, window] = over
            if over.any():
                runs.restart(np.repeat(over[:, None], len(shares), axis=1))
    return Alarms(at=at)
