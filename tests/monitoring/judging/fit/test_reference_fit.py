from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Profile
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.errors import BadInput
from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.conformal import MIN_WINDOWS, ConformalTest
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.evidence.sensitivity import smallest_detectable_harms
from monitoring.judging.facts.fact_limits import FactLimits
from monitoring.judging.fit.baseline_sums import POOLED_WINDOWS
from monitoring.judging.fit.harms import harms_of
from monitoring.judging.fit.reference_fit import ReferenceFit, _label_arrival, fit_reference, in_level
from monitoring.judging.fit.tolerances import Tolerances
from monitoring.records import LEVELS, SCORE_ONE, ScoreSum, Watch, WatchKey
from monitoring.tasks.task import NO_LABEL
from monitoring.watches.catalogue import catalogue
from tests.monitoring.judging.small_judge import (
    BASELINE_DAYS,
    HORIZON,
    PLAN,
    SPEC,
    rows_of_days,
    small_judge,
    with_feature,
)

ERROR = WatchKey(watch="error")


def fitted(rows: Predictions, *, horizon: timedelta = HORIZON, slices: tuple[str, ...] = ()) -> ReferenceFit:
    bins = small_judge().baseline.bins
    baseline = Baseline(spec=SPEC, bins=bins, profile=profile(rows, bins), rows=InMemoryReference(rows))
    return fit_reference(
        baseline,
        catalogue(baseline, slices),
        plan=PLAN,
        budgets={"page": Budget.parse("1 per 365 windows"), "notice": Budget.parse("1 per 30 windows")},
        tolerances=Tolerances(error=0.02, brier=0.0, integrity=0.02),
        horizon=horizon,
    )


def test_each_watch_is_tested_at_its_level_and_estimates_at_both() -> None:
    judge = small_judge()
    for level in LEVELS:
        tested = {key.watch for key in judge.fit.tests[level].tests}
        assert tested == {
            name
            for name, watch in judge.catalogue.watches.items()
            if watch.level == level or watch.family == "estimates"
        }
        assert all(in_level(judge.catalogue.watches[name], level) for name in tested)


def test_the_shares_of_each_level_sum_to_one() -> None:
    for level in LEVELS:
        assert sum(small_judge().fit.tests[level].shares.values()) == pytest.approx(1.0)


def test_a_test_has_the_mean_of_the_baselines_windows_behind_it() -> None:
    fit = small_judge().fit
    assert fit.means[ERROR].size == BASELINE_DAYS
    assert fit.tests["page"].tests[ERROR].mean == pytest.approx(fit.means[ERROR].mean())


def test_the_baselines_scores_are_told_once_each_in_their_own_unit() -> None:
    fit = small_judge().fit
    scores = fit.baseline_scores()
    keys = [(one.watch, one.slice) for one in scores]
    assert len(set(keys)) == len(keys)
    assert {WatchKey(watch=watch, slice=part) for watch, part in keys} == set(fit.means)
    surprise = next(one for one in scores if (one.watch, one.slice) == ("surprise_error", ""))
    assert abs(surprise.mean) < 0.05
    assert surprise.tolerance == pytest.approx(0.02)
    assert surprise.windows == BASELINE_DAYS


def test_the_losses_of_the_baseline_are_over_all_its_labelled_rows() -> None:
    judge = small_judge()
    rows = judge.baseline.reference
    assert judge.fit.losses[ERROR].rows == int((rows.labels != NO_LABEL).sum())
    parts = [judge.fit.losses[WatchKey(watch="error", slice=f"origin={name}")] for name in ("EWR", "JFK")]
    assert sum(part.total for part in parts) == judge.fit.losses[ERROR].total


@pytest.mark.parametrize(("horizon", "rate"), [(HORIZON, 0.98), (timedelta(hours=1), 0.0)])
def test_the_label_rate_is_the_share_of_rows_labelled_within_the_horizon(horizon: timedelta, rate: float) -> None:
    rows = rows_of_days(0, 30, seed=2)
    assert fitted(rows, horizon=horizon).label_rate == pytest.approx(rate, abs=0.01)


def test_the_longest_time_between_labels_is_known_where_labels_have_delays() -> None:
    rows = rows_of_days(0, 30, seed=2)
    labelled = np.sort(rows.label_times[rows.labels != NO_LABEL])
    assert fitted(rows).label_gap == int(np.diff(labelled).max())
    assert fitted(replace(rows, label_times=rows.event_times)).label_gap is None


def test_one_label_alone_has_no_time_between_labels() -> None:
    rows = rows_of_days(0, 30, seed=2)
    alone = np.where(np.arange(len(rows)) == np.flatnonzero(rows.labels != NO_LABEL)[0], rows.labels, NO_LABEL)
    found = _label_arrival(replace(rows, labels=alone), HORIZON)
    assert (len(found["label_delays"]) > 0, found["label_gap"]) == (True, None)


def test_a_baseline_without_labels_has_no_losses_and_no_estimates() -> None:
    rows = rows_of_days(0, 30, seed=2)
    fit = fitted(replace(rows, labels=np.full(len(rows), NO_LABEL)))
    assert fit.estimator is None
    assert ERROR not in fit.means
    assert harms_of(fit) == ()


def with_rare_origin(rows: Predictions, every: int) -> Predictions:
    """The same rows, one in `every` of another origin."""
    origin = np.array(rows.features["origin"].to_pylist(), dtype=object)
    origin[::every] = "LGA"
    return with_feature(rows, "origin", pa.array(origin, pa.string()))


