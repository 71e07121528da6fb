"""False alarms and delays of the flights deployment's level tests, on streams resampled from its baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.results import Cell, Table
from benchmarks.truth.level_streams import NO_HARM, Alarms, alarms, resampled
from benchmarks.truth.rules import calibrated, kolmogorov_flags, outside_bands
from monitoring.deployment.deployment import Deployment
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.calibration import calibrated_log_scale
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.level import LevelTest
from monitoring.judging.window.windowing import split_by_window
from monitoring.records import WatchKey

YEAR = 365
BRIER = WatchKey(watch="brier")
RESAMPLED = {"single days": 1, "7-day blocks": 7}
RISES = (1.0, 2.0, 5.0)

#: Rises that are also measured for the CUSUM.
EVERY_RISE = (1.0, 2.0, 3.0, 4.0, 5.0)

#: Goal: a rise of this many standard deviations is paged within this many windows in nine of ten streams.
GOALS = {2.0: 10, 5.0: 3}


#: Windows without change before a late harm.
QUIET = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Number of seeds with a year each, years of long streams, and fresh baselines with streams of a year each."""

    seeds: int
    years: int
    baselines: int
    streams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """Positions of resampled baseline windows: one year for many seeds, and many years for the same seeds."""

    year: NDArray[np.int64]
    years: NDArray[np.int64]


