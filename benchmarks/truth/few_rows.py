"""False pages with few rows: small windows, pooled windows, late or partial labels, slices of few windows.

Rows are drawn, and then summed, pooled and evaluated by the product's own functions, against a baseline made in the
same way. The level restarts after a page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.level_streams import Alarms
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

#: Size of the harm, two standard deviations of the windows' rates, and windows in which it can be detected.
RISE = 0.06
HARMED = 120

#: Windows before a stream, as many as the latest label takes; whole weeks.
BEFORE = 21

#: Slices of a level, their rows per window, and rows per window in no slice.
SLICES = 12
SLICE_ROWS = (12, 20, 40, 100)
WHOLE_ROWS = 1000

ERROR = WatchKey(watch="error")

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Sums = Mapping[WatchKey, ScoreSum]


#: Window in which each label arrives, from the rows' windows and errors; all of shape [n].
LabelArrival = Callable[[np.random.Generator, Integers, NDArray[np.bool_]], Integers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Settings of one row of a table: one watch on an error rate of .2.

    Attributes:
        baseline_rows: mean rows per window of the baseline.
        live: mean rows per live window.
        varying: whether rows per window are Poisson.
        small_share: share of the baseline's windows that are as small as the live ones.
        spread: standard deviation of the windows' own rates.
        coefficient: AR(1) coefficient of the rates.
        labelled: share of live rows whose label arrives.
        late: window in which a label arrives, from the row's window and error.
        late_before: the same in the baseline.
        existing: whether traffic existed before the monitor.
        min_rows: windows with fewer labels are pooled.
    """

    name: str
    baseline_rows: float = 200.0
    live: float = 200.0
    varying: bool = False
    small_share: float = 0.0
    spread: float = 0.03
    coefficient: float = 0.0
    min_rows: int = 20
    baseline: int = 90
    labelled: float = 1.0
    late: LabelArrival | None = None
    late_before: LabelArrival | None = None
    existing: bool = True


def days_late(rng: np.random.Generator, row_windows: Integers, wrong: NDArray[np.bool_]) -> Integers:
    """Each label arrives three to ten windows late, at random."""
    return row_windows + rng.integers(3, 11, wrong.size)


def weekly_labels(_: np.random.Generator, row_windows: Integers, wrong: NDArray[np.bool_]) -> Integers:
    """All labels arrive at every seventh window."""
    return np.where(wrong, row_windows, row_windows) // 7 * 7 + 6


def errors_first(rng: np.random.Generator, row_windows: Integers, wrong: NDArray[np.bool_]) -> Integers:
    """Errors are labelled within three windows, all other rows within twenty."""
    return row_windows + np.where(wrong, rng.integers(0, 4, wrong.size), rng.integers(0, 21, wrong.size))


