"""The fit of a baseline: the test of each level, and what incidents and estimates need of the baseline besides."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Profile
from monitoring.errors import BadInput
from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.conformal import MIN_WINDOWS, ConformalTest
from monitoring.evidence.level import LevelTest
from monitoring.evidence.level_shift import ar1_without_shift
from monitoring.evidence.sampling_variance import SamplingVariance
from monitoring.evidence.seasonality import NO_SEASONALITY, Seasonality, fit_seasonality
from monitoring.incidents.harm import loss_watches, paging_watches
from monitoring.judging.facts.fact_limits import FactLimits
from monitoring.judging.fit.baseline_sums import (
    BaselineSamples,
    BaselineSums,
    baseline_scorer,
    label_sums,
    mean_scores,
    pooled_sums,
    rows_of_part,
    sum_baseline,
)
from monitoring.judging.fit.estimator import PerformanceEstimator
from monitoring.judging.fit.fact_fit import fit_fact_limits
from monitoring.judging.fit.tolerances import Tolerances
from monitoring.judging.window.event_scores import EventScores
from monitoring.judging.window.windowing import split_by_label_arrival, split_by_window
from monitoring.records import LEVELS, LOSS_FAMILIES, BaselineScore, Level, MeasuredMetric, ScoreSum, Watch, WatchKey
from monitoring.tasks.label_codes import has_label
from monitoring.timestamps import duration_microseconds
from monitoring.traffic.descriptors.vocabulary import HashedVocabulary
from monitoring.traffic.windows import RowPlan, WindowPlan
from monitoring.watches.catalogue import Catalogue, labelled_rows
from monitoring.watches.descriptions import is_rank
from monitoring.watches.early_labels import DELAYS
from monitoring.watches.feature_space import inputs_of
from monitoring.watches.joint import Witness
from monitoring.watches.measured.number_metrics import over_windows

MONTH = timedelta(days=28)

#: A reference of so many days has seen the seasons.
YEAR = timedelta(days=350)

#: A month counts as far as its mean lies above the reference's by more than so many of its standard errors.
MONTH_ERRORS = 2.0


def covers_year(starts: Sequence[datetime]) -> bool:
    """Whether a reference has seen the seasons, by the starts of its windows in order."""
    return len(starts) > 1 and starts[-1] - starts[0] >= YEAR


def worst_months(
    tests: Mapping[WatchKey, ConformalTest], watches: Mapping[str, Watch], starts: Sequence[datetime]
) -> dict[WatchKey, float]:
    """The excess of the worst month of each loss over the reference's mean, beyond chance.

    Returns:
        By loss, in its own unit; none where no four weeks in a row lie above the mean by more than `MONTH_ERRORS`
        standard errors, and of references of fewer than two months.
    """
    if len(starts) < 2:
        return {}
    span = (starts[-1] - starts[0]) * len(starts) / (len(starts) - 1)
    result = {}
    for key, test in tests.items():
        watch = watches[key.watch]
        windows = round(test.windows * (MONTH / span))
        if watch.family != "performance" or windows < 2 or test.windows < 2 * windows:
            continue
        scores = np.asarray(test.calibration_scores)
        means = np.convolve(scores, np.full(windows, 1.0 / windows), mode="valid")
        error = test.std * math.sqrt((1.0 + test.ar1) / (1.0 - test.ar1) / windows)
        excess = float(means.max()) - test.mean - MONTH_ERRORS * error
        if excess > 0.0:
            result[key] = excess * watch.scale
    return result


#: The part of the labels that is exchanged to see what wrong labels do to each watch: a rise is nearly proportional.
WRONG_SHARE = 0.2


#: The labels that a test waits for where people label some rows: more of them tell a large harm later, and fewer no
#: harm much sooner.
FEW_LABELS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFit:
    """A baseline, fitted: all that live windows are compared with.

    Attributes:
        means: The baseline's window scores behind each test, float64 [R].
        estimator: Estimates losses without labels; None where the baseline has too few labels.
        label_delays: Quantiles of the baseline's label delays, in microseconds; none where no label has a delay.
        label_gap: The longest time between two of its labels, in microseconds; None where no label has a delay.
        events: The scores of the baseline's windows in expected events, which the tests do not see.
        rows_per_window: How a reference without dates was cut into windows; None for one with dates.
        worst_months: How far the worst month of each loss lies above the baseline's mean beyond chance, in its unit.
        few_labels: Whether labels are to come for fewer rows than of the baseline.
    """

    tests: Mapping[Level, LevelTest]
    means: Mapping[WatchKey, NDArray[np.float64]]
    watches: Mapping[str, Watch]
    tolerances: Tolerances
    facts: FactLimits
    profile: Profile
    estimator: PerformanceEstimator | None = None
    losses: Mapping[WatchKey, ScoreSum] = field(default_factory=dict)
    wrong_labels: Mapping[WatchKey, ScoreSum] = field(default_factory=dict)
    witness: Witness | None = None
    horizon: timedelta = timedelta(days=7)
    label_rate: float = 1.0
    label_delays: tuple[int, ...] = ()
    label_gap: int | None = None
    unfitted: tuple[WatchKey, ...] = ()
    events: EventScores = field(default_factory=EventScores)
    rows_per_window: int | None = None
    measured: tuple[MeasuredMetric, ...] = ()
    vocabularies: Mapping[str, HashedVocabulary] = field(default_factory=dict)
    worst_months: Mapping[WatchKey, float] = field(default_factory=dict)
    few_labels: bool = False

    def for_few_labels(self) -> ReferenceFit:
        """The fit for traffic of whose rows people label some: what needs labels is tested from `FEW_LABELS` on."""
        tests = {
            level: replace(
                test,
                pooled_rows={
                    **test.pooled_rows,
                    **{
                        key: min(test.rows_needed(key), FEW_LABELS)
                        for key in test.tests
                        if self.watches[key.watch].needs_label
                    },
                },
            )
            for level, test in self.tests.items()
        }
        return replace(self, tests=tests, few_labels=True)

    def baseline_scores(self) -> tuple[BaselineScore, ...]:
        """Every watch in the baseline, in its own unit; watches of two levels at their own level only."""
        return tuple(
            BaselineScore(
                level=level,
                watch=key.watch,
                slice=key.slice,
                mean=self.watches[key.watch].value(test.mean),
                deviation=test.std * self.watches[key.watch].scale,
                tolerance=tolerance_of(self.tolerances, self.watches[key.watch], test.mean)
                * self.watches[key.watch].scale,
                windows=test.windows,
                cycle=self.tests[level].seasonality.get(key, NO_SEASONALITY).period,
                gain=self.tests[level].seasonality.get(key, NO_SEASONALITY).gain,
            )
            for level in LEVELS
            for key, test in self.tests[level].tests.items()
            if self.watches[key.watch].level == level
        )


def fit_reference(
    baseline: Baseline,
    catalogue: Catalogue,
    *,
    plan: WindowPlan,
    budgets: Mapping[Level, Budget],
    tolerances: Tolerances,
    horizon: timedelta,
) -> ReferenceFit:
    """Fit the test of every watch to a baseline whose windows are cut as live windows are.

    A baseline without dates is cut by its number of rows. Seasonality is removed from the watches that have it; windows
    in the plan's expected events are kept apart; a watch with too few windows is left out. Cost: a pass over the
    baseline's file and some over samples of it; memory as `monitoring.baseline.reference.ReferenceFile` says.
    """
    cut = _baseline_plan(baseline, plan)
    witness, reference = _fit_witness(baseline, catalogue, cut), answers_with_slices(baseline, catalogue)
    every = sum_baseline(baseline, catalogue, cut, reference=reference, witness=witness, horizon=horizon)
    windows = every.without_events()
    min_std = _min_stds(tolerances, catalogue, windows.median_rows)
    fits = _fit_watches(windows, catalogue.keys, cut, min_std)
    if not fits:
        error: BadInput = _too_few_windows(len(windows.starts), len(reference), cut.min_rows)
        raise error
    means = {key: fit.scores for key, fit in fits.items()}
    starts = () if baseline.spec.rows_per_window is not None else windows.starts
    tolerances = tolerances.completed(means, covers_year=covers_year(starts))
    tests = {level: _watch_tests(level, fits, catalogue, tolerances, min_std) for level in LEVELS}
    return ReferenceFit(
        tests={level: _level_test(level, tests[level], fits, catalogue, budgets[level], plan) for level in LEVELS},
        means=means,
        watches=catalogue.watches,
        tolerances=tolerances,
        facts=fit_fact_limits(fits, windows, catalogue, baseline=baseline, plan=cut, budget=budgets["page"]),
        profile=baseline.profile,
        estimator=PerformanceEstimator.fit(baseline, catalogue, cut),
        losses=loss_sums(catalogue, reference),
        wrong_labels=wrong_label_sums(catalogue, reference, np.random.default_rng(0)),
        witness=witness,
        horizon=horizon,
        **_label_arrival(reference, horizon),
        unfitted=tuple(key for key in catalogue.keys if key not in fits),
        events=every.event_scores(cut.min_rows),
        rows_per_window=baseline.spec.rows_per_window,
        measured=_measured(catalogue, reference, cut),
        vocabularies=every.vocabularies,
        worst_months=worst_months(tests["page"], catalogue.watches, starts),
    )


def wrong_label_sums(
    catalogue: Catalogue, reference: Predictions, rng: np.random.Generator
) -> dict[WatchKey, ScoreSum]:
    """The sums of the watches on losses with a part of the labels exchanged for those of other classes.

    Returns:
        The sums; none where a row has not exactly one of several classes, or no row has a label.
    """
    classes = len(catalogue.task.classes)
    labelled = reference.take(labelled_rows(reference))
    if not catalogue.task.exclusive or classes < 2 or not len(labelled):
        return {}
    others = (labelled.labels + rng.integers(1, classes, len(labelled))) % classes
    wrong = (rng.random(len(labelled)) < WRONG_SHARE) & (labelled.labels >= 0)
    exchanged = replace(labelled, labels=np.where(wrong, others, labelled.labels))
    return loss_sums(catalogue, exchanged)


def loss_sums(catalogue: Catalogue, rows: Predictions) -> dict[WatchKey, ScoreSum]:
    """The sums of the watches that need a label over rows of the baseline."""
    return label_sums(baseline_scorer(catalogue), rows, powers=(1,))[0]


def _min_stds(tolerances: Tolerances, catalogue: Catalogue, rows: int) -> dict[str, float]:
    """The smallest standard deviation of each watch, in a unit of it that is no coarser than half a row of a window."""
    return {
        name: max(tolerances.min_std(watch), 0.5 / rows / max(watch.scale / 2.0, 1.0))
        for name, watch in catalogue.watches.items()
    }


def _baseline_plan(baseline: Baseline, plan: WindowPlan) -> WindowPlan:
    """How the baseline is cut: as live traffic, or where it has no dates by its number of rows."""
    rows = baseline.spec.rows_per_window
    return plan if rows is None else RowPlan(rows=rows, min_rows=min(plan.min_rows, rows))


def tolerance_of(tolerances: Tolerances, watch: Watch, benchmark: float) -> float:
    """What rise of a watch is not told, in score units.

    Returns:
        Of material rises the tolerance for any cause; of other watches that of the metric.
    """
    if watch.family == "material":
        return tolerances.material_tolerance(watch, benchmark)
    return tolerances.score_tolerance(watch)


def in_level(watch: Watch, level: Level) -> bool:
    """Whether a level tests a watch: its own level does, and both test estimates, which may lose trust."""
    return watch.level == level or watch.family == "estimates"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _WatchFit:
    """One watch over the R baseline windows.

    `scores` float64 [R] are without the seasonality.
    """

    scores: NDArray[np.float64]
    seasonality: Seasonality
    sampling_variance: SamplingVariance
    rows_needed: int


def _fit_watches(
    windows: BaselineSums, keys: Sequence[WatchKey], plan: WindowPlan, min_std: Mapping[str, float]
) -> dict[WatchKey, _WatchFit]:
    """Every watch with enough windows; `min_std` by the watch's name."""
    phases = [plan.phases(start) for start in windows.starts]
    fits = {}
    for key in keys:
        part = key.slice or is_rank(key.watch)
        rows = rows_of_part(windows.sums, key, plan.min_rows) if part else plan.min_rows
        pooled, completed = pooled_sums(windows.sums, key, rows)
        if len(pooled) >= MIN_WINDOWS:
            window_phases = _phases_of(phases, completed)
            seasonality, scores = fit_seasonality(mean_scores(pooled), window_phases, min_std=min_std[key.watch])
            fits[key] = _WatchFit(
                scores=scores,
                seasonality=seasonality,
                sampling_variance=windows.sampling_variance(key, pooled, rows),
                rows_needed=rows,
            )
    return fits


