"""Simulation: a level's tests on many streams drawn from the baseline's windows, with or without a harm."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import (
    MAX_AR1,
    MAX_UPDATE_WINDOWS,
    ar1_update_due,
    estimate_ar1,
    level_ar1_of_streams,
    standard_error,
)
from monitoring.evidence.conformal import (
    ETAS,
    FIXED_CLIPPING_BOUND,
    FIXED_ETAS,
    WIDE_TOLERANCE,
    ConformalTest,
    clipped,
    innovations,
    series_innovations,
    small_sample_correction,
)
from monitoring.evidence.level import LevelTest
from monitoring.evidence.level_shift import outstanding_block
from monitoring.evidence.sampling_variance import assumed_std, excess_variance
from monitoring.records import WatchKey

Floats = NDArray[np.float64]

#: Evidence is capped here: far above any threshold, and far below the largest float, times a thousand.
MAX_EVIDENCE = 1e290

NO_SHIFTS: Mapping[WatchKey, float] = {}

#: Watches that are simulated together at most: bounds the memory.
BATCH = 32

#: Batches of watches whose tests are kept once they are fitted, as a harm is tried in many sizes.
MAX_FITTED = 4

#: The share of a watch's evidence that the fixed-reference points of its grid have, where it has some.
FIXED_WEIGHT: float = len(FIXED_ETAS) / (len(FIXED_ETAS) + len(ETAS))


class VectorizedTests:
    """The tests of some watches over many streams at once, each fitted to a baseline of the stream's own.

    Evidence is capped, so it is kept without the logs of `ConformalTests`, which would take twice the time. The two
    agree to 1e-9 (a test steps both).

    With `levels`, every stream re-estimates its AR(1) coefficients from its own windows, as if no incident had been
    open in any (`monitoring.evidence.autocorrelation`). Cost: some 40 ns a stream, watch and point of the grid, and at
    each doubling of the windows a few µs a stream and watch.
    """

    def __init__(
        self,
        tests: Sequence[ConformalTest],
        streams: int,
        *,
        levels: Sequence[int] | None = None,
        references: Sequence[Floats] | None = None,
    ) -> None:
        """Start every test from its initial state.

        Args:
            levels: The number of each watch's level; None to keep the tests' AR(1) coefficients.
            references: Baseline scores of each watch in each stream, [streams, R], to fit its test by; None for those
                that the tests were fitted to.
        """
        grid = max(len(test.etas) for test in tests)

        def padded(values: Sequence[float]) -> list[float]:
            # A one-sided test has half the grid of a two-sided one: repeated, its mean is the same.
            return list(values) * (grid // len(values))

        def column(values: Iterable[float]) -> Floats:
            return np.array(list(values), dtype=np.float64)[:, None]

        # Arrays of a step are [watches, streams] and [points of the grid, watches, streams]: numpy's inner loops are
        # over streams then, and not over the three or six points of a grid.
        self._tests = tests
        self._levels = None if levels is None else np.asarray(levels)
        self._etas = _by_point([padded(test.etas) for test in tests])
        self._bounds = _by_point([padded(test.clipping_bounds) for test in tests])
        self._signs = np.sign(self._etas)
        series = references or [np.asarray(test.calibration_scores)[None] for test in tests]
        self._mean = np.stack([scores.mean(axis=1) for scores in series])
        self._tolerance = column(test.tolerance for test in tests)
        self._is_tolerant = bool(self._tolerance.any())
        self._min_std = column(test.min_std for test in tests)
        self._prior_std = column(test.sampling_variance.prior_std for test in tests)
        self._windows = column(test.windows for test in tests)
        self._row_variance = column(test.sampling_variance.row_variance for test in tests)
        self._reference_rows = column(test.sampling_variance.reference_rows for test in tests)
        # Watches whose baselines have the same number of windows are fitted together: indices, and centred scores.
        by_size: dict[int, list[int]] = {}
        for index, test in enumerate(tests):
            by_size.setdefault(test.windows, []).append(index)
        self._same_size = [
            (indices, np.stack([series[index] for index in indices]) - self._mean[indices, :, None])
            for indices in by_size.values()
        ]
        two_sided = any(test.direction == "both" and test.fixed_etas for test in tests)
        self._fixed = _by_point([_fixed_grid(test, two_sided=two_sided) for test in tests])
        self._fixed_signs = np.sign(self._fixed)
        self._fixed_halves = self._fixed**2 / 2.0
        self._mean_errors = self._fixed_signs / np.sqrt(self._windows)
        has_fixed = column(bool(test.fixed_etas) for test in tests)
        self._has_fixed, self._fixed_weight = bool(has_fixed.any()), has_fixed * FIXED_WEIGHT
        self._fit(column(test.ar1 for test in tests))
        self.start(streams)

    def start(self, streams: int) -> None:
        """Set every test to before its first window."""
        self._sums = np.zeros((*self._etas.shape[:2], streams))
        self._fixed_sums = np.zeros((*self._fixed.shape[:2], streams))
        self._live_sums = np.zeros_like(self._sums)
        self._live_windows = np.zeros((len(self._tests), streams))
        self._last = np.full_like(self._live_windows, np.nan)
        self._history: list[Floats] = []

    def started_anew(self) -> VectorizedTests:
        """The same tests before their first window; of tests that re-estimate nothing."""
        anew = copy(self)
        anew.start(self._sums.shape[2])
        return anew

    def _fit(self, ar1: Floats) -> None:
        """Fit every test with AR(1) coefficients [watches, streams], or [watches, 1] where all streams share them."""
        self._ar1 = ar1
        self._first_scale = np.sqrt(1.0 - ar1**2)
        shape = (len(ar1), max(ar1.shape[1], self._mean.shape[1]))
        observed, self._innovation_std = np.empty(shape), np.empty(shape)
        self._calibration_sums = np.empty((len(self._etas), *shape))
        for indices, off in self._same_size:
            values = series_innovations(off, ar1[indices, :, None], self._first_scale[indices, :, None])
            observed[indices] = values.std(axis=2, ddof=1)
            self._innovation_std[indices] = assumed_std(
                observed[indices], off.shape[2], min_std=self._min_std[indices], prior_std=self._prior_std[indices]
            )
            z = values / self._innovation_std[indices, :, None]
            for sums, etas, bounds in zip(self._calibration_sums, self._etas, self._bounds, strict=True):
                near = clipped(z, bounds[indices, :, None])
                sums[indices] = np.exp(etas[indices, :, None] * near).sum(axis=2)
        self._observed_ratio = np.minimum(observed / self._min_std, 1.0) ** 2
        error = WIDE_TOLERANCE * self._innovation_std / np.sqrt(self._windows)
        self._adds_live_windows = self._tolerance * (1.0 - ar1) < error
        self._adds_any = bool(self._adds_live_windows.any())

    def step(self, scores: Floats, rows: NDArray[np.int64] | None = None) -> Floats:
        """One window on. Returns each watch's evidence, [streams, watches].

        Args:
            scores: Each watch's mean score, [streams, watches].
            rows: Rows of each window, of that shape; None if row counts do not matter.
        """
        if self._levels is not None:
            if ar1_update_due(len(self._history)):
                self._update_ar1(self._levels)
            self._history.append(scores)
        off = np.ascontiguousarray(scores.T) - self._mean
        innovation, scale = innovations(off, self._last, self._ar1, self._first_scale)
        self._last = off
        unit, others = self._innovation_std, self._calibration_sums
        if self._adds_any:
            others = others + self._live_sums
        if rows is not None:
            variance = excess_variance(self._row_variance, self._reference_rows, np.ascontiguousarray(rows.T))
            excess = variance * (1.0 + self._ar1**2) / self._innovation_std**2
            unit = self._innovation_std * np.sqrt(1.0 + excess)
            correction = small_sample_correction(self._etas, excess, self._observed_ratio)
            others = others + self._calibration_sums * np.expm1(correction)
        z, tolerated = innovation / unit, self._tolerance * scale / unit
        plain = f = np.exp(self._etas * clipped(z, self._bounds))
        if self._is_tolerant:
            f = np.exp(self._etas * clipped(z - self._signs * tolerated, self._bounds))
        count = self._windows + self._adds_live_windows * self._live_windows + 1.0
        self._sums += 1.0
        self._sums *= count * (f / (f + others))
        np.minimum(self._sums, MAX_EVIDENCE, out=self._sums)
        if self._adds_any:
            self._live_sums += self._adds_live_windows * plain
            self._live_windows += self._adds_live_windows
        evidence = _mean(self._sums)
        if self._has_fixed:
            if self._is_tolerant:
                z = z - self._fixed_signs * tolerated
            weight = self._fixed_weight
            evidence = (1.0 - weight) * evidence + weight * self._fixed_evidence(z)
        return np.ascontiguousarray(evidence.T)

    def _fixed_evidence(self, z: Floats) -> Floats:
        """Advance the fixed-reference points of each watch's grid and average them."""
        near = np.minimum(np.maximum(z - self._mean_errors, -FIXED_CLIPPING_BOUND), FIXED_CLIPPING_BOUND)
        self._fixed_sums += 1.0
        self._fixed_sums *= np.exp(self._fixed * near - self._fixed_halves)
        np.minimum(self._fixed_sums, MAX_EVIDENCE, out=self._fixed_sums)
        return _mean(self._fixed_sums)

    def _update_ar1(self, levels: NDArray[np.int64]) -> None:
        live = np.stack(self._history[-MAX_UPDATE_WINDOWS:], axis=2)
        baselines = [np.asarray(test.calibration_scores) for test in self._tests]
        self._fit(np.ascontiguousarray(level_ar1_of_streams(baselines, live, levels).T))

    def restart(self, where: NDArray[np.bool_]) -> None:
        """Restart tests, as when an incident is closed. `where`: which tests, [streams, watches]."""
        self._sums[:, where.T] = 0.0
        self._fixed_sums[:, where.T] = 0.0
        self._live_sums[:, where.T] = 0.0
        self._live_windows[where.T] = 0.0


