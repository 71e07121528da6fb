"""The lender's deployment in memory: the product's own fit, calibration and judge, without files and store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from benchmarks.truth.lender.law import CATEGORIES, CLASSES, NUMBERS
from monitoring.baseline.batch import Batch, in_batches
from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.baseline.profile import Profile, fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.evidence.autocorrelation import MAX_UPDATE_WINDOWS, ar1_update_due
from monitoring.evidence.budget import Budget
from monitoring.evidence.level import LevelState
from monitoring.fits.simulations import initial_level
from monitoring.judging.autocorrelation_update import AutocorrelationUpdate
from monitoring.judging.fit.reference_fit import ReferenceFit, fit_reference
from monitoring.judging.fit.tolerances import Tolerances
from monitoring.judging.input_check import CheckResult, InputCheck
from monitoring.judging.judge import Judge, Judgement
from monitoring.judging.judge_state import JudgeState
from monitoring.judging.window.window_traffic import WindowTraffic
from monitoring.records import LEVELS, IncidentRecord, Level, ScoreHistory, WatchKey, WindowRecord
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import CalendarPlan, Window
from monitoring.watches.catalogue import catalogue

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HORIZON = timedelta(days=7)
BUDGETS: dict[Level, Budget] = {"page": Budget(alarms=1, windows=365), "notice": Budget(alarms=1, windows=30)}


@dataclass(frozen=True, kw_only=True)
class _RowsAgain:
    """The rows of one window, answered and labelled in it, and those of the days before. A `WindowBatches`."""

    rows: Predictions
    before: tuple[Predictions, ...]
    held: Sequence[Batch] | None = None

    def answered(self) -> Iterator[Batch]:
        """All rows."""
        return in_batches(self.rows)

    def labelled(self) -> Iterator[Batch]:
        """All rows."""
        return in_batches(self.rows)

    def earlier(self, span: Window) -> Iterator[Batch]:
        """The rows of the days in the span."""
        for day in self.before:
            if as_microseconds(span.start) <= int(day.event_times[0]) < as_microseconds(span.end):
                yield from in_batches(day)


def _no_schema(_profile: Profile, _absent: tuple[str, ...], _previous: str) -> CheckResult:
    return CheckResult()


@dataclass(slots=True, kw_only=True)
class Run:
    """A deployment's run: its state, and what was judged so far.

    Attributes:
        state: what passes to the next window.
        windows: the windows judged.
        incidents: every incident as it is now, by number.
        days: the rows of the last days.
    """

    state: JudgeState
    windows: list[WindowRecord]
    incidents: dict[int, IncidentRecord]
    days: tuple[Predictions, ...] = ()

    def copied(self) -> Run:
        """The same run, to go on with elsewhere."""
        return replace(self, windows=list(self.windows), incidents=dict(self.incidents))


@dataclass(frozen=True, kw_only=True)
class LenderDeployment:
    """A fitted baseline and its judge, with `min_rows` 200 and one page per 365 windows, if nothing else is said."""

    spec: BaselineSpec
    fit: ReferenceFit
    judge: Judge
    plan: CalendarPlan
    levels: Mapping[Level, LevelState]

    @classmethod
    def of(
        cls,
        days: Sequence[Predictions],
        *,
        slices: tuple[str, ...] = (),
        min_rows: int = 200,
        budgets: Mapping[Level, Budget] = BUDGETS,
        spec: BaselineSpec | None = None,
        seasonal: float = 1.0,
        few_labels: bool = False,
    ) -> LenderDeployment:
        """Fit a deployment to the days of a reference. Cost: one or two seconds.

        Importance-weighted estimates enter no verdict and are left out: they cost more than all else together.

        Args:
            spec: what is read of another model's rows than the lender's.
            seasonal: what the tolerances for a season not seen yet are multiplied by.
            few_labels: whether there is a budget of labels.
        """
        spec = spec or lender_spec()
        reference = joined(days)
        bins = fit_bins(reference, spec)
        baseline = Baseline(spec=spec, bins=bins, profile=profile(reference, bins), rows=InMemoryReference(reference))
        plan = CalendarPlan(every="1d", min_rows=min_rows)
        watched = catalogue(baseline, slices)
        tolerances = Tolerances(error=0.02, brier=None, integrity=0.01, seasonal=seasonal)
        fit = fit_reference(baseline, watched, plan=plan, budgets=budgets, tolerances=tolerances, horizon=HORIZON)
        if fit.estimator is not None:
            weighting = fit.estimator.weighting
            fit = replace(fit, estimator=replace(fit.estimator, weighting=weighting.without(weighting.indices)))
        fit = fit.for_few_labels() if few_labels else fit
        checked = InputCheck(bins, _no_schema, min_rows=min_rows)
        judge = Judge(watched, fit, timezone="UTC", phases=plan.phases, input_check=checked)
        levels = {level: initial_level(fit, level) for level in LEVELS}
        return cls(spec=spec, fit=fit, judge=judge, plan=plan, levels=levels)

    @property
    def log_scale(self) -> float:
        """The calibration of what pages."""
        return self.levels["page"].log_scale or 0.0

    def begin(self) -> Run:
        """A run before its first window."""
        return Run(state=JudgeState(levels=self.levels), windows=[], incidents={})

    def step(self, run: Run, number: int, day: Predictions) -> Judgement:
        """Judge a day, and move the run on."""
        if ar1_update_due(len(run.windows)):
            self._update_ar1(run)
        aggregator = self.judge.aggregator()
        for batch in in_batches(day):
            aggregator.add_with_labels(batch, int(day.event_times[0]))
        sums = aggregator.result(no_predictions(self.spec))
        answered, labelled = sums.answered, sums.labelled
        start = EPOCH + timedelta(days=number)
        window = Window(start=start, end=start + timedelta(days=1))
        batches = _RowsAgain(rows=day, before=run.days)
        traffic = WindowTraffic(window=window, answered=answered, labelled=labelled, batches=batches)
        judgement = self.judge.judge(run.state, traffic)
        run.state = judgement.state
        run.days = (*run.days, day)[-HORIZON.days :]
        run.windows.append(judgement.window)
        run.incidents.update({incident.number: incident for incident in judgement.changed})
        return judgement

    def _update_ar1(self, run: Run) -> None:
        """Estimate the AR(1) coefficients anew, as a run of the product does."""
        levels = dict(run.state.levels)
        for level in LEVELS:
            update = AutocorrelationUpdate(
                test=self.fit.tests[level], watches=self.fit.watches, phases=self.plan.phases
            )
            incidents = [
                incident
                for incident in run.incidents.values()
                if WatchKey(watch=incident.watch, slice=incident.slice) in update.test.tests
            ]
            levels[level] = replace(levels[level], ar1=update.estimate(score_history(run, level), incidents))
        run.state = replace(run.state, levels=levels)


def lender_spec(extra: int = 0) -> BaselineSpec:
    """What is read of the lender's rows."""
    numbers = (*NUMBERS, *(f"other{at}" for at in range(extra)))
    return BaselineSpec(
        classes=CLASSES,
        features=(
            *(FeatureSpec(name=name, kind="number") for name in numbers[: len(NUMBERS)]),
            *(FeatureSpec(name=name, kind="category") for name in CATEGORIES),
            *(FeatureSpec(name=name, kind="number") for name in numbers[len(NUMBERS) :]),
        ),
    )


