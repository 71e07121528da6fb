"""A level's test on streams drawn from the baseline's own windows, many at once, with or without a harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import pooled
from monitoring.evidence.blocks import block_starts
from monitoring.evidence.conformal import COVERED, ConformalTest, toll, within
from monitoring.evidence.learning import LONGEST_LOOK, due
from monitoring.evidence.level import LevelTest
from monitoring.records import WatchKey

#: Evidence is cut off here: far above any threshold, and far below what a float holds, times a thousand.
LARGEST = 1e290

UNHARMED: Mapping[WatchKey, float] = {}


class ManyRuns:
    """Some watches' tests over many streams at once, in arrays: what `ConformalTest.after` does, not in logs.

    Scores are [streams, watches], in the order of `tests`. With `levels` [watches], the number of the level that each
    watch is of, every stream learns its memories from its own windows (see `monitoring.evidence.learning`), as if all
    of them were quiet. Cost: some 40 ns a stream, watch and point of the grid, and at each doubling of the windows a
    few µs a stream and watch.
    """

    def __init__(self, tests: Sequence[ConformalTest], streams: int, *, levels: Sequence[int] | None = None) -> None:
        grid = max(len(test.steepness) for test in tests)

        def padded(values: Sequence[float]) -> list[float]:
            # A test in one direction has half the grid of one in both: carried twice, its mean is the same.
            return list(values) * (grid // len(values))

        self._tests = tests
        self._levels = None if levels is None else np.asarray(levels)
        self._slopes = np.array([padded(test.steepness) for test in tests])
        self._ends = np.array([padded(test.ends) for test in tests])
        self._mean = np.array([test.mean for test in tests])
        self._tolerance = np.array([test.tolerance for test in tests])
        self._smallest = np.array([test.smallest for test in tests])
        self._windows = np.array([float(test.windows) for test in tests])
        self._row = np.array([test.chance.row for test in tests])
        self._usual = np.array([1.0 / test.chance.rows for test in tests])
        # Watches whose baselines have as many windows are fitted together: their places, and scores about the mean.
        by_size: dict[int, list[int]] = {}
        for place, test in enumerate(tests):
            by_size.setdefault(test.windows, []).append(place)
        self._alike = [
            (places, np.array([tests[place].known for place in places]) - self._mean[places, None])
            for places in by_size.values()
        ]
        self._remember(np.array([[test.memory for test in tests]]))
        self._running = np.zeros((streams, *self._slopes.shape))
        self._seen_sums = np.zeros_like(self._running)
        self._seen = np.zeros((streams, len(tests)))
        self._last: NDArray[np.float64] | None = None
        self._judged: list[NDArray[np.float64]] = []

    def _remember(self, memory: NDArray[np.float64]) -> None:
        """Fit every test with these memories, [streams, watches], or [1, watches] where all streams have the same."""
        self._memory = memory
        self._first = np.sqrt(1.0 - memory**2)
        moved = np.empty_like(memory)
        self._known = np.empty((*memory.shape, self._slopes.shape[1]))
        for places, off in self._alike:
            mine = memory[:, places, None]
            innovations = off - mine * np.concatenate([np.zeros_like(off[:, :1]), off[:, :-1]], axis=1)
            innovations[:, :, 0] *= self._first[:, places]
            moved[:, places] = innovations.std(axis=2, ddof=1)
            z = innovations / np.maximum(moved[:, places], self._smallest[places])[:, :, None]
            for point in range(self._slopes.shape[1]):
                slopes, ends = self._slopes[places, point, None], self._ends[places, point, None]
                self._known[:, places, point] = np.exp(slopes * within(z, ends)).sum(axis=2)
        self._scatter = np.maximum(moved, self._smallest)
        self._shown = np.where(moved >= self._scatter, 1.0, (moved / self._scatter) ** 2)
        self._learns = self._tolerance * (1.0 - memory) < COVERED * self._scatter / np.sqrt(self._windows)
        # A row's variance in the unit of innovations, as `ConformalTest.thinness` has it.
        self._chance = self._row * (1.0 + memory**2) / self._scatter**2

    def step(self, scores: NDArray[np.float64], rows: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """One window on: each watch's evidence, shape [streams, watches]; `rows` of that shape, if any are fewer."""
        if self._levels is not None:
            if due(len(self._judged)):
                self._learn(self._levels)
            self._judged.append(scores)
        off = scores - self._mean
        if self._last is None:
            innovation, scale = off * self._first, self._first
        else:
            innovation, scale = off - self._memory * self._last, 1.0 - self._memory
        self._last = off
        unit, others = self._scatter, self._known + self._seen_sums
        if rows is not None:
            thinness = self._chance * np.maximum(1.0 / np.maximum(rows, 1) - self._usual, 0.0)
            unit = self._scatter * np.sqrt(1.0 + thinness)
            paid = toll(self._slopes, thinness[:, :, None], self._shown[:, :, None])
            others = others + self._known * np.expm1(paid)
        z = (innovation / unit)[:, :, None]
        forgiven = np.sign(self._slopes) * (self._tolerance * scale / unit)[..., None]
        f = np.exp(self._slopes * within(z - forgiven, self._ends))
        count = self._windows + self._learns * self._seen + 1.0
        self._running += 1.0
        self._running *= count[:, :, None] * (f / (f + others))
        np.minimum(self._running, LARGEST, out=self._running)
        self._seen_sums += self._learns[:, :, None] * np.exp(self._slopes * within(z, self._ends))
        self._seen += self._learns
        evidence: NDArray[np.float64] = self._running.mean(axis=2)
        return evidence

    def _learn(self, levels: NDArray[np.int64]) -> None:
        judged = np.stack(self._judged[-LONGEST_LOOK:], axis=2)
        self._remember(pooled([np.asarray(test.known) for test in self._tests], judged, levels))

    def restart(self, where: NDArray[np.bool_]) -> None:
        """Start tests from nothing, as when an incident is closed; `where` has shape [streams, watches]."""
        self._running[where] = 0.0
        self._seen_sums[where] = 0.0
        self._seen[where] = 0.0


