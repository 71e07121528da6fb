"""The smallest harm that would be noticed: "no alarm" from a blind monitor must be readable as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.level import LevelTest
from monitoring.evidence.tolerance import block_starts
from monitoring.records import Sensitivity, WatchKey

#: Windows within which a harm should be caught.
HORIZONS = (7, 30, 90)

#: Evidence is cut off here: far above any threshold, and far below what a float holds, times a thousand.
_LARGEST = 1e290

#: Share of simulated streams in which a harm must be caught to count as noticed.
POWER = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """A harm to simulate: a rise of 1 in `metric` moves each watch of `moves` by so many score units."""

    metric: str
    slice: str
    moves: Mapping[WatchKey, float]
    largest: float


def smallest_harms(
    test: LevelTest,
    baseline: Mapping[WatchKey, NDArray[np.float64]],
    harms: Sequence[Harm],
    rng: np.random.Generator,
    *,
    simulations: int = 200,
) -> tuple[Sensitivity, ...]:
    """The smallest rise of each harm that the level catches within each horizon.

    Streams are simulated from the baseline's blocks, with the harm planted from the first window on. `baseline[key]`
    holds window scores, shape [R_key]; all watches are resampled by the same blocks of time, so that a storm hits
    them together. Sizes are searched on a geometric grid (14 % steps). Cost: about a second for 20 watches and 4
    harms.
    """
    simulator = _Simulator(test, baseline, rng, simulations)
    found = []
    for harm in harms:
        sizes = harm.largest * np.geomspace(0.005, 1.0, 41)
        alarms: dict[int, NDArray[np.int64]] = {}
        for horizon in HORIZONS:
            low, high = 0, len(sizes)  # the answer's position; len(sizes) stands for "never"
            while low < high:
                middle = (low + high) // 2
                if middle not in alarms:
                    alarms[middle] = simulator.first_alarms(harm, float(sizes[middle]))
                if float((alarms[middle] <= horizon).mean()) >= POWER:
                    high = middle
                else:
                    low = middle + 1
            rise = float(sizes[low]) if low < len(sizes) else None
            found.append(Sensitivity(metric=harm.metric, slice=harm.slice, windows=horizon, rise=rise))
    return tuple(found)


class _Simulator:
    """Streams of window scores drawn once; a harm changes only the watches that it moves."""

    def __init__(
        self,
        test: LevelTest,
        baseline: Mapping[WatchKey, NDArray[np.float64]],
        rng: np.random.Generator,
        simulations: int,
    ) -> None:
        longest = max(scores.size for scores in baseline.values())
        chunks = [block_starts(longest, simulations, rng) for _ in range(-(-max(HORIZONS) // longest))]
        places = np.concatenate(chunks, axis=1)[:, : max(HORIZONS)]
        self._test = test
        self._streams = {
            key: scores[(places * scores.size) // longest] for key, scores in baseline.items() if key in test.tests
        }
        self._unharmed = {key: self._evidence(key, 0.0) for key in self._streams}

    def _evidence(self, key: WatchKey, rise: float) -> NDArray[np.float64]:
        """Each stream's share of the level's evidence, shape [simulations, windows], with every score moved by `rise`.

        Not in logs: an e-value is at most R + 1, so 90 windows stay below `_LARGEST` up to R = 1,600, and are cut off
        there.
        """
        e_values = np.exp(self._test.tests[key].log_e_values(self._streams[key] + rise))
        running = np.zeros(e_values[:, 0, :].shape)
        path = np.empty(e_values.shape[:2])
        for window in range(e_values.shape[1]):
            running = np.minimum(e_values[:, window, :] * (running + 1.0), _LARGEST)
            path[:, window] = running.mean(axis=1)
        return path * self._test.shares[key]

    def first_alarms(self, harm: Harm, size: float) -> NDArray[np.int64]:
        """The window, counted from 1, of each stream's first alarm; a number past every horizon where there is none."""
        level = np.zeros_like(next(iter(self._unharmed.values())))
        for key, unharmed in self._unharmed.items():
            level += self._evidence(key, size * harm.moves[key]) if key in harm.moves else unharmed
        over = level >= self._test.budget.threshold
        return np.where(over.any(axis=1), over.argmax(axis=1) + 1, max(HORIZONS) + 1).astype(np.int64)
