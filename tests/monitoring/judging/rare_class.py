"""A deployment with a rare class: 2,000 rows a day, four in a thousand of them fraud, found by a calibrated score."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.evidence.budget import Budget
from monitoring.judging.fit.reference_fit import fit_reference
from monitoring.judging.fit.tolerances import Tolerances
from monitoring.judging.input_check import InputCheck
from monitoring.judging.judge import Judge
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import CalendarPlan
from monitoring.watches.catalogue import catalogue
from tests.monitoring.judging.small_judge import DAY_US, HORIZON, START, SmallJudge, no_schema

BASELINE_DAYS = 90
ROWS_A_DAY = 2000
SHARE = 0.004
#: How far the scores of fraud lie above the others', in standard deviations: .27 of fraud is in the top 1 % of scores.
SEPARATION = 1.72
SPEC = BaselineSpec(classes=("no", "fraud"), features=(FeatureSpec(name="amount", kind="number"),))
PLAN = CalendarPlan(every="1d", min_rows=200)


def fraud_days(first: int, days: int, *, seed: int, halved: bool = False, shift: float = 0.0) -> Predictions:
    """Rows whose probability of fraud is that of their label.

    Args:
        first: The first day; the baseline's are those before `BASELINE_DAYS`.
        days: How many days.
        seed: Seed of the randomness.
        halved: Whether half of the fraud in the top 1 % of scores has another row's score.
        shift: By how much the scores of all rows lie higher, with labels drawn by them.

    Returns:
        The rows; labels arrive two hours after them.
    """
    rng = np.random.default_rng(seed)
    count = days * ROWS_A_DAY
    fraud = rng.random(count) < SHARE
    score = rng.normal(shift, 1.0, count) + SEPARATION * fraud
    if shift:
        score = rng.normal(shift, 1.0, count)
    odds = np.exp(SEPARATION * score - SEPARATION**2 / 2.0) * SHARE / (1.0 - SHARE)
    probability = odds / (1.0 + odds)
    if shift:
        fraud = rng.random(count) < probability
    if halved:
        lost = fraud & (probability >= np.quantile(probability, 0.99)) & (rng.random(count) < 0.5)
        probability = np.where(lost, rng.permutation(probability), probability)
    number = np.repeat(np.arange(first, first + days), ROWS_A_DAY)
    times = as_microseconds(START) + number * DAY_US + np.tile(np.arange(ROWS_A_DAY), days) * (DAY_US // ROWS_A_DAY)
    return Predictions(
        ids=pa.array([f"{first}-{at}" for at in range(count)], pa.string()),
        event_times=times,
        features=pa.table({"amount": rng.normal(50.0, 10.0, count)}),
        probabilities=np.stack([1.0 - probability, probability], axis=1),
        labels=fraud.astype(np.int64),
        label_times=times + 2 * 3_600_000_000,
    )


@cache
def fraud_judge(class_slices: tuple[str, ...] = ()) -> SmallJudge:
    """The judge of a baseline of `BASELINE_DAYS` days; made once for each choice."""
    reference = fraud_days(0, BASELINE_DAYS, seed=2)
    bins = fit_bins(reference, SPEC)
    baseline = Baseline(spec=SPEC, bins=bins, profile=profile(reference, bins), rows=InMemoryReference(reference))
    watched = catalogue(baseline, (), class_slices)
    fit = fit_reference(
        baseline,
        watched,
        plan=PLAN,
        budgets={"page": Budget.parse("1 per 365 windows"), "notice": Budget.parse("1 per 30 windows")},
        tolerances=Tolerances(error=0.02, brier=None, integrity=0.02),
        horizon=HORIZON,
    )
    judge = Judge(
        watched,
        fit,
        timezone="UTC",
        phases=PLAN.phases,
        input_check=InputCheck(bins, no_schema, min_rows=PLAN.min_rows),
    )
    return SmallJudge(baseline=baseline, catalogue=watched, fit=fit, judge=judge)
