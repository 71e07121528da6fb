"""Calibrated levels on fresh baselines of known laws: false pages of the budget, and delays, by watches and slices."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.calibration import calibrated_log_scale
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.level import LevelTest
from monitoring.evidence.simulation import VectorizedTests
from monitoring.incidents.rearm import LOWERING_ERRORS, LOWERING_WINDOWS, OFFSET_ERRORS
from monitoring.records import WatchKey

SEED = 20_130_409
BUDGET = Budget(alarms=1, windows=365)
YEAR = 365

#: Windows without harm before one, and windows of harm.
QUIET, HARMED = 30, 90

#: Rises of every loss in its own standard deviations, and in how many windows the last one grows.
RISES = (0.4, 1.0, 2.0)

#: Fresh baselines of each level, and years of each.
FULL, QUICK = (60, 4), (4, 4)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A level: losses on the whole traffic, any two correlated, and losses on slices that wait for enough rows.

    Attributes:
        name: what the table calls it.
        losses: watches on the whole traffic.
        correlation: of any two of them.
        slices: independent watches on slices.
        wait: windows that are pooled until a slice has enough rows.
        still: watches that never vary, as those on missing values.
        windows: R, windows of the baseline.
        law: "normal", "skewed" (a gamma of shape 4), or "heavy" (Student t of 4 degrees of freedom).
        ar1: AR(1) coefficient of a window's scores.
    """

    name: str
    losses: int = 1
    correlation: float = 0.0
    slices: int = 0
    wait: int = 1
    still: int = 0
    windows: int = 90
    law: str = "normal"
    ar1: float = 0.0

    @property
    def keys(self) -> tuple[WatchKey, ...]:
        """The watches: losses, those of slices, and those that never vary."""
        return (
            *(WatchKey(watch=f"loss{at}") for at in range(self.losses)),
            *(WatchKey(watch="loss0", slice=f"region={at}") for at in range(self.slices)),
            *(WatchKey(watch=f"missing:{at}") for at in range(self.still)),
        )

    def scores(self, rng: np.random.Generator, streams: int, windows: int) -> Floats:
        """Scores in standard deviations, float64 [streams, windows, watches]."""
        varying = self.losses + self.slices
        noise = _noise(self.law, rng, (streams, windows, varying))
        if self.correlation:
            common = _noise(self.law, rng, (streams, windows, 1))
            share = self.correlation
            noise[:, :, : self.losses] = math.sqrt(share) * common + math.sqrt(1.0 - share) * noise[:, :, : self.losses]
        for window in range(1, windows if self.ar1 else 0):
            noise[:, window] = self.ar1 * noise[:, window - 1] + math.sqrt(1.0 - self.ar1**2) * noise[:, window]
        return np.concatenate([noise, np.zeros((streams, windows, self.still))], axis=2)