class FlightsTruth:
    """Measurements on one deployment and one set of streams."""

    def __init__(self, deployment: Deployment, sizes: Sizes, seed: int) -> None:
        self.deployment = deployment
        self.reference_fit = deployment.reference_fit
        self.whole = deployment.reference_fit.tests["page"]
        self.page = self.whole.paging()
        self.means = deployment.reference_fit.means
        self.sizes = sizes
        self._seed = seed
        longest = max(self.means[key].size for key in self.page.tests)
        self.longest = longest
        self.streams = {}
        for name, length in RESAMPLED.items():
            rng = np.random.default_rng([seed, length])
            positions = resampled(longest, rng, streams=sizes.seeds, windows=YEAR * sizes.years, length=length)
            self.streams[name] = Streams(year=positions[:, :YEAR], years=positions)
        self.alone = _one_watch(self.whole, BRIER)
        self.limits = {"page": calibrated_threshold(self.page, self.means)}
        self.limits["alone"] = calibrated_threshold(self.alone, self.means)
        self.quiet = {name: self._paged(streams.years) for name, streams in self.streams.items()}
        self.quiet_alone = {name: self._paged_alone(streams.years) for name, streams in self.streams.items()}

    def _paged(
        self,
        places: NDArray[np.int64],
        moves: Mapping[WatchKey, float] = NO_HARM,
        growth: NDArray[np.float64] | None = None,
    ) -> Alarms:
        """Alarms of the page level, calibrated as a deployment's is before its first window."""
        return alarms(self.page, self.means, places, moves, threshold=self.limits["page"], growth=growth)

    def _paged_alone(self, places: NDArray[np.int64], moves: Mapping[WatchKey, float] = NO_HARM) -> Alarms:
        """Those of the Brier score alone, calibrated by itself."""
        return alarms(self.alone, self.means, places, moves, threshold=self.limits["alone"])

    def losses(self, rise: float) -> dict[WatchKey, float]:
        """Shifts of every loss and surprise watch, overall and by slice, by `rise` standard deviations of its own."""
        return {
            key: rise * test.std
            for key, test in self.whole.tests.items()
            if self.reference_fit.watches[key.watch].family in {"performance", "surprise"}
        }

    def page_table(self) -> Table:
        """Table of false pages per year."""
        rows: list[tuple[Cell, ...]] = []
        for name in RESAMPLED:
            level = f"page level, {len(self.page.tests)} watches"
            rows.append((level, name, *_quiet_cells(self.quiet[name]), self.sizes.seeds))
            rows.append(("Brier score alone", name, *_quiet_cells(self.quiet_alone[name]), self.sizes.seeds))
        for name, length in RESAMPLED.items():
            fresh = self.fresh_baselines(length)
            label = f"page level, {self.sizes.baselines:,} fresh baselines"
            rows.append((label, name, *_quiet_cells(fresh), len(fresh.at)))
        return Table(
            title="False pages on the flights baseline, without change: budget 1 per 365 windows",
            columns=("test", "resampled", "any page in 365", "pages in the 1st 365", "windows per page", "seeds"),
            rows=tuple(rows),
            note=(
                f"{self.longest} daily windows, held-out predictions. Each seed is a year of windows resampled from"
                f" the baseline, restarted after each page; windows per page over {self.sizes.years} years a seed (one"
                " year for fresh baselines). Fresh: the baseline is resampled too, by the same blocks, and every test"
                " is fitted anew."
            ),
        )

    def fresh_baselines(self, length: int) -> Alarms:
        """Pages over a year where both baseline and traffic are resampled."""
        rng = np.random.default_rng([self._seed, 7, length])
        parts = []
        for _ in range(self.sizes.baselines):
            positions_drawn = resampled(self.longest, rng, streams=1, windows=self.longest, length=length)[0]
            test = replace(self.page, tests=self._refitted(positions_drawn))
            positions = resampled(self.longest, rng, streams=self.sizes.streams, windows=YEAR, length=length)
            limit = calibrated_threshold(test, self._drawn_scores(positions_drawn))
            parts.append(alarms(test, self.means, positions, threshold=limit).at)
        return Alarms(at=np.concatenate(parts))

    def _refitted(self, positions_drawn: NDArray[np.int64]) -> dict[WatchKey, ConformalTest]:
        """The page level's tests on resampled windows; a watch that was constant in the baseline keeps its test."""
        scores = self._drawn_scores(positions_drawn)
        coefficients = level_ar1(scores)
        return {
            key: self.page.tests[key]
            if self.reference_fit.watches[key.watch].family == "integrity"
            else _refit(self.page.tests[key], values, coefficients[key])
            for key, values in scores.items()
        }

    def _drawn_scores(self, positions_drawn: NDArray[np.int64]) -> dict[WatchKey, NDArray[np.float64]]:
        """The scores of the page level's watches in resampled windows."""
        return {
            key: self.means[key][(positions_drawn * self.means[key].size) // self.longest][: self.means[key].size]
            for key in self.page.tests
        }

    def notice_table(self) -> Table:
        """Table of false notices per month."""
        notice = self.reference_fit.tests["notice"]
        seeds = max(self.sizes.seeds // 4, 1)
        rows: list[tuple[Cell, ...]] = []
        for name, streams in self.streams.items():
            notices = alarms(notice, self.means, streams.year[:seeds])
            rows.append(
                (
                    name,
                    notices.share_with_any(30),
                    notices.per(30, within=30),
                    notices.per(30),
                    notices.run_length,
                    seeds,
                )
            )
        return Table(
            title=f"False notices, without change: budget 1 per 30 windows, {len(notice.tests)} watches",
            columns=("resampled", "any in 30", "in the 1st 30", "per 30 over a year", "windows per notice", "seeds"),
            rows=tuple(rows),
        )

    def delay_table(self, name: str) -> Table:
        """Table of delays of a rise in every loss, with those of CUSUM and of a 3 SD rule."""
        streams = self.streams[name]
        length = self.quiet[name].known_run_length
        # The run length of CUSUM cannot be estimated from fewer than twenty false pages.
        run_length = min(self.quiet[name].run_length, streams.years.size / 20)
        budgeted = {rise: self._paged(streams.year, self.losses(rise)) for rise in EVERY_RISE}
        alone = {rise: self._paged_alone(streams.year, self.losses(rise)) for rise in EVERY_RISE}
        spent = self._spending_threshold(name)
        used = {
            rise: alarms(self.page, self.means, streams.year, self.losses(rise), threshold=spent) for rise in EVERY_RISE
        }
        at_budget, at_same = self._cusum_alarms(streams, float(YEAR)), self._cusum_alarms(streams, run_length)
        used_length = alarms(self.page, self.means, streams.years, threshold=spent).run_length
        bands = self._three_sd_rule(streams)
        rows: list[tuple[Cell, ...]] = [
            _delays(f"page level, calibrated, A = {self.limits['page']:.0f}: as shipped", length, budgeted),
            _delays(
                f"Brier score alone, calibrated, A = {self.limits['alone']:.0f}",
                self.quiet_alone[name].known_run_length,
                alone,
            ),
            _delays("CUSUM that knows both distributions, same run length", run_length, at_same),
            _ratios("  ratio, as shipped", budgeted, at_same),
            _delays("CUSUM that knows both distributions, run length 365", float(YEAR), at_budget),
            _ratios("  ratio, as shipped", budgeted, at_budget),
            _delays(f"page level, A = {spent:.3g}: whole budget used", used_length, used),
            _ratios("  ratio to CUSUM 365", used, at_budget),
            _delays("rule: Brier above mean + 3 SD", *bands),
        ]
        return Table(
            title=f"Median delay in windows of a rise in every loss, from the first window on; {name}",
            columns=(
                "test",
                "windows per false page",
                *(f"+{rise:.0f} SD" for rise in EVERY_RISE),
                *(f"+{rise:.0f} SD within {windows}" for rise, windows in GOALS.items()),
            ),
            rows=tuple(rows),
            note=(
                f"{self.sizes.seeds:,} streams of a year. Every loss and surprise watch rises by its own SD; the CUSUM "
                "uses the Brier score only, as normal. A dash: half of the streams were not paged within the year."
            ),
        )

    def harm_table(self) -> Table:
        """Table of delays of harms that are gradual, late, or in one slice."""
        rows: list[tuple[Cell, ...]] = []
        some = max(self.sizes.seeds // 4, 1)
        for name, streams in self.streams.items():
            for label, share, slices in (
                ("at once, everywhere", np.ones(YEAR), ""),
                ("over 30 windows, everywhere", np.minimum(np.arange(1, YEAR + 1) / 30.0, 1.0), ""),
                ("after 90 quiet windows, everywhere", (np.arange(YEAR) >= QUIET).astype(np.float64), ""),
                ("at once, in the watches of one slice alone", np.ones(YEAR), "origin="),
            ):
                by_rise = {}
                for rise in RISES:
                    moves = self.losses(rise)
                    if slices:
                        slice_name = next(key.slice for key in moves if key.slice.startswith(slices))
                        moves = {key: by for key, by in moves.items() if key.slice == slice_name}
                    paged = self._paged(streams.year[:some], moves, share)
                    by_rise[rise] = Alarms(at=paged.at[:, QUIET:]) if "quiet" in label else paged
                rows.append((label, name, *(by_rise[rise].median_delay for rise in RISES)))
        return Table(
            title="Median delay of other harms, page level as shipped",
            columns=("harm", "resampled", *(f"+{rise:.0f} SD" for rise in RISES)),
            rows=tuple(rows),
            note=(
                f"{some:,} streams of a year; windows from the first harmed one on. In one slice: only the watches of"
                " that slice rise, and those of the whole traffic do not, which is the hardest case."
            ),
        )

    def _cusum_alarms(self, streams: Streams, run_length: float) -> dict[float, Alarms]:
        """Alarms of CUSUMs that know each rise, calibrated on the streams without change."""
        test = self.alone.tests[BRIER]
        z = (self.means[BRIER] - test.mean) / test.std
        by_rise: dict[float, Alarms] = {}
        for rise in EVERY_RISE:
            cusum = calibrated(rise, z[streams.years], run_length)
            by_rise[rise] = cusum.alarms(z[streams.year] + rise)
        return by_rise

    def _spending_threshold(self, name: str) -> float:
        """Threshold at which the measured run length is that of the budget, within a few percent."""
        low, high = 1.0, 2.0 * max(self.page.budget.threshold, self.limits["page"])
        some = self.streams[name].years[: max(self.sizes.seeds // 8, 1)]
        for _ in range(8):
            middle = float(np.sqrt(low * high))
            if alarms(self.page, self.means, some, threshold=middle).run_length < YEAR:
                low = middle
            else:
                high = middle
        return high

    def _three_sd_rule(self, streams: Streams) -> tuple[float, dict[float, Alarms]]:
        """Run length and delays of the rule mean + 3 SD on the Brier score."""
        scores = {BRIER: self.means[BRIER]}
        quiet = Alarms(at=outside_bands(scores, {BRIER: "up"}, {})[streams.year])
        delays = {
            rise: Alarms(at=outside_bands(scores, {BRIER: "up"}, self.losses(rise))[streams.year])
            for rise in EVERY_RISE
        }
        return quiet.run_length, delays

    def rules_table(self) -> Table:
        """Table of common rules on the same streams."""
        rows: list[tuple[Cell, ...]] = []
        for label, flagged in self._flagged_windows().items():
            for name, streams in self.streams.items():
                rule_alarms = Alarms(at=flagged[streams.year])
                rows.append(
                    (label, name, rule_alarms.share_with_any(YEAR), rule_alarms.per(YEAR), rule_alarms.known_run_length)
                )
        flags = self._shuffled_flags()
        rows.append(("p < .05, KS, any number; days' rows shuffled", "rows", 1.0, flags * YEAR, 1.0 / flags))
        for name in RESAMPLED:
            quiet = self.quiet[name]
            level = f"page level, {len(self.page.tests)} watches"
            rows.append((level, name, quiet.share_with_any(YEAR), quiet.per(YEAR, within=YEAR), quiet.known_run_length))
        return Table(
            title="Simple rules on the same streams, without change (rules as implemented here, not products)",
            columns=("rule", "resampled", "any alarm in 365", "alarms in 365", "windows per alarm"),
            rows=tuple(rows),
            note="Shuffled: the baseline's rows are assigned to days at random, so that no day differs from any other.",
        )

    def _flagged_windows(self) -> dict[str, NDArray[np.bool_]]:
        """Baseline windows that each rule flags."""
        directions = {key: self.reference_fit.watches[key.watch].direction for key in self.means}
        paging = {key: self.means[key] for key in self.page.tests}
        columns, days = self._numbers()
        flags = kolmogorov_flags(columns, days).any(axis=1)
        spread = np.asarray(flags)[(np.arange(self.longest) * len(days)) // self.longest]
        return {
            "Brier above mean + 3 SD": outside_bands({BRIER: self.means[BRIER]}, directions, {}),
            f"any of {len(paging)} page watches above mean + 3 SD": outside_bands(paging, directions, {}),
            f"any of {len(self.means)} watches outside mean ± 3 SD": outside_bands(self.means, directions, {}),
            f"p < .05, KS, any of {len(columns)} numbers": spread,
        }

    def _numbers(self) -> tuple[list[NDArray[np.float64]], list[NDArray[np.int64]]]:
        """Numeric columns of the reference rows, and the positions of each day's rows."""
        reference = self.deployment.baseline.reference
        kinds = {feature.name: feature.kind for feature in self.deployment.baseline.spec.features}
        columns = [
            np.asarray(reference.features[name].cast(pa.float64()), dtype=np.float64)
            for name, kind in kinds.items()
            if kind == "number"
        ]
        days = [rows for _, rows in split_by_window(reference.event_times, self.deployment.plan) if rows.size]
        return columns, days

    def _shuffled_flags(self) -> float:
        """Share of days that p-values flag when rows are assigned to days at random."""
        columns, days = self._numbers()
        rng = np.random.default_rng([self._seed, 5])
        dealt = rng.permutation(len(self.deployment.baseline.reference))
        return float(kolmogorov_flags(columns, [dealt[rows] for rows in days]).any(axis=1).mean())


def calibrated_threshold(test: LevelTest, baseline: Mapping[WatchKey, NDArray[np.float64]]) -> float:
    """The evidence at which a level alarms in a deployment that has this baseline: its threshold, calibrated."""
    scores = {key: baseline[key] for key in test.tests}
    return test.budget.threshold * float(np.exp(-calibrated_log_scale(test, scores, np.random.default_rng(0))))


def _one_watch(test: LevelTest, key: WatchKey) -> LevelTest:
    """The level with one watch that has the whole budget."""
    return replace(test, tests={key: test.tests[key]}, shares={key: 1.0}, loss_shares={})


def _refit(test: ConformalTest, values: NDArray[np.float64], ar1: float) -> ConformalTest:
    """The test of the same watch, fitted to other windows."""
    other = ConformalTest.fit(
        values,
        tolerance=test.tolerance,
        direction=test.direction,
        ar1=ar1,
        min_std=test.min_std,
        sampling_variance=test.sampling_variance,
    )
    return other.with_fixed_reference() if test.fixed_etas else other


def _quiet_cells(quiet_alarms: Alarms) -> tuple[Cell, ...]:
    return quiet_alarms.share_with_any(YEAR), quiet_alarms.per(YEAR, within=YEAR), quiet_alarms.known_run_length


def _delays(label: str, run_length: float | str, by_rise: Mapping[float, Alarms]) -> tuple[Cell, ...]:
    shares = [by_rise[rise].share_with_any(windows) for rise, windows in GOALS.items()]
    return (label, run_length, *(by_rise[rise].median_delay for rise in EVERY_RISE), *shares)


def _ratios(label: str, ours: Mapping[float, Alarms], limit: Mapping[float, Alarms]) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for rise in EVERY_RISE:
        our_delay, other = ours[rise].median_delay, limit[rise].median_delay
        cells.append(None if our_delay is None or other is None else our_delay / other)
    return (label, None, *cells, *(None for _ in GOALS))
