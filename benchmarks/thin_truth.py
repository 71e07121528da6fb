"""The budget where rows are few: thin windows, joined ones, labels that come late or for some, slices of few windows.

Rows are drawn, summed, joined and judged by the product's own functions, against a baseline that was drawn and cut in
the same way. The level starts anew after a page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.level_streams import Alarms
from benchmarks.results import Cell, Result, Settings, Table
from monitoring.evidence.autocorrelation import ar1_update_due, level_ar1
from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.conformal import MIN_WINDOWS, ConformalTest
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.evidence.sampling_variance import NO_SAMPLING_VARIANCE, SamplingVariance
from monitoring.evidence.simulation import VectorizedTests
from monitoring.judging.fit.baseline_sums import pooled_sums
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey
from monitoring.watches.early_labels import EarlyLabels, LabelRate
from monitoring.watches.label_coverage import LabelWindow

SEED = 20_130_405
STREAMS = 300
SLICE_STREAMS = 60
YEAR = 365
BUDGET = Budget(alarms=1, windows=365)
RATE = 0.2

#: A harm's size, two deviations of the windows' own rates, and windows within which it is looked for.
RISE = 0.06
HARMED = 120

#: Windows before a stream, for as long as the latest label takes; whole weeks.
BEFORE = 21

#: Slices of a level, their rows a window, and rows a window that are in none.
SLICES = 12
SLICE_ROWS = (12, 20, 40, 100)
WHOLE_ROWS = 1000

ERROR = WatchKey(watch="error")

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]
Sums = Mapping[WatchKey, ScoreSum]


#: The window in which each label comes, of rows with those windows of their own and those errors, all [n].
Arriving = Callable[[np.random.Generator, Whole, NDArray[np.bool_]], Whole]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What one row of a table is about: one watch on an error rate of .2.

    `known` and `live` are rows a window on average; `varying` draws them anew for each window (Poisson), and a part
    `thin` of the baseline's windows has as few as the live ones. `spread` is by how much windows' own rates differ, as
    a standard deviation, and `memory` how much of that the next window keeps.
    Of live rows, the label of a part `labelled` comes, in the window that `late` gives by the row's own and by whether
    it was wrong; `late_before` in the baseline. `settled` traffic was there before the monitor. Windows of fewer than
    `min_rows` labels are joined.
    """

    name: str
    known: float = 200.0
    live: float = 200.0
    varying: bool = False
    thin: float = 0.0
    spread: float = 0.03
    memory: float = 0.0
    min_rows: int = 20
    baseline: int = 90
    labelled: float = 1.0
    late: Arriving | None = None
    late_before: Arriving | None = None
    settled: bool = True


def few_days(rng: np.random.Generator, own: Whole, wrong: NDArray[np.bool_]) -> Whole:
    """Each label three to ten windows late, at random."""
    return own + rng.integers(3, 11, wrong.size)


def in_weeks(_: np.random.Generator, own: Whole, wrong: NDArray[np.bool_]) -> Whole:
    """Labels that all come at every seventh window."""
    return np.where(wrong, own, own) // 7 * 7 + 6


def errors_first(rng: np.random.Generator, own: Whole, wrong: NDArray[np.bool_]) -> Whole:
    """A complaint comes within three windows, all else within twenty."""
    return own + np.where(wrong, rng.integers(0, 4, wrong.size), rng.integers(0, 21, wrong.size))