def _noise(law: str, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    if law == "skewed":
        return np.asarray((rng.gamma(4.0, 1.0, shape) - 4.0) / 2.0, dtype=np.float64)
    if law == "heavy":
        return np.asarray(rng.standard_t(4.0, shape) / math.sqrt(2.0), dtype=np.float64)
    return np.asarray(rng.normal(size=shape), dtype=np.float64)


DEPLOYMENTS = (
    Deployment(name="1 watch"),
    Deployment(name="1 watch", windows=30),
    Deployment(name="1 watch", windows=180),
    Deployment(name="1 watch, skewed", law="skewed"),
    Deployment(name="1 watch, heavy tails", law="heavy"),
    Deployment(name="1 watch, AR(1) .3", ar1=0.3),
    Deployment(name="1 watch, AR(1) .6", ar1=0.6),
    Deployment(name="2 watches", losses=2),
    Deployment(name="8 watches", losses=8),
    Deployment(name="8 watches, correlation .8", losses=8, correlation=0.8),
    Deployment(name="8 watches, correlation .8, skewed", losses=8, correlation=0.8, law="skewed"),
    Deployment(name="4 watches, correlation .8, 9 that never vary", losses=4, correlation=0.8, still=9),
    Deployment(name="4 watches and 20 of slices", losses=4, correlation=0.8, slices=20),
    Deployment(name="4 watches and 20 of slices, every third window", losses=4, correlation=0.8, slices=20, wait=3),
    Deployment(name="the same", losses=4, correlation=0.8, slices=20, wait=3, windows=45),
)


def fitted(deployment: Deployment, rng: np.random.Generator) -> tuple[LevelTest, dict[WatchKey, Floats], float]:
    """A level fitted to a fresh baseline as the product does it, its scores, and its calibration."""
    columns = deployment.scores(rng, 1, deployment.windows)[0].T
    thin = slice(deployment.losses, deployment.losses + deployment.slices)
    keys = deployment.keys
    baseline = dict(zip(keys, columns, strict=True))
    for key in keys[thin]:
        baseline[key] = baseline[key][: deployment.windows // deployment.wait]
    still = set(keys[deployment.losses + deployment.slices :])
    ar1 = level_ar1(baseline)
    tests = {}
    for key, values in baseline.items():
        if key in still:
            tests[key] = ConformalTest.fit(values, tolerance=0.01, min_std=0.005)
        else:
            tests[key] = ConformalTest.fit(values, tolerance=0.0, ar1=ar1[key]).with_fixed_reference()
    groups = {key.watch: "integrity" for key in still}
    level = LevelTest(level="page", budget=BUDGET, tests=tests, shares=weights(tests, groups), min_rows=1)
    return level, baseline, calibrated_log_scale(level, baseline, np.random.default_rng(0))


class LevelStreams:
    """A calibrated level over many streams at once; watches of slices are evaluated every `wait` windows.

    Every stream re-estimates its autocorrelation online. After an alarm every watch is tested from the level that it
    has reached, as in `monitoring.incidents.rearm`.
    """

    def __init__(self, deployment: Deployment, level: LevelTest, log_scale: float, streams: int) -> None:
        """Start every stream."""
        keys = list(level.tests)
        often = np.array([not key.slice for key in keys])
        self._groups = [
            (
                where,
                VectorizedTests([level.tests[keys[at]] for at in where], streams, levels=[0] * where.size),
                interval,
            )
            for where, interval in ((np.flatnonzero(often), 1), (np.flatnonzero(~often), deployment.wait))
            if where.size
        ]
        self._means = np.array([test.mean for test in level.tests.values()])
        self._errors = np.array(
            [test.std * math.sqrt((1.0 + test.ar1) / (1.0 - test.ar1)) for test in level.tests.values()]
        )
        self._shares = np.array([level.shares[key] for key in keys]) * math.exp(log_scale)
        self._evidence = np.zeros((streams, len(keys)))
        self._offsets = np.zeros((streams, len(keys)))
        self._since = np.zeros(streams, dtype=np.int64)
        self._history: list[Floats] = []

    def step(self, scores: Floats) -> NDArray[np.bool_]:
        """One window on; whether each stream alarms, bool [streams]. An alarm restarts the stream."""
        self._history.append(scores)
        self._since += 1
        for where, tests, interval in self._groups:
            if len(self._history) % interval == 0:
                self._evidence[:, where] = tests.step((scores - self._offsets)[:, where])
        self._lower()
        parts = self._evidence * self._shares
        over: NDArray[np.bool_] = parts.sum(axis=1) >= BUDGET.threshold
        for stream in np.flatnonzero(over).tolist():
            self._rearm(stream, int(parts[stream].argmax()))
        if over.any():
            self._evidence[over] = 0.0
            self._since[over] = 0
            for where, tests, _ in self._groups:
                tests.restart(np.repeat(over[:, None], where.size, axis=1))
        return over

    def _lower(self) -> None:
        """Lower the offsets that the last windows lie below; the evidence of those watches starts again."""
        if not self._offsets.any() or len(self._history) < LOWERING_WINDOWS:
            return
        level = np.maximum(np.mean(self._history[-LOWERING_WINDOWS:], axis=0) - self._means, 0.0)
        error = self._errors / math.sqrt(LOWERING_WINDOWS)
        lower = level + (OFFSET_ERRORS + LOWERING_ERRORS) * error < self._offsets
        lower &= (self._since >= LOWERING_WINDOWS)[:, None]
        self._offsets[lower] = np.where(level > error, level + OFFSET_ERRORS * error, 0.0)[lower]
        self._evidence[lower] = 0.0
        for where, tests, _ in self._groups:
            tests.restart(lower[:, where])

    def _rearm(self, stream: int, cause: int) -> None:
        """Set the offsets of one stream to the levels since the onset, a standard error farther."""
        recent = (
            np.array([scores[stream] for scores in self._history[-min(int(self._since[stream]), 90) :]]) - self._means
        )
        counts = np.arange(1, len(recent) + 1)
        totals = np.cumsum(recent[::-1, cause] - self._offsets[stream, cause])
        length = int(counts[(totals * np.abs(totals) / counts).argmax()])
        level, error = recent[-length:].mean(axis=0), OFFSET_ERRORS * self._errors / math.sqrt(length)
        self._offsets[stream] = np.where(level > error, level + error, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one deployment came to."""

    pages: Floats
    any_page: Floats
    scales: Floats
    delays: dict[str, NDArray[np.int64]]


def measure_deployment(deployment: Deployment, *, baselines: int, streams: int, seed: int) -> Measured:
    """False pages and delays over fresh baselines."""
    rng = np.random.default_rng(seed)
    pages, any_page, scales = np.empty(baselines), np.empty(baselines), np.empty(baselines)
    delays: dict[str, list[NDArray[np.int64]]] = {}
    for at in range(baselines):
        level, _, log_scale = fitted(deployment, rng)
        scales[at] = log_scale
        run, scores = LevelStreams(deployment, level, log_scale, streams), deployment.scores(rng, streams, YEAR)
        at_windows = np.array([run.step(scores[:, window]) for window in range(YEAR)])
        pages[at], any_page[at] = at_windows.sum() / streams, at_windows.any(axis=0).mean()
        for name, first in _harms(deployment, level, log_scale, streams, rng):
            delays.setdefault(name, []).append(first)
    first_alarms = {name: np.concatenate(times) for name, times in delays.items()}
    return Measured(pages=pages, any_page=any_page, scales=scales, delays=first_alarms)


def _harms(
    deployment: Deployment, level: LevelTest, log_scale: float, streams: int, rng: np.random.Generator
) -> list[tuple[str, NDArray[np.int64]]]:
    """The window of the first alarm after a rise of the losses began, one past the last where there is none."""
    rows = []
    for rise, growing in (*((rise, 1) for rise in RISES), (2.0, 60)):
        run = LevelStreams(deployment, level, log_scale, streams)
        scores = deployment.scores(rng, streams, QUIET + HARMED)
        first = np.full(streams, HARMED + 1)
        for window in range(QUIET + HARMED):
            moved = scores[:, window]
            moved[:, : deployment.losses] += rise * min(max(window - QUIET + 1, 0) / growing, 1.0)
            over = run.step(moved)
            if window >= QUIET:
                first = np.where(over & (first > HARMED), window - QUIET + 1, first)
        rows.append((f"+{rise:g} SD" + (f" over {growing}" if growing > 1 else ""), first))
    return rows


def measure(settings: Settings) -> Result:
    """The table of calibrated levels. Cost: ten minutes, half a minute with small sizes."""
    baselines, streams = QUICK if settings.quick else FULL
    rows: list[tuple[Cell, ...]] = []
    remarks: list[str] = []
    names: list[str] = []
    for at, deployment in enumerate(DEPLOYMENTS):
        result = measure_deployment(deployment, baselines=baselines, streams=streams, seed=SEED + at)
        mean = float(result.pages.mean())
        error = float(result.pages.std(ddof=1) / math.sqrt(baselines))
        names = list(result.delays)
        rows.append(
            (
                deployment.name,
                deployment.windows,
                mean,
                error,
                float(result.any_page.mean()),
                float(np.exp(np.median(result.scales))),
                *(delay_cell(first, HARMED) for first in result.delays.values()),
            )
        )
        if mean - 2.0 * error > 1.0:
            remarks.append(f"BUDGET EXCEEDED: {deployment.name}, R = {deployment.windows}: {mean:.2f} ± {error:.2f}.")
    table = Table(
        title="Calibrated levels on fresh baselines",
        columns=("level", "R", "pages in 365", "± SE", "any", "A/c, median", *names),
        rows=tuple(rows),
        note=(
            f"{baselines} fresh baselines of R windows, each with {streams} years; re-armed after each page; promised"
            f" at most 1. Delays: share of streams found / median window, of {HARMED} harmed windows after {QUIET}"
            " quiet ones, with every loss on the whole traffic risen by so many of its standard deviations, at once"
            " or over 60 windows."
        ),
    )
    return Result(tables=(table,), remarks=tuple(remarks))


def delay_cell(first: NDArray[np.int64], windows: int) -> str:
    """Share found and median window of the first alarm, as "share / median"; no median below a half.

    Args:
        first: window of the first alarm, from 1; one past the last where there is none.

    >>> delay_cell(np.array([3, 4, 5, 91]), 90), delay_cell(np.array([3, 91, 91]), 90)
    ('.75 / 4', '.33 / -')
    """
    in_time = first <= windows
    median = float(np.median(first))
    share = f"{in_time.mean():.2f}".removeprefix("0")
    return f"{share} / {median:.0f}" if median <= windows else f"{share} / -"