SMALL = (
    Traffic(name="2,000 rows, as in the baseline", baseline_rows=2000, live=2000, min_rows=200),
    Traffic(name="200 rows, 2,000 in the baseline", baseline_rows=2000, live=200, min_rows=200),
    Traffic(name="20 rows, 200 in the baseline", baseline_rows=200, live=20),
    Traffic(name="the same, and windows that differ by chance alone", baseline_rows=200, live=20, spread=0.0),
    Traffic(name="the same, AR(1) .5", baseline_rows=200, live=20, coefficient=0.5),
    Traffic(name="2,000 rows, 200 in the baseline", baseline_rows=200, live=2000),
    Traffic(
        name="20 rows, as in a fifth of the baseline, 200 in the rest", baseline_rows=200, live=20, small_share=0.2
    ),
    Traffic(name="the same, a twentieth, by chance alone", baseline_rows=200, live=20, small_share=0.05, spread=0.0),
)
POOLED = (
    Traffic(name="60 rows, pooled to 200", baseline_rows=60, live=60, varying=True, min_rows=200),
    Traffic(name="60 rows, pooled to 200; 600 in the baseline", baseline_rows=600, live=60, varying=True, min_rows=200),
    Traffic(
        name="20 rows, pooled to 200, baseline of 365",
        baseline_rows=20,
        live=20,
        varying=True,
        min_rows=200,
        baseline=365,
    ),
    Traffic(
        name="200 rows of which every other window is pooled", baseline_rows=200, live=200, varying=True, min_rows=200
    ),
    Traffic(
        name="60 rows, pooled to 200, AR(1) .7", baseline_rows=60, live=60, varying=True, min_rows=200, coefficient=0.7
    ),
)
LABELS = (
    Traffic(name="3 to 10 windows late", late=days_late, late_before=days_late),
    Traffic(name="3 to 10 windows late, at once in the baseline", late=days_late),
    Traffic(name="all at every seventh window", late=weekly_labels, late_before=weekly_labels, baseline=182),
    Traffic(name="all at every seventh window, at once in the baseline", late=weekly_labels),
    Traffic(name="half come, as in the baseline", baseline_rows=100, labelled=0.5),
    Traffic(name="one of ten comes, all in the baseline", labelled=0.1),
    Traffic(name="errors come first, as in the baseline", late=errors_first, late_before=errors_first),
    Traffic(name="errors come first, at once in the baseline", late=errors_first),
    Traffic(name="the same, from the traffic's first window on", late=errors_first, existing=False),
    Traffic(name="the same, as in the baseline", late=errors_first, late_before=errors_first, existing=False),
    Traffic(name="3 to 10 windows late, from the traffic's first window on", late=days_late, existing=False),
)


KINDS = {"Small windows": SMALL, "Pooled windows": POOLED, "Late labels": LABELS}


def rates(traffic: Traffic, count: int, rng: np.random.Generator) -> Floats:
    """Error rate of each window, shape [count], normal with AR(1)."""
    noise = rng.normal(0.0, traffic.spread, count) if traffic.spread else np.zeros(count)
    for window in range(1, count):
        noise[window] = traffic.coefficient * noise[window - 1] + np.sqrt(1.0 - traffic.coefficient**2) * noise[window]
    return np.clip(RATE + noise, 0.0, 1.0)


def arrivals(traffic: Traffic, count: int, rng: np.random.Generator, *, live: bool, rise: float = 0.0) -> list[Sums]:
    """Sums of windows of label arrivals; live windows have an error rate higher by `rise`.

    Earlier windows are added for late labels, so that the first window is complete.

    Returns:
        Sums of `count` windows.
    """
    late = traffic.late if live else traffic.late_before
    before = 0 if traffic.late is None or (live and not traffic.existing) else BEFORE
    rate = rates(traffic, before + count, rng)
    rate[before:] = np.clip(rate[before:] + rise, 0.0, 1.0)
    usual = traffic.live * traffic.labelled if live else traffic.baseline_rows
    rows = rng.poisson(usual, rate.size) if traffic.varying else np.full(rate.size, round(usual))
    if traffic.small_share and not live:
        rows = np.where(rng.random(rows.size) < traffic.small_share, round(traffic.live), rows)
    if late is None:
        wrong = rng.binomial(rows, rate)
    else:
        row_windows = np.repeat(np.arange(rate.size), rows)
        errs = rng.random(row_windows.size) < rate[row_windows]
        at = late(rng, row_windows, errs)
        held = (
            windows_before_maturity(row_windows, at, rate.size, traffic.min_rows)
            if live and not traffic.existing
            else 0
        )
        rows = np.bincount(at, minlength=rate.size)[: rate.size]
        wrong = np.bincount(at[errs], minlength=rate.size)[: rate.size]
        rows[:held] = wrong[:held] = 0
    pairs = zip(rows[before:].tolist(), wrong[before:].tolist(), strict=True)
    return [{ERROR: ScoreSum(n, errors * SCORE_ONE)} for n, errors in pairs]