class SimulatedStreams:
    """Streams of window scores, drawn once from the baseline's blocks; a harm moves the watches that it names.

    `baseline[key]` holds window scores, shape [R_key]. All watches are resampled by the same blocks of time, so that
    a storm hits them together. `length` is that of a block, in windows (1: single windows; None: see `block_length`).
    Every window counts as large enough for every watch. Watches that are the same test on the same scores, as those of
    ten thousand inputs that were never missing, are gone through once.
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
        self.scores: dict[WatchKey, NDArray[np.float64]] = {}
        self._unharmed: dict[WatchKey, NDArray[np.float64]] = {}
        self._still: dict[frozenset[WatchKey], NDArray[np.float64]] = {}
        drawn: dict[bytes, NDArray[np.float64]] = {}
        paths: dict[tuple[bytes, ConformalTest, float], NDArray[np.float64]] = {}
        for key, one in test.tests.items():
            known = baseline[key].tobytes()
            if known not in drawn:
                drawn[known] = baseline[key][(places * baseline[key].size) // longest]
            self.scores[key] = drawn[known]
            alike = (known, one, test.shares[key])
            if alike not in paths:
                paths[alike] = self._evidence({key: 0.0})
            self._unharmed[key] = paths[alike]

    def evidence(self, moves: Mapping[WatchKey, float] = UNHARMED) -> NDArray[np.float64]:
        """The level's evidence, shape [simulations, windows], with each watch's scores moved by what `moves` says."""
        moved = {key: rise for key, rise in moves.items() if key in self._unharmed}
        level = self._rest(frozenset(moved))
        return level + self._evidence(moved) if moved else level.copy()

    def _rest(self, moved: frozenset[WatchKey]) -> NDArray[np.float64]:
        """What all other watches add; kept, as a harm is tried in many sizes."""
        if moved not in self._still:
            level = np.zeros_like(next(iter(self._unharmed.values())))
            for key, path in self._unharmed.items():
                if key not in moved:
                    level += path
            self._still[moved] = level
        return self._still[moved]

    def first_alarms(self, moves: Mapping[WatchKey, float] = UNHARMED) -> NDArray[np.int64]:
        """The window, counted from 1, of each stream's first alarm; one past the last where there is none."""
        over = self.evidence(moves) >= self._test.budget.threshold
        first: NDArray[np.int64] = np.where(over.any(axis=1), over.argmax(axis=1) + 1, over.shape[1] + 1)
        return first

    def _evidence(self, moves: Mapping[WatchKey, float]) -> NDArray[np.float64]:
        """What these watches add to the level's evidence, Σ π_k M_k, their scores moved."""
        scores = np.stack([self.scores[key] + rise for key, rise in moves.items()], axis=2)
        shares = np.array([self._test.shares[key] for key in moves])
        runs = ManyRuns([self._test.tests[key] for key in moves], scores.shape[0])
        path = np.empty(scores.shape[:2])
        for window in range(scores.shape[1]):
            path[:, window] = runs.step(scores[:, window]) @ shares
        return path