def score_history(run: Run, level: Level) -> ScoreHistory:
    """The scores of a level's watches in the latest windows of a run, as the product's store has them."""
    windows = run.windows[-MAX_UPDATE_WINDOWS:]
    by_key: dict[WatchKey, tuple[list[int], list[float]]] = {}
    for at, window in enumerate(windows):
        for score in window.scores:
            if score.level == level and score.value is not None:
                places, values = by_key.setdefault(WatchKey(watch=score.watch, slice=score.slice), ([], []))
                places.append(at)
                values.append(score.value)
    scores = {key: (np.array(places), np.array(values)) for key, (places, values) in by_key.items()}
    return ScoreHistory(
        starts=tuple(window.start for window in windows), ends=tuple(window.end for window in windows), scores=scores
    )


def joined(days: Sequence[Predictions]) -> Predictions:
    """Days as one table of rows."""
    return Predictions(
        ids=pa.chunked_array([day.ids for day in days]).combine_chunks(),
        event_times=np.concatenate([day.event_times for day in days]),
        features=pa.concat_tables([day.features for day in days]).combine_chunks(),
        probabilities=np.concatenate([day.probabilities for day in days]),
        labels=np.concatenate([day.labels for day in days]),
        label_times=np.concatenate([day.label_times for day in days]),
    )
