"""A level's test on streams drawn from the baseline's own windows, many at once, with or without a harm."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.level import LevelTest
from monitoring.evidence.tolerance import block_starts
from monitoring.records import WatchKey

#: Evidence is cut off here: far above any threshold, and far below what a float holds, times a thousand.
LARGEST = 1e290

UNHARMED: Mapping[WatchKey, float] = {}


class SimulatedStreams:
    """Streams of window scores, drawn once from the baseline's blocks; a harm moves the watches that it names.

    `baseline[key]` holds window scores, shape [R_key]. All watches are resampled by the same blocks of time, so that
    a storm hits them together. `length` is that of a block, in windows (1: single windows; None: see `block_length`).
    Every window counts as large enough for every watch.
    """

    def __init__(
        self,
        test: LevelTest,
        baseline: Mapping[WatchKey, NDArray[np.float64]],
        rng: np.random.Generator,
        *,
        simulations: int,
        windows: int,
        length: int | None = None,
    ) -> None:
        longest = max(baseline[key].size for key in test.tests)
        chunks = [block_starts(longest, simulations, rng, length=length) for _ in range(-(-windows // longest))]
        places = np.concatenate(chunks, axis=1)[:, :windows]
        self._test = test
        self.scores = {key: baseline[key][(places * baseline[key].size) // longest] for key in test.tests}
        self._unharmed = {key: self._evidence(key, 0.0) for key in self.scores}

    def evidence(self, moves: Mapping[WatchKey, float] = UNHARMED) -> NDArray[np.float64]:
        """The level's evidence, shape [simulations, windows], with each watch's scores moved by what `moves` says."""
        level = np.zeros_like(next(iter(self._unharmed.values())))
        for key, unharmed in self._unharmed.items():
            level += self._evidence(key, moves[key]) if key in moves else unharmed
        return level

    def first_alarms(self, moves: Mapping[WatchKey, float] = UNHARMED) -> NDArray[np.int64]:
        """The window, counted from 1, of each stream's first alarm; one past the last where there is none."""
        over = self.evidence(moves) >= self._test.budget.threshold
        first: NDArray[np.int64] = np.where(over.any(axis=1), over.argmax(axis=1) + 1, over.shape[1] + 1)
        return first

    def _evidence(self, key: WatchKey, rise: float) -> NDArray[np.float64]:
        """One watch's part of the level's evidence, π_k M_k, not in logs and so cut off at `LARGEST`."""
        e_values = np.exp(self._test.tests[key].log_e_values(self.scores[key] + rise))
        running = np.zeros(e_values[:, 0, :].shape)
        path = np.empty(e_values.shape[:2])
        for window in range(e_values.shape[1]):
            running = np.minimum(e_values[:, window, :] * (running + 1.0), LARGEST)
            path[:, window] = running.mean(axis=1)
        return path * self._test.shares[key]