def _by_point(grids: Sequence[Sequence[float]]) -> Floats:
    """The points of each watch's grid, [points, watches, 1]."""
    return np.ascontiguousarray(np.array(grids, dtype=np.float64).T)[:, :, None]


def _mean(points: Floats) -> Floats:
    """The mean over the points of a grid, [points, watches, streams], summed up in their order."""
    total: Floats = points.sum(axis=0)
    total /= len(points)
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSampling:
    """How streams are sampled from the baseline's windows.

    Attributes:
        length: Windows of a block, None for `block_length`. With 1, single innovations are drawn, and put together by
            the tests' AR(1) coefficients: without autocorrelation, single windows.
        resample_reference: Whether each stream's tests are fitted to a resample of the baseline. The baseline then
            stands for the truth, and what a test knows of it is an estimate, as in life.
        redraw_ar1: Whether each stream has AR(1) coefficients of its own, drawn by the standard error of the estimate,
            while its tests keep theirs: of watches whose tests use one. For a length of 1.
    """

    simulations: int
    windows: int
    length: int | None = None
    resample_reference: bool = False
    redraw_ar1: bool = False


class SimulatedStreams:
    """Streams of window scores, drawn once by a block bootstrap of the baseline; a harm shifts some of their watches.

    All watches are resampled by the same blocks of time, so that a storm affects them together. A watch whose rows had
    to be pooled in the baseline is evaluated as often as it was there. Watches with the same test and the same scores,
    such as ten thousand inputs that were never missing, are simulated once.
    """

    def __init__(
        self,
        test: LevelTest,
        baseline: Mapping[WatchKey, Floats],
        rng: np.random.Generator,
        sampling: StreamSampling,
        *,
        log_scale: float = 0.0,
    ) -> None:
        """Draw the streams and compute the evidence without a harm.

        Args:
            baseline: Baseline window scores of each watch, [R].
        """
        simulations, windows, length = sampling.simulations, sampling.windows, sampling.length
        longest = max(baseline[key].size for key in test.tests)
        chunks = [block_indices(longest, simulations, rng, length=length) for _ in range(-(-windows // longest))]
        indices = np.concatenate(chunks, axis=1)[:, :windows]
        resampled = block_indices(longest, simulations, rng, length=length) if sampling.resample_reference else None
        self._test, self._scale, self._longest = test, float(np.exp(log_scale)), longest
        self.scores: dict[WatchKey, Floats] = {}
        self._unshifted: dict[frozenset[WatchKey], Floats] = {}
        self._references: dict[WatchKey, Floats] = {}
        self._fitted: dict[tuple[WatchKey, ...], VectorizedTests] = {}
        errors = rng.normal(size=simulations) if sampling.redraw_ar1 else None
        drawn: dict[tuple[bytes, float], tuple[Floats, Floats]] = {}
        alike: dict[tuple[bytes, ConformalTest, float], list[WatchKey]] = {}
        for key, watch_test in test.tests.items():
            content, size = baseline[key].tobytes(), baseline[key].size
            ar1 = watch_test.ar1 if length == 1 else 0.0
            if (content, ar1) not in drawn:
                reference = baseline[key][None]
                truth = redrawn_ar1(baseline[key], errors) if errors is not None and ar1 else None
                if resampled is not None:
                    places = (resampled[:, np.arange(size) * longest // size] * size) // longest
                    reference = _series(baseline[key], places, ar1, truth)
                drawn[content, ar1] = _series(baseline[key], (indices * size) // longest, ar1, truth), reference
            self.scores[key], self._references[key] = drawn[content, ar1]
            alike.setdefault((content, watch_test, test.shares[key]), []).append(key)
        #: What each watch adds to the level's evidence without a harm, [simulations, windows].
        self.unharmed = self._contributions_without_harm(list(alike.values()))

    def _contributions_without_harm(self, alike: Sequence[Sequence[WatchKey]]) -> dict[WatchKey, Floats]:
        """The contribution of each watch without a harm; of watches that are alike, the first is simulated."""
        paths: dict[WatchKey, Floats] = {}
        batches: dict[tuple[int, int, bool], list[Sequence[WatchKey]]] = {}
        for keys in alike:
            watch_test = self._test.tests[keys[0]]
            kind = self._references[keys[0]].shape[1], len(watch_test.etas), bool(watch_test.fixed_etas)
            batches.setdefault(kind, []).append(keys)
        for members in batches.values():
            for first in range(0, len(members), BATCH):
                batch = members[first : first + BATCH]
                steps = self._contributions([keys[0] for keys in batch], NO_SHIFTS)
                for keys, path in zip(batch, np.stack(list(steps), axis=2).transpose(1, 0, 2), strict=True):
                    paths.update(dict.fromkeys(keys, path))
        return {key: paths[key] for key in self._test.tests}

    def evidence(self, shifts: Mapping[WatchKey, float] = NO_SHIFTS) -> Floats:
        """The level's evidence in every window. Returns evidence, [simulations, windows].

        Args:
            shifts: What to add to each watch's scores, in score units; nothing for watches not named.
        """
        shifted = {key: shift for key, shift in shifts.items() if key in self.unharmed}
        level = self._others(frozenset(shifted))
        total: Floats = level + np.stack(list(self._steps(shifted)), axis=1) if shifted else level.copy()
        return self._scale * total

    def _others(self, shifted: frozenset[WatchKey]) -> Floats:
        """The evidence of all other watches; cached, as a harm is tried in many sizes."""
        if shifted not in self._unshifted:
            level = np.zeros_like(next(iter(self.unharmed.values())))
            for key, path in self.unharmed.items():
                if key not in shifted:
                    level += path
            self._unshifted[shifted] = level
        return self._unshifted[shifted]

    def first_alarms(self, shifts: Mapping[WatchKey, float] = NO_SHIFTS) -> NDArray[np.int64]:
        """The window of each stream's first alarm.

        Returns:
            Windows counted from 1, [simulations]; one past the last where there is no alarm.
        """
        over = self.evidence(shifts) >= self._test.budget.threshold
        first: NDArray[np.int64] = np.where(over.any(axis=1), over.argmax(axis=1) + 1, over.shape[1] + 1)
        return first

    def detected_in(self, shifts: Mapping[WatchKey, float], *, within: int, share: float) -> int:
        """The window by which a share of the streams has had an alarm; simulates no further than that.

        Args:
            share: The share of streams, in (0, 1].

        Returns:
            The window counted from 1; one past the last where fewer streams have one.
        """
        shifted = {key: shift for key, shift in shifts.items() if key in self.unharmed}
        others = self._others(frozenset(shifted))
        steps = self._steps(shifted) if shifted else repeat(np.zeros(len(others)))
        alarmed = np.zeros(len(others), dtype=bool)
        for window, path in zip(range(within), steps, strict=False):
            alarmed |= self._scale * (others[:, window] + path) >= self._test.budget.threshold
            if alarmed.mean() >= share:
                return window + 1
        return within + 1

    def _steps(self, shifts: Mapping[WatchKey, float]) -> Iterator[Floats]:
        """The contribution of these watches to the level's evidence, Σ π_k M_k, window by window, [simulations]."""
        by_size: dict[int, list[WatchKey]] = {}
        for key in shifts:
            by_size.setdefault(self._references[key].shape[1], []).append(key)
        batches = [self._contributions(keys, shifts) for keys in by_size.values()]
        for parts in zip(*batches, strict=True):
            total: Floats = np.sum([part.sum(axis=1) for part in parts], axis=0)
            yield total

    def _contributions(self, keys: Sequence[WatchKey], shifts: Mapping[WatchKey, float]) -> Iterator[Floats]:
        """What each of some watches with as many baseline windows adds to the evidence, window by window.

        A watch with few rows waits for them as often as it did in the baseline.

        Yields:
            Contributions, [simulations, watches].
        """
        scores = np.stack([(self.scores[key] + shifts.get(key, 0.0)).T for key in keys], axis=1)
        shares = np.array([self._test.shares[key] for key in keys])
        references = [self._references[key] for key in keys]
        if (watches := tuple(keys)) not in self._fitted:
            while len(self._fitted) >= MAX_FITTED:
                del self._fitted[next(iter(self._fitted))]
            watch_tests = [self._test.tests[key] for key in keys]
            self._fitted[watches] = VectorizedTests(watch_tests, scores.shape[2], references=references)
        tests = self._fitted[watches].started_anew()
        size = references[0].shape[1]
        last: Floats = np.zeros((scores.shape[2], len(keys)))
        for window in range(len(scores)):
            if (window + 1) * size // self._longest > window * size // self._longest:
                last = tests.step(scores[window].T) * shares
            yield last


def _series(scores: Floats, places: NDArray[np.int64], ar1: float, truth: Floats | None = None) -> Floats:
    """Scores at some places [streams, windows]: innovations put together by AR(1) coefficients, `truth` or `ar1`."""
    if not ar1 and truth is None:
        drawn: Floats = scores[places]
        return drawn
    off = scores - scores.mean()
    innovations = off.copy()
    innovations[0] *= math.sqrt(1.0 - ar1**2)
    innovations[1:] -= ar1 * off[:-1]
    series: Floats = (innovations - innovations.mean())[places]
    coefficient: Floats | float = ar1 if truth is None else truth
    series[:, 0] /= np.sqrt(1.0 - np.square(coefficient))
    for window in range(1, series.shape[1]):
        series[:, window] += coefficient * series[:, window - 1]
    series += scores.mean()
    return series


def redrawn_ar1(scores: Floats, errors: Floats) -> Floats:
    """AR(1) coefficients that may be those behind an estimate.

    Args:
        scores: Baseline window scores, [R].
        errors: Standard normal numbers, [streams].

    Returns:
        The estimate, moved by as many of its standard errors, in [0, `MAX_AR1`], [streams].

    >>> redrawn_ar1(np.random.default_rng(0).normal(size=90), np.array([-3.0, 1.0])).round(2).tolist()
    [0.0, 0.22]
    """
    block = outstanding_block(scores)
    estimate = estimate_ar1(scores if block is None else block.removed(scores))
    return np.clip(estimate + errors * standard_error(estimate, scores.size), 0.0, MAX_AR1)


def _fixed_grid(test: ConformalTest, *, two_sided: bool) -> tuple[float, ...]:
    """Fixed-reference exponents of rises; with falls too where any test has them: a one-sided one repeats its rises."""
    if not two_sided:
        return FIXED_ETAS
    return FIXED_ETAS + tuple((-1.0 if test.direction == "both" else 1.0) * eta for eta in FIXED_ETAS)


def block_length(windows: int) -> int:
    """Length of a bootstrap block, ``1.75 · R^(1/3)``, the usual rate for a mean.

    >>> [block_length(r) for r in (20, 90, 365)]
    [5, 8, 13]
    """
    return max(1, min(windows, round(1.75 * float(np.cbrt(windows)))))


def block_indices(
    windows: int, draws: int, rng: np.random.Generator, *, length: int | None = None
) -> NDArray[np.int64]:
    """Indices of resampled windows, made of circular blocks of consecutive windows.

    Source: Politis & Romano, *A circular block-resampling procedure for stationary data* (1992).

    Args:
        length: Windows per block; None for `block_length`.

    Returns:
        Indices in [0, windows), int64 [draws, windows].

    >>> block_indices(4, 1, np.random.default_rng(0), length=2).tolist()
    [[3, 0, 2, 3]]
    """
    size = length or block_length(windows)
    blocks = -(-windows // size)
    starts = rng.integers(0, windows, size=(draws, blocks))
    indices = (starts[:, :, None] + np.arange(size)[None, None, :]) % windows
    return indices.reshape(draws, blocks * size)[:, :windows].astype(np.int64)
