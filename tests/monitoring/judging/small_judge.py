"""A deployment in memory: a calibrated model's rows by day, the fit of sixty days of them, and a judge of more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from monitoring.baseline.batch import Batch, in_batches
from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.baseline.profile import Profile, fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.evidence.budget import Budget
from monitoring.judging.fit.reference_fit import ReferenceFit, fit_reference
from monitoring.judging.fit.tolerances import Tolerances
from monitoring.judging.input_check import CheckResult, InputCheck
from monitoring.judging.judge import Judge, Judgement
from monitoring.judging.judge_state import JudgeState
from monitoring.judging.window.window_traffic import WindowTraffic
from monitoring.tasks.task import NO_LABEL
from monitoring.timestamps import as_microseconds
from monitoring.traffic.expected_events import NO_EVENTS, EventCalendar
from monitoring.traffic.windows import CalendarPlan, Window
from monitoring.watches.catalogue import Catalogue, catalogue

START = datetime(2013, 1, 1, tzinfo=UTC)
BASELINE_DAYS = 60
ROWS_A_DAY = 60
MIN_ROWS = 20
HORIZON = timedelta(days=7)
DAY_US = 86_400_000_000
SPEC = BaselineSpec(
    classes=("on_time", "late"),
    features=(FeatureSpec(name="temp", kind="number"), FeatureSpec(name="origin", kind="category")),
)
PLAN = CalendarPlan(every="1d", min_rows=MIN_ROWS)


def day(number: int) -> Window:
    """The window of a day; the baseline's are those before `BASELINE_DAYS`."""
    return Window(start=START + timedelta(days=number), end=START + timedelta(days=number + 1))


def rows_of_days(first: int, days: int, *, seed: int = 0, wrong_from: int | None = None) -> Predictions:
    """Rows whose answer is the probability that labels are drawn by, and from day `wrong_from` on that of a coin.

    Labels arrive two hours after their rows; one in fifty never does.
    """
    rng = np.random.default_rng(seed)
    count = days * ROWS_A_DAY
    number = np.repeat(np.arange(first, first + days), ROWS_A_DAY)
    weather = np.repeat(rng.normal(0.0, 0.3, days), ROWS_A_DAY)
    late = 1.0 / (1.0 + np.exp(-(rng.normal(-1.0, 1.0, count) + weather)))
    truth = late if wrong_from is None else np.where(number >= wrong_from, 0.5, late)
    labels = np.where(rng.random(count) < 0.02, NO_LABEL, (rng.random(count) < truth).astype(np.int64))
    times = as_microseconds(START) + number * DAY_US + np.tile(np.arange(ROWS_A_DAY), days) * (DAY_US // ROWS_A_DAY)
    return Predictions(
        ids=pa.array(
            [f"{n}-{i}" for n, i in zip(number, np.tile(np.arange(ROWS_A_DAY), days), strict=True)], pa.string()
        ),
        event_times=times,
        features=pa.table(
            {
                "temp": rng.normal(50.0, 10.0, count),
                "origin": pa.array(rng.choice(["EWR", "JFK"], count).astype(object), pa.string()),
            }
        ),
        probabilities=np.stack([1.0 - late, late], axis=1),
        labels=labels,
        label_times=times + 2 * 3_600_000_000,
    )


def with_feature(rows: Predictions, name: str, values: pa.Array) -> Predictions:
    """The same rows with other values of an input."""
    return replace(rows, features=rows.features.set_column(rows.features.column_names.index(name), name, values))


def no_schema(_profile: Profile, _absent: tuple[str, ...], _previous: str) -> CheckResult:
    """A check by a schema that allows everything."""
    return CheckResult()


@dataclass(frozen=True, kw_only=True)
class RowsAgain:
    """Rows in memory, answered and labelled in one window, and those of other windows. A `WindowBatches`."""

    rows: Predictions
    others: Predictions
    held: Sequence[Batch] | None = None

    def answered(self) -> Iterator[Batch]:
        """All rows."""
        return in_batches(self.rows)

    def labelled(self) -> Iterator[Batch]:
        """All rows; those without a label have none."""
        return in_batches(self.rows)

    def earlier(self, span: Window) -> Iterator[Batch]:
        """The other rows of the span."""
        return in_batches(_within(self.others, span))


def _within(rows: Predictions, window: Window) -> Predictions:
    first, last = as_microseconds(window.start), as_microseconds(window.end)
    return rows.take((rows.event_times >= first) & (rows.event_times < last))


@dataclass(frozen=True, kw_only=True)
class SmallJudge:
    """A fitted baseline and its judge."""

    baseline: Baseline
    catalogue: Catalogue
    fit: ReferenceFit
    judge: Judge

    def traffic(self, rows: Predictions, number: int, **fields: Any) -> WindowTraffic:
        """The traffic of a day: those of the rows that are of it, with their labels."""
        window = day(number)
        first, mine = as_microseconds(window.start), _within(rows, window)
        aggregator = self.judge.aggregator()
        for batch in in_batches(mine):
            aggregator.add_with_labels(batch, first)
        sums = aggregator.result(no_predictions(SPEC))
        answered, labelled = sums.answered, sums.labelled
        batches = RowsAgain(rows=mine, others=rows)
        return WindowTraffic(window=window, answered=answered, labelled=labelled, batches=batches, **fields)

    def run(self, traffic: Sequence[WindowTraffic], state: JudgeState | None = None) -> list[Judgement]:
        """Judge windows one after the other."""
        found: list[Judgement] = []
        state = JudgeState() if state is None else state
        for window in traffic:
            found.append(self.judge.judge(state, window))
            state = found[-1].state
        return found


@cache
def small_judge(
    slices: tuple[str, ...] = ("origin",), *, pages: str = "1 per 365 windows", calendar: EventCalendar = NO_EVENTS
) -> SmallJudge:
    """The judge of a baseline of `BASELINE_DAYS` days; made once for each choice."""
    reference = rows_of_days(0, BASELINE_DAYS, seed=1)
    bins = fit_bins(reference, SPEC)
    baseline = Baseline(spec=SPEC, bins=bins, profile=profile(reference, bins), rows=InMemoryReference(reference))
    watched = catalogue(baseline, slices)
    plan = replace(PLAN, events=calendar)
    fit = fit_reference(
        baseline,
        watched,
        plan=plan,
        budgets={"page": Budget.parse(pages), "notice": Budget.parse("1 per 30 windows")},
        tolerances=Tolerances(error=0.02, brier=0.0, integrity=0.02),
        horizon=HORIZON,
    )
    judge = Judge(
        watched,
        fit,
        timezone="UTC",
        phases=plan.phases,
        calendar=calendar,
        input_check=InputCheck(bins, no_schema, min_rows=MIN_ROWS),
    )
    return SmallJudge(baseline=baseline, catalogue=watched, fit=fit, judge=judge)