def windows_before_maturity(row_windows: Integers, at: Integers, windows: int, min_rows: int) -> int:
    """Number of windows before the first labels have matured, of rows of windows `row_windows` with labels in `at`."""
    first, rate = EarlyLabels(), LabelRate(share=1.0, min_rows=min_rows)
    for window in range(windows):
        came = Counter(row_windows[at == window].tolist())
        span = LabelWindow(start=window, end=window + 1, horizon=BEFORE)
        first = first.updated(int((row_windows == window).sum()), window, came, window=span, rate=rate)
        if first.complete:
            return window
    return windows


def fit_level(
    windows: Sequence[Sums], min_rows: int, usual: float, *, keys: Sequence[WatchKey] = (ERROR,), rule: bool = True
) -> LevelTest:
    """The page level that the product fits to a baseline of those windows, with tolerance 0.

    Args:
        usual: rows per window, with or without a label, which bound the certainty of a score.
        rule: whether windows of few rows get their sampling variance (decision 0030).
    """
    pooled = {key: pooled_sums(windows, key, min_rows)[0] for key in keys}
    means = {key: np.array([total.mean for total in sums]) for key, sums in pooled.items() if len(sums) >= MIN_WINDOWS}
    rows = {key: np.array([total.rows for total in sums]) for key, sums in pooled.items()}
    coefficients = level_ar1(means)
    tests = {
        key: ConformalTest.fit(
            scores,
            tolerance=0.0,
            ar1=coefficients[key],
            min_std=0.5 / usual,
            # An error is 0 or 1, so it equals its square.
            sampling_variance=SamplingVariance.fit(scores, scores, rows[key]) if rule else NO_SAMPLING_VARIANCE,
        )
        for key, scores in means.items()
    }
    return LevelTest(level="page", budget=BUDGET, tests=tests, shares=weights(tests), min_rows=min_rows)


_UNCALIBRATED = LevelState()


def pages(
    level: LevelTest, stream: Sequence[Sums], *, first: bool = False, start: LevelState = _UNCALIBRATED
) -> NDArray[np.bool_]:
    """Windows with a page, shape [windows], with restarts after each; only the first one with `first`."""
    at, state = np.zeros(len(stream), dtype=np.bool_), start
    scored: dict[WatchKey, list[float]] = {key: [] for key in level.tests}
    learnt_from = 0
    for window, sums in enumerate(stream):
        windows_so_far = max(len(scores) for scores in scored.values())
        if ar1_update_due(windows_so_far) and windows_so_far > learnt_from:
            learnt_from = windows_so_far
            calibration = {key: np.asarray(test.calibration_scores) for key, test in level.tests.items()}
            learnt = level_ar1(calibration, {key: [np.array(scores)] for key, scores in scored.items()})
            level = level.with_ar1(learnt)
        state, reading = level.step(state, sums)
        for watch in reading.watches:
            scored[watch.key] += [] if watch.score is None else [watch.score]
        if reading.alarm:
            at[window] = True
            if first:
                break
            state = level.restarted(state)
    return at


def many_pages(levels: Sequence[LevelTest], streams: Sequence[Sequence[Sums]]) -> Alarms:
    """As `pages`, for many levels of one watch with one stream each; a test compares the two."""
    pooled = [pooled_sums(stream, ERROR, level.min_rows) for level, stream in zip(levels, streams, strict=True)]
    most = max(len(sums) for sums, _ in pooled)
    scores, rows = np.zeros((most, len(streams))), np.ones((most, len(streams)), dtype=np.int64)
    for index, (sums, _) in enumerate(pooled):
        scores[: len(sums), index] = [total.mean for total in sums]
        rows[: len(sums), index] = [total.rows for total in sums]
    runs = VectorizedTests([level.tests[ERROR] for level in levels], 1, levels=range(len(levels)))
    at = np.zeros((len(streams), len(streams[0])), dtype=np.bool_)
    ends = np.array([len(sums) for sums, _ in pooled])
    for window in range(most):
        over = (runs.step(scores[None, window], rows[None, window])[0] >= BUDGET.threshold) & (window < ends)
        for index in np.flatnonzero(over).tolist():
            at[index, pooled[index][1][window]] = True
        if over.any():
            runs.restart(over[None])
    return Alarms(at=at)