def test_a_slice_with_too_few_rows_for_five_windows_is_left_out_and_named() -> None:
    fit = fitted(with_rare_origin(rows_of_days(0, 30, seed=2), 45), slices=("origin",))
    left_out = {key for key in fit.unfitted if key.slice}
    assert left_out == {key for key in left_out if key.slice == "origin=LGA"} != set()
    assert WatchKey(watch="error", slice="origin=JFK") in fit.means


def test_a_rare_slice_is_judged_on_as_few_rows_as_give_it_thirty_windows() -> None:
    fit = fitted(with_rare_origin(rows_of_days(0, 90, seed=2), 10), slices=("origin",))
    rare, test = WatchKey(watch="error", slice="origin=LGA"), fit.tests["page"]
    assert fit.means[rare].size >= 0.8 * POOLED_WINDOWS
    assert (test.rows_needed(rare), test.rows_needed(ERROR)) == (17, 20)
    assert not [key for key in fit.unfitted if key.slice]


def test_a_baseline_of_too_few_windows_is_an_error_that_says_how_many_are_needed() -> None:
    rows = rows_of_days(0, MIN_WINDOWS - 1, seed=2)
    with pytest.raises(BadInput, match="no watch has enough windows") as caught:
        fitted(replace(rows, label_times=rows.event_times))
    assert f"at least {MIN_WINDOWS} windows" in str(caught.value)
    assert f"{len(rows)} rows in {MIN_WINDOWS - 1} windows, small ones pooled to 20 rows" in str(caught.value)


def test_the_smallest_number_of_windows_is_enough() -> None:
    assert fitted(rows_of_days(0, MIN_WINDOWS, seed=2)).means[WatchKey(watch="output:late")].size == MIN_WINDOWS


def test_the_order_of_the_baselines_rows_does_not_change_the_fit() -> None:
    rows = rows_of_days(0, 20, seed=2)
    shuffled = rows.take(np.random.default_rng(0).permutation(len(rows)))
    one, two = fitted(rows), fitted(shuffled)
    assert one.baseline_scores() == two.baseline_scores()
    assert one.tests["page"].tests == two.tests["page"].tests


ROWS, SHARE, WINDOWS = 1_000, 0.25, 90
WHOLE, WIDE, THIN = "", "origin=EWR", "origin=LGA"
WATCHES = {"error": Watch(name="error", family="performance", level="page", needs_label=True)}


def error(part: str) -> WatchKey:
    return WatchKey(watch="error", slice=part)


def windows_of(rng: np.random.Generator, count: int, *, rise: float = 0.0) -> dict[WatchKey, np.ndarray]:
    """Error rates, [count], of a quarter of the rows, on which it may be higher, and of all."""
    mine = rng.binomial(int(ROWS * SHARE), 0.2 + rise, count)
    rest = rng.binomial(int(ROWS * (1 - SHARE)), 0.2, count)
    return {error(WIDE): mine / (ROWS * SHARE), error(WHOLE): (mine + rest) / ROWS}


@pytest.fixture(scope="module")
def reference_fit() -> ReferenceFit:
    means = windows_of(np.random.default_rng(0), WINDOWS)
    means[error(THIN)] = np.random.default_rng(1).normal(0.2, 0.01, WINDOWS // 3)
    tests = {key: ConformalTest.fit(scores, tolerance=0.0, direction="up", ar1=0.0) for key, scores in means.items()}
    level = LevelTest(
        level="page", budget=Budget.parse("1 per 365 windows"), tests=tests, shares=weights(tests), min_rows=1
    )
    rows = {error(WHOLE): ROWS, error(WIDE): int(ROWS * SHARE), error(THIN): 50}
    return ReferenceFit(
        tests={"page": level},
        means=means,
        watches=WATCHES,
        tolerances=Tolerances(error=0.0, brier=0.0, integrity=0.01),
        facts=FactLimits(threshold=365.0),
        profile=Profile(rows=0, features=()),
        losses={key: ScoreSum(count * WINDOWS, 0) for key, count in rows.items()},
        horizon=timedelta(days=7),
    )


def test_a_rise_on_one_slice_shifts_the_whole_by_its_share_and_small_slices_are_left_out(
    reference_fit: ReferenceFit,
) -> None:
    everywhere, alone = harms_of(reference_fit)
    assert (everywhere.slice, dict(everywhere.score_shifts)) == ("", {error(WHOLE): 1.0})
    assert (alone.slice, dict(alone.score_shifts)) == (WIDE, {error(WHOLE): SHARE, error(WIDE): 1.0})


def test_the_smallest_detectable_rise_on_a_slice_is_detected_in_time(reference_fit: ReferenceFit) -> None:
    level = reference_fit.tests["page"]
    found = smallest_detectable_harms(level, reference_fit.means, harms_of(reference_fit), np.random.default_rng(2))
    (thirty,) = (one for one in found if (one.slice, one.windows) == (WIDE, 30))
    assert thirty.rise is not None
    in_time = 0
    for seed in range(60):
        stream = windows_of(np.random.default_rng([3, seed]), 30, rise=thirty.rise)
        state = LevelState()
        for window in range(30):
            sums = {key: ScoreSum(ROWS, round(scores[window] * ROWS * SCORE_ONE)) for key, scores in stream.items()}
            state, reading = level.step(state, sums)
            if reading.alarm:
                in_time += 1
                break
    assert in_time >= 45  # simulated from one baseline to be nine in ten
