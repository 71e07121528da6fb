"""The page level of the flights with more than a hundred watches, most of them on slices that are pooled over windows.

Days of the baseline are resampled with the sums of their rows, so that slices with few rows are pooled and evaluated as
in the product, by `LevelTest.step`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.flights import flights_config
from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.few_rows import Sums, pages
from benchmarks.truth.flights import GOALS, RESAMPLED, YEAR
from benchmarks.truth.level_streams import Alarms, resampled
from monitoring.baseline.folder import load_baseline
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.config import MonitorConfig
from monitoring.deployment.deployment import window_plan
from monitoring.deployment.places import find_baseline
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.calibration import calibrated_log_scale
from monitoring.evidence.conformal import MIN_WINDOWS, ConformalTest
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.evidence.sampling_variance import SamplingVariance
from monitoring.incidents.harm import paging_watches
from monitoring.judging.fit.baseline_sums import answer_sums, baseline_scorer, label_sums, pooled_sums, rows_of_part
from monitoring.judging.fit.reference_fit import tolerance_of
from monitoring.judging.fit.tolerances import Tolerances
from monitoring.judging.window.windowing import split_by_label_arrival, split_by_window
from monitoring.records import LOSS_FAMILIES, SCORE_ONE, ScoreSum, WatchKey
from monitoring.tasks.task import MATERIAL
from monitoring.watches.catalogue import Catalogue, catalogue
from monitoring.watches.descriptions import is_rank

SEED = 20_130_406

#: Slice columns of the flights: 27 slices with four watches each.
SLICES = ("origin", "carrier", "dest")

#: Streams of a year on the baseline itself, and as many on resampled baselines, two streams each.
STREAMS, STREAMS_QUICK = 40, 4

#: Size of the harm, in standard deviations of each watch on a loss.
RISE = 2.0


class Days:
    """Sums of the scores and squared scores of every page watch, by day of the baseline; late labels are left out."""

    def __init__(self, config: MonitorConfig, slices: tuple[str, ...] = SLICES) -> None:
        baseline = load_baseline(find_baseline(config).baseline)
        self.plan = window_plan(config)
        self.watched: Catalogue = catalogue(baseline, slices)
        self.tolerances = Tolerances(
            error=config.tolerance.error, brier=config.tolerance.brier or 0.0, integrity=config.tolerance.integrity
        )
        self.budget = Budget.parse(config.budget.page)
        self.sums: list[Sums] = []
        self.squares: list[Sums] = []
        reference, counter = baseline.reference, ProfileBuilder(baseline.bins, described=False)
        by_start: dict[object, tuple[dict[WatchKey, ScoreSum], dict[WatchKey, ScoreSum]]] = {}
        scorer = baseline_scorer(self.watched)
        for window, positions in split_by_window(reference.event_times, self.plan):
            rows = reference.take(positions)
            counts = counter.count(rows.features)
            found = answer_sums(scorer, rows, counts)
            for sums, more in zip(by_start.setdefault(window.start, ({}, {})), found, strict=True):
                sums.update(more)
        for window, positions in split_by_label_arrival(reference, self.plan):
            arrived = reference.take(positions)
            if window.start in by_start:
                for sums, more in zip(by_start[window.start], label_sums(scorer, arrived), strict=True):
                    sums.update(more)
        watches = self.watched.watches
        for start in sorted(by_start, key=str):
            paging = {name for name, watch in watches.items() if watch.level == "page"}
            once, twice = ({k: v for k, v in sums.items() if k.watch in paging} for sums in by_start[start])
            self.sums.append(once)
            self.squares.append(twice)

    def level(self, drawn: Sequence[int]) -> LevelTest:
        """Fit the page level as the product does, to those days in that order; cycles are left out."""
        watches, sums, squares = self.watched.watches, [self.sums[d] for d in drawn], [self.squares[d] for d in drawn]
        means, chances = {}, {}
        for key in (key for key in self.watched.keys if watches[key.watch].level == "page"):
            needed = self._rows_needed(sums, key)
            pooled, _ = pooled_sums(sums, key, needed)
            if len(pooled) >= MIN_WINDOWS:
                means[key] = np.array([total.mean for total in pooled])
                squared = np.array([total.mean for total in pooled_sums(squares, key, needed)[0]])
                chances[key] = SamplingVariance.fit(means[key], squared, np.array([total.rows for total in pooled]))
        coefficients = level_ar1(means)
        rows = float(np.median([max(total.rows for total in day.values()) for day in sums]))
        losses = {key for key in means if watches[key.watch].family in LOSS_FAMILIES}
        fitted = {
            key: ConformalTest.fit(
                scores,
                tolerance=0.0
                if key in losses and watches[key.watch].family != "material"
                else tolerance_of(self.tolerances, watches[key.watch], float(scores.mean())),
                direction=watches[key.watch].direction,
                ar1=coefficients[key],
                min_std=max(
                    self.tolerances.min_std(watches[key.watch]), 0.5 / rows / max(watches[key.watch].scale / 2.0, 1.0)
                ),
                sampling_variance=replace(chances[key], independent_rows=key in losses),
            )
            for key, scores in means.items()
        }
        tests = {key: test.with_fixed_reference() if key in losses else test for key, test in fitted.items()}
        least = self.plan.min_rows
        pooled_rows = {key: rows for key in tests if (rows := self._rows_needed(sums, key)) < least}
        shares = weights(paging_watches(tests, watches), self.watched.groups)
        level = LevelTest(
            level="page", budget=self.budget, tests=tests, shares=shares, min_rows=least, pooled_rows=pooled_rows
        )
        return level.paging()

    def _rows_needed(self, sums: Sequence[Sums], key: WatchKey) -> int:
        part = key.slice or is_rank(key.watch)
        return rows_of_part(sums, key, self.plan.min_rows) if part else self.plan.min_rows

    def calibrated(self, level: LevelTest) -> LevelState:
        """The level before its first window, as the product calibrates it."""
        means = {key: np.asarray(test.calibration_scores) for key, test in level.tests.items()}
        return LevelState(log_scale=calibrated_log_scale(level, means, np.random.default_rng(0)))

    def harmed(self, level: LevelTest, day: Sums, rise: float) -> Sums:
        """A day on which every watch on a loss has risen by this many of its standard deviations."""
        losses = {watch.name for watch in self.watched.losses.watches}
        moved = {}
        for key, total in day.items():
            test = level.tests.get(key)
            by = (
                round(rise * test.std * total.rows * SCORE_ONE)
                if test and key.watch.removeprefix(MATERIAL) in losses
                else 0
            )
            moved[key] = ScoreSum(total.rows, min(total.total + by, total.rows * SCORE_ONE))
        return moved


def measure(settings: Settings) -> Result:
    """Measure false pages and delays. Cost: minutes on a free core, a tenth with `quick`, plus a demo."""
    days = Days(flights_config(settings))
    streams = STREAMS_QUICK if settings.quick else STREAMS
    own_level = days.level(range(len(days.sums)))
    own_start = days.calibrated(own_level)
    sizes = sorted(test.windows for test in own_level.tests.values())
    rows: list[tuple[Cell, ...]] = []
    for name, length in RESAMPLED.items():
        rng = np.random.default_rng([SEED, length])
        for label, fresh in (("the baseline itself", False), ("fresh baselines", True)):
            clean, harmed = [], []
            for _ in range(streams // 2):
                drawn = resampled(len(days.sums), rng, streams=1, windows=len(days.sums), length=length)[0]
                level, start = own_level, own_start
                if fresh:
                    level = days.level(drawn.tolist())
                    start = days.calibrated(level)
                for positions in resampled(len(days.sums), rng, streams=2, windows=YEAR, length=length).tolist():
                    clean.append(pages(level, [days.sums[position] for position in positions], start=start))
                    stream = [days.harmed(level, days.sums[position], RISE) for position in positions[:60]]
                    harmed.append(pages(level, stream, first=True, start=start))
            alarms, late = Alarms(at=np.stack(clean)), Alarms(at=np.stack(harmed))
            error = float(alarms.at.sum(axis=1).std(ddof=1) / np.sqrt(streams))
            some = (alarms.per(YEAR), error, alarms.share_with_any(YEAR))
            rows.append((label, name, *some, late.median_delay, late.share_with_any(GOALS[RISE])))
    table = Table(
        title=f"The flights' page level with {len(own_level.tests)} watches: budget 1 page per 365 windows",
        columns=("baseline", "resampled", "pages per 365", "± SE", "any in 365", "+2 SD", "+2 SD within 10"),
        rows=tuple(rows),
        note=(
            f"{streams} streams of a year, restarted after each page, and one of 60 windows with every loss raised."
            f" {sum(1 for size in sizes if size < len(days.sums) - 10)} of the watches are on slices that had to be"
            f" pooled; half of all have {sizes[len(sizes) // 2]} windows or fewer in the baseline, the fewest"
            f" {sizes[0]}."
        ),
    )
    return Result(tables=(table,))