def table_row(traffic: Traffic, streams: int, rng: np.random.Generator) -> tuple[Cell, ...]:
    """False pages per year without and with the rule of decision 0030, and the delay of a rise."""
    baselines = [arrivals(traffic, traffic.baseline, rng, live=False) for _ in range(streams)]
    clean = [arrivals(traffic, YEAR, rng, live=True) for _ in range(streams)]
    harmed = [arrivals(traffic, HARMED, rng, live=True, rise=RISE) for _ in range(streams)]
    levels = [fit_level(baseline, traffic.min_rows, traffic.baseline_rows) for baseline in baselines]
    before = many_pages(
        [fit_level(baseline, traffic.min_rows, traffic.baseline_rows, rule=False) for baseline in baselines], clean
    )
    after, rise = many_pages(levels, clean), many_pages(levels, harmed)
    error = float(after.at.sum(axis=1).std(ddof=1) / np.sqrt(streams))
    return (traffic.name, before.per(YEAR), after.per(YEAR), error, after.share_with_any(YEAR), rise.median_delay)


def slice_row(rows: int, streams: int, rng: np.random.Generator) -> tuple[Cell, ...]:
    """A level of the whole traffic and of twelve slices with this many rows per window, pooled to 200."""
    slices = [WatchKey(watch="error", slice=f"part={index}") for index in range(SLICES)]

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
        level = fit_level(windows(90), 200, WHOLE_ROWS + SLICES * rows, keys=(ERROR, *slices))
        counts += [test.windows for key, test in level.tests.items() if key.slice]
        clean.append(pages(level, windows(YEAR)))
        harmed.append(pages(level, windows(HARMED, 0.2), first=True))
    after, rise = Alarms(at=np.stack(clean)), Alarms(at=np.stack(harmed))
    error = float(after.at.sum(axis=1).std(ddof=1) / np.sqrt(streams))
    usual = float(np.median(counts)) if counts else None
    return (rows, usual, after.per(YEAR), error, after.share_with_any(YEAR), rise.median_delay)


def measure(settings: Settings) -> Result:
    """Measure each kind of small windows. Cost: about half a minute on a free core."""
    streams, some_streams = (STREAMS // 10, 5) if settings.quick else (STREAMS, SLICE_STREAMS)
    tables = []
    for number, (title, kinds) in enumerate(KINDS.items()):
        rows = [
            table_row(traffic_kind, streams, np.random.default_rng([SEED, number, at]))
            for at, traffic_kind in enumerate(kinds)
        ]
        tables.append(
            Table(
                title=f"{title}: budget of one page in 365 windows",
                columns=("rows", "before", f"pages per {YEAR}", "± SE", f"any in {YEAR}", "delay"),
                rows=tuple(rows),
                note=(
                    f"{streams} streams of {YEAR} windows, each on its own baseline, one watch on an error rate "
                    f"of {RATE}. Before: without the sampling variance of small windows. Delay: median windows to "
                    f"the page of a rise by {RISE}; a dash: more than {HARMED}."
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
                "pooled to 200 rows. Delay: median windows to the page of a rise by .2 in one slice only."
            ),
        )
    )
    return Result(tables=tuple(tables), remarks=tuple(line for table in tables for line in worse(table)))


def worse(table: Table) -> list[str]:
    """Rows in which the budget is exceeded by more than the simulation's error."""
    return [
        f"BUDGET EXCEEDED: {row[0]}: {row[2]:.2f} ± {row[3]:.2f} pages per {YEAR} windows, promised at most 1."
        for row in table.rows
        if isinstance(row[2], float) and isinstance(row[3], float) and row[2] - 2.0 * row[3] > 1.0
    ]