THIN = (
    Traffic(name="2,000 rows, as in the baseline", known=2000, live=2000, min_rows=200),
    Traffic(name="200 rows, 2,000 in the baseline", known=2000, live=200, min_rows=200),
    Traffic(name="20 rows, 200 in the baseline", known=200, live=20),
    Traffic(name="the same, and windows that differ by chance alone", known=200, live=20, spread=0.0),
    Traffic(name="the same, memory of .5", known=200, live=20, memory=0.5),
    Traffic(name="2,000 rows, 200 in the baseline", known=200, live=2000),
    Traffic(name="20 rows, as in a fifth of the baseline, 200 in the rest", known=200, live=20, thin=0.2),
    Traffic(name="the same, a twentieth, by chance alone", known=200, live=20, thin=0.05, spread=0.0),
)
JOINED = (
    Traffic(name="60 rows, joined to 200", known=60, live=60, varying=True, min_rows=200),
    Traffic(name="60 rows, joined to 200; 600 in the baseline", known=600, live=60, varying=True, min_rows=200),
    Traffic(
        name="20 rows, joined to 200, baseline of 365", known=20, live=20, varying=True, min_rows=200, baseline=365
    ),
    Traffic(name="200 rows of which every other window is joined", known=200, live=200, varying=True, min_rows=200),
    Traffic(name="60 rows, joined to 200, memory of .7", known=60, live=60, varying=True, min_rows=200, memory=0.7),
)
LABELS = (
    Traffic(name="3 to 10 windows late", late=few_days, late_before=few_days),
    Traffic(name="3 to 10 windows late, at once in the baseline", late=few_days),
    Traffic(name="all at every seventh window", late=in_weeks, late_before=in_weeks, baseline=182),
    Traffic(name="all at every seventh window, at once in the baseline", late=in_weeks),
    Traffic(name="half come, as in the baseline", known=100, labelled=0.5),
    Traffic(name="one of ten comes, all in the baseline", labelled=0.1),
    Traffic(name="errors come first, as in the baseline", late=errors_first, late_before=errors_first),
    Traffic(name="errors come first, at once in the baseline", late=errors_first),
    Traffic(name="the same, from the traffic's first window on", late=errors_first, settled=False),
    Traffic(name="the same, as in the baseline", late=errors_first, late_before=errors_first, settled=False),
    Traffic(name="3 to 10 windows late, from the traffic's first window on", late=few_days, settled=False),
)


KINDS = {"Thin windows": THIN, "Joined windows": JOINED, "Late labels": LABELS}


def rates(traffic: Traffic, count: int, rng: np.random.Generator) -> Floats:
    """Each window's own error rate, [count], by a normal law with memory."""
    noise = rng.normal(0.0, traffic.spread, count) if traffic.spread else np.zeros(count)
    for window in range(1, count):
        noise[window] = traffic.memory * noise[window - 1] + np.sqrt(1.0 - traffic.memory**2) * noise[window]
    return np.clip(RATE + noise, 0.0, 1.0)


def arrivals(traffic: Traffic, count: int, rng: np.random.Generator, *, live: bool, rise: float = 0.0) -> list[Sums]:
    """The sums of `count` windows of label arrivals, in the live ones with errors more frequent by `rise`.

    Where labels are late, there are windows before the first for as long as any label takes, so that the first is full.
    """
    late = traffic.late if live else traffic.late_before
    before = 0 if traffic.late is None or (live and not traffic.settled) else BEFORE
    rate = rates(traffic, before + count, rng)
    rate[before:] = np.clip(rate[before:] + rise, 0.0, 1.0)
    usual = traffic.live * traffic.labelled if live else traffic.known
    rows = rng.poisson(usual, rate.size) if traffic.varying else np.full(rate.size, round(usual))
    if traffic.thin and not live:
        rows = np.where(rng.random(rows.size) < traffic.thin, round(traffic.live), rows)
    if late is None:
        wrong = rng.binomial(rows, rate)
    else:
        own = np.repeat(np.arange(rate.size), rows)
        errs = rng.random(own.size) < rate[own]
        at = late(rng, own, errs)
        held = unjudged(own, at, rate.size, traffic.min_rows) if live and not traffic.settled else 0
        rows = np.bincount(at, minlength=rate.size)[: rate.size]
        wrong = np.bincount(at[errs], minlength=rate.size)[: rate.size]
        rows[:held] = wrong[:held] = 0
    pairs = zip(rows[before:].tolist(), wrong[before:].tolist(), strict=True)
    return [{ERROR: ScoreSum(n, errors * SCORE_ONE)} for n, errors in pairs]


def unjudged(own: Whole, at: Whole, windows: int, min_rows: int) -> int:
    """How many windows pass before the first labels have come, of rows of the windows `own` with labels in `at`."""
    first, rate = EarlyLabels(), LabelRate(share=1.0, min_rows=min_rows)
    for window in range(windows):
        came = Counter(own[at == window].tolist())
        span = LabelWindow(start=window, end=window + 1, horizon=BEFORE)
        first = first.updated(int((own == window).sum()), window, came, window=span, rate=rate)
        if first.complete:
            return window
    return windows