def _phases_of(phases: Sequence[Mapping[str, int]], windows: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """For each period, the phases of some windows, given by their positions."""
    periods = phases[0] if phases else {}
    return {period: np.array([phases[at][period] for at in windows], dtype=np.int64) for period in periods}


def _level_test(
    level: Level,
    tests: Mapping[WatchKey, ConformalTest],
    fits: Mapping[WatchKey, _WatchFit],
    catalogue: Catalogue,
    budget: Budget,
    plan: WindowPlan,
) -> LevelTest:
    is_page = level == "page"
    return LevelTest(
        level=level,
        budget=budget,
        tests=tests,
        shares=weights(paging_watches(tests, catalogue.watches) if is_page else tests, catalogue.groups),
        min_rows=plan.min_rows,
        seasonality={key: fits[key].seasonality for key in tests if fits[key].seasonality.offsets},
        pooled_rows={
            key: fits[key].rows_needed
            for key in tests
            if (key.slice or is_rank(key.watch)) and fits[key].rows_needed < plan.min_rows
        },
        loss_shares=weights(loss_watches(tests, catalogue.watches), catalogue.groups) if is_page else {},
    )


def _watch_tests(
    level: Level,
    fits: Mapping[WatchKey, _WatchFit],
    catalogue: Catalogue,
    tolerances: Tolerances,
    min_std: Mapping[str, float],
) -> dict[WatchKey, ConformalTest]:
    watches = catalogue.watches
    level_fits = {key: fit for key, fit in fits.items() if in_level(watches[key.watch], level)}
    ar1 = ar1_without_shift({key: fit.scores for key, fit in level_fits.items()})
    tests = {
        key: ConformalTest.fit(
            fit.scores,
            # What rise of a loss matters is asked when the level alarms, of the loss itself: see `incidents.harm`.
            tolerance=0.0
            if watches[key.watch].family in LOSS_FAMILIES and watches[key.watch].family != "material"
            else tolerance_of(tolerances, watches[key.watch], float(fit.scores.mean())),
            direction=watches[key.watch].direction,
            ar1=ar1[key],
            min_std=min_std[key.watch],
            sampling_variance=replace(
                fit.sampling_variance, independent_rows=watches[key.watch].family in LOSS_FAMILIES
            ),
        )
        for key, fit in level_fits.items()
    }
    return {
        key: test.with_fixed_reference() if watches[key.watch].family in LOSS_FAMILIES else test
        for key, test in tests.items()
    }


def _too_few_windows(windows: int, rows: int, min_rows: int) -> BadInput:
    return BadInput(
        "The baseline is too short: no watch has enough windows.",
        got=f"{rows:,} rows in {windows} windows, small ones pooled to {min_rows} rows",
        expected=f"at least {MIN_WINDOWS} windows, better 20 or more",
        fix="Give a longer reference with event times, or cut shorter windows: `every`, or `rows`, and `min_rows`.",
    )


def _fit_witness(baseline: Baseline, catalogue: Catalogue, plan: WindowPlan) -> Witness | None:
    if catalogue.feature_space is None:
        return None
    windows = [positions for _, positions in split_by_window(baseline.rows.answers.event_times, plan)]
    samples = BaselineSamples(baseline.rows, windows, inputs_of(catalogue.feature_space.coordinates))
    return Witness.fit(catalogue.feature_space, samples, [positions.size for positions in windows])


def answers_with_slices(baseline: Baseline, catalogue: Catalogue) -> Predictions:
    """All rows of the baseline, with the inputs that slices, expected losses and own metrics are made of, no others."""
    expected_by = () if catalogue.residuals is None else catalogue.residuals.inputs
    names = tuple(dict.fromkeys((*catalogue.slices, *expected_by, *catalogue.losses.custom.inputs)))
    return replace(baseline.rows.answers, features=baseline.rows.inputs(names))


def _measured(catalogue: Catalogue, reference: Predictions, plan: WindowPlan) -> tuple[MeasuredMetric, ...]:
    """The metrics that are shown, over the windows in which the baseline's labels arrived."""
    shown = catalogue.measured
    if shown is None:
        return ()
    usable = labelled_rows(reference)
    arrived = (positions[usable[positions]] for _, positions in split_by_label_arrival(reference, plan))
    return over_windows(
        shown.measured(shown.tally(reference.probabilities[rows], reference.labels[rows]))
        for rows in arrived
        if rows.size
    )


def _label_arrival(rows: Predictions, horizon: timedelta) -> dict[str, Any]:
    """How many labels of rows come, and when, as fields of `ReferenceFit`."""
    delays = _label_delays(rows)
    arrived = np.sort(rows.label_times[has_label(rows.labels)])
    gap = int(np.diff(arrived).max()) if delays and arrived.size > 1 else None
    return {"label_rate": _label_rate(rows, horizon), "label_delays": delays, "label_gap": gap}


def _label_rate(rows: Predictions, horizon: timedelta) -> float:
    """The share of rows whose label arrived within the horizon."""
    in_time = rows.label_times - rows.event_times <= duration_microseconds(horizon)
    return float(np.mean(has_label(rows.labels) & in_time)) if len(rows) else 0.0


def _label_delays(rows: Predictions) -> tuple[int, ...]:
    """Quantiles of label delays; none where all labels became known with their rows, as where no time is given."""
    labelled = has_label(rows.labels)
    delays = np.maximum(rows.label_times - rows.event_times, 0)[labelled]
    if not delays.any():
        return ()
    shares = (np.arange(DELAYS) + 0.5) / DELAYS
    return tuple(np.quantile(delays, shares, method="inverted_cdf").tolist())


def widened_fit(fit: ReferenceFit, widths: Mapping[WatchKey, float]) -> ReferenceFit:
    """The fit with the scores of the baseline's windows farther from their means.

    Every test, the standard deviations that incidents are assessed by and the smallest harm that is detected follow
    from these scores. The means stay: what the reference promises is not learned from live traffic.

    Args:
        widths: By how much the standard deviation between windows grows, of some watches; at least 1.
    """
    if not widths:
        return fit
    tests = {
        level: replace(
            test,
            tests={
                key: widened_test(watch_test, widths[key]) if key in widths else watch_test
                for key, watch_test in test.tests.items()
            },
        )
        for level, test in fit.tests.items()
    }
    means = {
        key: scores.mean() + widths[key] * (scores - scores.mean()) if key in widths else scores
        for key, scores in fit.means.items()
    }
    return replace(fit, tests=tests, means=means, facts=fit.facts.widened(widths))


def widened_test(test: ConformalTest, width: float) -> ConformalTest:
    """The test with the baseline's scores `width` times as far from their mean."""
    scores = np.asarray(test.calibration_scores)
    wide = ConformalTest.fit(
        test.mean + width * (scores - test.mean),
        tolerance=test.tolerance,
        direction=test.direction,
        ar1=test.ar1,
        min_std=test.min_std,
        sampling_variance=test.sampling_variance,
    )
    return wide.with_fixed_reference() if test.fixed_etas else wide
