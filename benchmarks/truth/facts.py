"""False pages of facts about single windows, and faults told: days that differ little, much, and with heavy tails.

Windows are drawn, and judged by the product's own limits, each stream on its own baseline.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.value_facts import SHARES, value_row
from monitoring.evidence.sampling_variance import SamplingVariance
from monitoring.incidents.alarm import HISTORY
from monitoring.incidents.life_cycle import QUIET_WINDOWS
from monitoring.judging.facts.fact_limits import BUDGET_SHARE
from monitoring.judging.facts.label_facts import ClassRun, LabelLimits, ShareLimit, gap_scores
from monitoring.judging.facts.loss_outliers import WORST_FACTOR, LossLimit
from monitoring.judging.facts.window_limit import WindowLimit
from monitoring.records import SCORE_ONE, ScoreSum, Watch, WatchKey
from monitoring.watches.label_shares import ANSWERED

SEED = 20_261_129
STREAMS = 400
WINDOWS = 1825
ROWS = 400
BASELINES = (14, 30, 90)

#: The limits that share the tenth of the budget: a classifier of ten inputs has about as many.
LIMITS = 24

#: One bad day: so much more of its rows are wrong.
BAD_DAY = 0.25

ERROR = Watch(name="error", family="performance", level="page", needs_label=True)

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How the error rate of windows varies: log odds of `rate` plus what `draw` gives."""

    name: str
    draw: Draw
    rate: float = 0.25

    def rates(self, rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        """The error rate of each window, of the shape [streams, windows]."""
        return np.asarray(expit(logit(self.rate) + self.draw(rng, shape)), dtype=np.float64)


def _autocorrelated(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """AR(1) with a coefficient of .7 and a standard deviation of .15."""
    noise = rng.standard_normal(shape)
    for window in range(1, shape[1]):
        noise[:, window] = 0.7 * noise[:, window - 1] + np.sqrt(1.0 - 0.49) * noise[:, window]
    return 0.15 * noise


def _overdispersed(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Rates of a gamma law with a standard deviation of half their mean."""
    return np.asarray(logit(np.minimum(rng.gamma(4.0, 0.25 / 4.0, shape), 0.999)) - logit(0.25), dtype=np.float64)


WORLDS = (
    World(name="normal, .1", draw=lambda rng, shape: 0.1 * rng.standard_normal(shape)),
    World(name="normal, .3", draw=lambda rng, shape: 0.3 * rng.standard_normal(shape)),
    World(name="normal, .2, of a rate of 3 %", draw=lambda rng, shape: 0.2 * rng.standard_normal(shape), rate=0.03),
    World(name="AR(1) .7, .15", draw=_autocorrelated),
    World(
        name="normal, .1, and a season of ±.2",
        draw=lambda rng, shape: 0.1 * rng.standard_normal(shape) + 0.2 * np.sin(np.arange(shape[1]) / 58.0),
    ),
    World(name="Laplace, .2", draw=lambda rng, shape: rng.laplace(0.0, 0.2, shape)),
    World(name="Student-t of 5 degrees, .3", draw=lambda rng, shape: 0.3 * rng.standard_t(5, shape)),
    World(name="Student-t of 3 degrees, .1", draw=lambda rng, shape: 0.1 * rng.standard_t(3, shape)),
    World(name="gamma rates, half of their mean", draw=_overdispersed),
)


def pages(limit: LossLimit, live: Floats, alpha: float) -> int:
    """The pages of one stream of window rates: a fact while one is open, and in the windows that close it, is none."""
    page_windows: list[int] = []
    count, last = 0, -HISTORY
    for window in np.flatnonzero(live > WORST_FACTOR * limit.limit.highest).tolist():
        before = range(max(0, window - HISTORY), window)
        sound = [at for at in before if not any(0 <= at - page_window <= QUIET_WINDOWS for page_window in page_windows)]
        highest = max([limit.limit.highest, *live[sound].tolist()])
        if limit.exceeded(_sum(live[window]), float(highest), alpha, {}):
            count += window - last > QUIET_WINDOWS
            last = window
            page_windows.append(window)
    return count


def _sum(rate: float) -> ScoreSum:
    return ScoreSum(ROWS, round(rate * ROWS) * SCORE_ONE)


def table_row(world: World, baseline: int, streams: int, rng: np.random.Generator) -> tuple[Cell, ...]:
    """Pages in `WINDOWS` windows of one loss, times the limits, and the share of bad days told."""
    rates = world.rates(rng, (streams, baseline + WINDOWS))
    shares = rng.binomial(ROWS, rates) / ROWS
    bad = rng.binomial(ROWS, np.minimum(rates[:, baseline] + BAD_DAY, 1.0)) / ROWS
    alpha = BUDGET_SHARE / WINDOWS / LIMITS
    counts, alarms = np.zeros(streams), 0
    for stream in range(streams):
        scores = shares[stream, :baseline]
        limit = LossLimit(
            watch=ERROR, limit=WindowLimit.fit(scores, SamplingVariance.fit(scores, scores, np.full(baseline, ROWS)))
        )
        counts[stream] = pages(limit, shares[stream, baseline:], alpha)
        alarms += limit.exceeded(_sum(bad[stream]), limit.limit.highest, alpha, {})
    return (world.name, baseline, float(counts.mean()), float(counts.std(ddof=1) / np.sqrt(streams)), alarms / streams)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prevalence:
    """How the share of a class among labels varies, and what part of it the answers to the rows say."""

    name: str
    world: World
    promised: float


NORMAL, SEASON, HEAVY = (
    World(name="normal, .2", draw=lambda rng, shape: 0.2 * rng.standard_normal(shape), rate=0.14),
    World(
        name="normal, .2, and a season of ±.4",
        draw=lambda rng, shape: 0.2 * rng.standard_normal(shape) + 0.4 * np.sin(np.arange(shape[1]) / 58.0),
        rate=0.14,
    ),
    World(name="Student-t of 3 degrees, .2", draw=lambda rng, shape: 0.2 * rng.standard_t(3, shape), rate=0.14),
)
RARE = World(name="normal, .2, of a share of 3 %", draw=NORMAL.draw, rate=0.03)
PREVALENCES = tuple(
    Prevalence(name=f"{world.name}; the answers say {words}", world=world, promised=promised)
    for world in (NORMAL, SEASON, HEAVY, RARE)
    for words, promised in (("nothing", 0.0), ("half", 0.5), ("all", 1.0))
)

NAME = "label:late"
KEY, ANSWER_KEY = WatchKey(watch=NAME), WatchKey(watch=f"{ANSWERED}{NAME}")


def label_row(prevalence: Prevalence, baseline: int, streams: int, rng: np.random.Generator) -> tuple[Cell, ...]:
    """Pages of a share that jumped and of a class that is gone, and after how many labels a gone class is told."""
    shape, alpha = (streams, baseline + WINDOWS), BUDGET_SHARE / WINDOWS / LIMITS
    odds = prevalence.world.draw(rng, shape)
    shares, promised = (expit(logit(prevalence.world.rate) + part * odds) for part in (1.0, prevalence.promised))
    counts = rng.binomial(ROWS, shares)
    jumped, lost, needed = np.zeros(streams), 0, []
    for stream in range(streams):
        sums = [_sum(count / ROWS) for count in counts[stream].tolist()]
        answers = [ScoreSum(ROWS, round(share * ROWS * SCORE_ONE)) for share in promised[stream].tolist()]
        limits = fitted_labels(sums[:baseline], answers[:baseline])
        outside = np.flatnonzero(
            (counts[stream, baseline:] < limits.shares[NAME].up.lowest * ROWS)
            | (counts[stream, baseline:] > limits.shares[NAME].up.highest * ROWS)
        )
        last = -HISTORY
        for window in (outside + baseline).tolist():
            sums_by_key = {KEY: sums[window], ANSWER_KEY: answers[window]}
            if limits.jumps(sums_by_key, (), alpha=alpha, phases={}):
                jumped[stream] += window - last > QUIET_WINDOWS
                last = window
        runs = np.diff(np.flatnonzero(counts[stream] > 0)) * ROWS
        lost += bool(runs.size) and limits.runs[NAME].is_lost(int(runs.max()) - ROWS, alpha)
        needed.append(next(run for run in range(50, 100_000, 50) if limits.runs[NAME].is_lost(run, alpha)))
    error = float(jumped.std(ddof=1) / np.sqrt(streams))
    return (prevalence.name, baseline, float(jumped.mean()), error, lost / streams, float(np.median(needed)))


def fitted_labels(sums: list[ScoreSum], answers: list[ScoreSum]) -> LabelLimits:
    """The limits of one class by a baseline's windows."""
    scores = np.array([total.mean for total in sums])
    limit = WindowLimit.fit(scores, SamplingVariance.fit(scores, scores, np.full(scores.size, ROWS)))
    run = ClassRun.fit(sums)
    assert run is not None
    return LabelLimits(runs={NAME: run}, shares={NAME: ShareLimit.fit(limit, scores, gap_scores(sums, answers))})


def measure(settings: Settings) -> Result:
    """Measure each world. Cost: two minutes on a free core."""
    streams = STREAMS // 20 if settings.quick else STREAMS
    rows = tuple(
        table_row(world, baseline, streams, np.random.default_rng([SEED, place, baseline]))
        for place, world in enumerate(WORLDS)
        for baseline in BASELINES
    )
    table = Table(
        title=f"One loss far outside: pages in {WINDOWS:,} windows, of which one is promised",
        columns=("log odds of days", "baseline", "pages", "± SE", "told of +25 points"),
        rows=rows,
        note=(
            f"{streams} streams of {WINDOWS:,} windows of {ROWS} rows, each on its own baseline. The error rate's "
            f"limit has its share of a tenth of the budget among {LIMITS} limits, {BUDGET_SHARE / LIMITS:.4f} pages. "
            "Told: of days on which 25 points more of the rows are wrong, at a rate of 25 %, those told on that day."
        ),
    )
    shares = Table(
        title=f"Labels whose share of a class jumps, or that lose it: pages in {WINDOWS:,} windows",
        columns=("log odds of the share", "baseline", "jumps", "± SE", "lost", "labels without"),
        rows=tuple(
            label_row(prevalence, baseline, streams // 4, np.random.default_rng([SEED, 100 + place, baseline]))
            for place, prevalence in enumerate(PREVALENCES)
            for baseline in BASELINES[1:]
        ),
        note=(
            f"{streams // 4} streams of {WINDOWS:,} windows of {ROWS} labels, with which nothing is wrong. The live "
            "history is not looked at, so seasons cost most. Labels without: how many in a row make the class lost."
        ),
    )
    values = Table(
        title=f"Values that are missing, with which nothing is wrong, in {WINDOWS:,} windows",
        columns=("share of missing values", "rows", "baseline", "notices", "pages"),
        rows=tuple(
            value_row(each, rows, baseline, max(streams // 20, 1), WINDOWS)
            for each in SHARES
            for rows in (300, 3_000)
            for baseline in BASELINES[1:]
        ),
        note=(
            f"{max(streams // 20, 1)} streams each. A notice of a share that no window of the baseline had; a page of "
            "a fifth of the values. An incident that lasts is told once."
        ),
    )
    return Result(tables=(table, shares, values))