def level_of(
    known: Sequence[Sums], min_rows: int, usual: float, *, keys: Sequence[WatchKey] = (ERROR,), rule: bool = True
) -> LevelTest:
    """The page level on a baseline of those windows, as the product fits it; nothing is called harmless.

    Windows have `usual` rows, with a label or without: no score is taken to be more certain than half a row of those.
    Without `rule`, windows of few rows do not answer for chance, as before decision 0030.
    """
    joined = {key: pooled_sums(known, key, min_rows)[0] for key in keys}
    means = {key: np.array([one.mean for one in sums]) for key, sums in joined.items() if len(sums) >= MIN_WINDOWS}
    rows = {key: np.array([one.rows for one in sums]) for key, sums in joined.items()}
    remembered = level_ar1(means)
    tests = {
        key: ConformalTest.fit(
            scores,
            tolerance=0.0,
            ar1=remembered[key],
            min_std=0.5 / usual,
            # The square of an error is the error.
            sampling_variance=SamplingVariance.fit(scores, scores, rows[key]) if rule else NO_SAMPLING_VARIANCE,
        )
        for key, scores in means.items()
    }
    return LevelTest(level="page", budget=BUDGET, tests=tests, shares=weights(tests), min_rows=min_rows)


def pages(level: LevelTest, stream: Sequence[Sums], *, first: bool = False) -> NDArray[np.bool_]:
    """In which windows the level pages, [windows], starting anew after each; with `first`, none after the first one."""
    at, state = np.zeros(len(stream), dtype=np.bool_), LevelState()
    judged: dict[WatchKey, list[float]] = {key: [] for key in level.tests}
    learnt_from = 0
    for window, sums in enumerate(stream):
        seen = max(len(scores) for scores in judged.values())
        if ar1_update_due(seen) and seen > learnt_from:
            learnt_from = seen
            known = {key: np.asarray(test.calibration_scores) for key, test in level.tests.items()}
            learnt = level_ar1(known, {key: [np.array(scores)] for key, scores in judged.items()})
            level = level.with_ar1(learnt)
        state, reading = level.step(state, sums)
        for one in reading.watches:
            judged[one.key] += [] if one.score is None else [one.score]
        if reading.alarm:
            at[window] = True
            if first:
                break
            state = level.restarted(state)
    return at


def many_pages(levels: Sequence[LevelTest], streams: Sequence[Sequence[Sums]]) -> Alarms:
    """As `pages`, of levels of one watch with a stream each, all at once; a test holds the two against each other."""
    joined = [pooled_sums(stream, ERROR, level.min_rows) for level, stream in zip(levels, streams, strict=True)]
    most = max(len(sums) for sums, _ in joined)
    scores, rows = np.zeros((most, len(streams))), np.ones((most, len(streams)), dtype=np.int64)
    for place, (sums, _) in enumerate(joined):
        scores[: len(sums), place] = [one.mean for one in sums]
        rows[: len(sums), place] = [one.rows for one in sums]
    runs = VectorizedTests([level.tests[ERROR] for level in levels], 1, levels=range(len(levels)))
    at = np.zeros((len(streams), len(streams[0])), dtype=np.bool_)
    ends = np.array([len(sums) for sums, _ in joined])
    for window in range(most):
        over = (runs.step(scores[None, window], rows[None, window])[0] >= BUDGET.threshold) & (window < ends)
        for place in np.flatnonzero(over).tolist():
            at[place, joined[place][1][window]] = True
        if over.any():
            runs.restart(over[None])
    return Alarms(at=at)


def row_of(traffic: Traffic, streams: int, rng: np.random.Generator) -> tuple[Cell, ...]:
    """False pages of a year, without the rule of decision 0030 and with it, and the delay of a rise."""
    known = [arrivals(traffic, traffic.baseline, rng, live=False) for _ in range(streams)]
    clean = [arrivals(traffic, YEAR, rng, live=True) for _ in range(streams)]
    harmed = [arrivals(traffic, HARMED, rng, live=True, rise=RISE) for _ in range(streams)]
    levels = [level_of(one, traffic.min_rows, traffic.known) for one in known]
    before = many_pages([level_of(one, traffic.min_rows, traffic.known, rule=False) for one in known], clean)
    after, rise = many_pages(levels, clean), many_pages(levels, harmed)
    error = float(after.at.sum(axis=1).std(ddof=1) / np.sqrt(streams))
    return (traffic.name, before.per(YEAR), after.per(YEAR), error, after.share_with_any(YEAR), rise.median_delay)


def slice_row(rows: int, streams: int, rng: np.random.Generator) -> tuple[Cell, ...]:
    """A level of the whole and of twelve slices of so many rows each a window, joined to 200."""
    slices = [WatchKey(watch="error", slice=f"part={place}") for place in range(SLICES)]

    def windows(count: int, rise: float = 0.0) -> list[Sums]:
        rate = np.clip(RATE + rng.normal(0.0, 0.03, (count, 1)), 0.0, 1.0)
        parts = rng.poisson(rows, (count, SLICES))
        wrong = rng.binomial(parts, np.clip(rate + rise * (np.arange(SLICES) == 0), 0.0, 1.0))
        rest = rng.binomial(WHOLE_ROWS, rate[:, 0])
        return [
            {
                ERROR: ScoreSum(WHOLE_ROWS + int(n.sum()), (int(w.sum()) + int(r)) * SCORE_ONE),
                **{key: ScoreSum(int(a), int(b) * SCORE_ONE) for key, a, b in zip(slices, n, w, strict=True)},
            }
            for n, w, r in zip(parts, wrong, rest, strict=True)
        ]

    clean, harmed, counts = [], [], []
    for _ in range(streams):
        level = level_of(windows(90), 200, WHOLE_ROWS + SLICES * rows, keys=(ERROR, *slices))
        counts += [test.windows for key, test in level.tests.items() if key.slice]
        clean.append(pages(level, windows(YEAR)))
        harmed.append(pages(level, windows(HARMED, 0.2), first=True))
    after, rise = Alarms(at=np.stack(clean)), Alarms(at=np.stack(harmed))
    error = float(after.at.sum(axis=1).std(ddof=1) / np.sqrt(streams))
    usual = float(np.median(counts)) if counts else None
    return (rows, usual, after.per(YEAR), error, after.share_with_any(YEAR), rise.median_delay)


def measure(settings: Settings) -> Result:
    """A table for each kind of few rows. Cost: about half a minute of a free core."""
    streams, some_streams = (STREAMS // 10, 5) if settings.quick else (STREAMS, SLICE_STREAMS)
    tables = []
    for number, (title, kinds) in enumerate(KINDS.items()):
        rows = [row_of(one, streams, np.random.default_rng([SEED, number, at])) for at, one in enumerate(kinds)]
        tables.append(
            Table(
                title=f"{title}: a budget of one page in 365 windows",
                columns=("rows", "before", f"pages per {YEAR}", "± SE", f"any in {YEAR}", "delay"),
                rows=tuple(rows),
                note=(
                    f"{streams} streams of {YEAR} windows, each on a baseline of its own, one watch on an error rate "
                    f"of {RATE}. Before: where windows of few rows do not answer for chance. Delay: median windows to "
                    f"the page of a rise by {RISE}; a dash is beyond {HARMED}."
                ),
            )
        )
    some = [slice_row(rows, some_streams, np.random.default_rng([SEED, 9, rows])) for rows in SLICE_ROWS]
    tables.append(
        Table(
            title=f"Slices of few windows: {SLICES} slices and the whole, a budget of one page in 365 windows",
            columns=("rows a window", "slice's windows", f"pages per {YEAR}", "± SE", f"any in {YEAR}", "delay"),
            rows=tuple(some),
            note=(
                f"{some_streams} streams, each on a baseline of 90 windows of {WHOLE_ROWS} rows and more; slices are "
                "joined to 200 rows. Delay: median windows to the page of a rise by .2 in one slice alone."
            ),
        )
    )
    return Result(tables=tuple(tables), remarks=tuple(line for table in tables for line in worse(table)))


def worse(table: Table) -> list[str]:
    """Rows in which the budget is broken, by more than the simulation's error."""
    return [
        f"BUDGET BROKEN: {row[0]}: {row[2]:.2f} ± {row[3]:.2f} pages per {YEAR} windows, promised at most 1."
        for row in table.rows
        if isinstance(row[2], float) and isinstance(row[3], float) and row[2] - 2.0 * row[3] > 1.0
    ]
