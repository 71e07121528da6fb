from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.judging.fit.baseline_sums import BaselineSums, mean_scores, pooled_sums, sum_baseline
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey
from monitoring.tasks.task import NO_LABEL
from monitoring.watches import joint
from tests.monitoring.judging.small_judge import HORIZON, PLAN, ROWS_A_DAY, SPEC, START, rows_of_days, small_judge

ERROR, OUTPUT = WatchKey(watch="error"), WatchKey(watch="output:late")
SUMS = st.builds(lambda rows, score: ScoreSum(rows, rows * score), st.integers(0, 50), st.integers(0, SCORE_ONE))
WINDOWS = st.lists(st.one_of(st.just({}), SUMS.map(lambda total: {ERROR: total})), max_size=30)


def summed(rows: Predictions, *, horizon: timedelta = HORIZON) -> BaselineSums:
    judge = small_judge()
    bins = judge.baseline.bins
    baseline = Baseline(spec=SPEC, bins=bins, profile=profile(rows, bins), rows=InMemoryReference(rows))
    watched = replace(judge.catalogue, feature_space=None)
    return sum_baseline(baseline, watched, PLAN, reference=rows, witness=None, horizon=horizon)


@given(WINDOWS, st.integers(0, 60))
def test_pooled_sums_have_rows_enough_and_leave_out_only_the_last_ones(
    windows: list[Mapping[WatchKey, ScoreSum]], min_rows: int
) -> None:
    pooled, completed = pooled_sums(windows, ERROR, min_rows)
    assert all(total.rows >= max(min_rows, 1) for total in pooled)
    assert completed.tolist() == sorted(set(completed.tolist()))
    until = int(completed[-1]) + 1 if completed.size else 0
    whole = sum((window.get(ERROR, ScoreSum()) for window in windows[:until]), start=ScoreSum())
    assert sum(pooled, start=ScoreSum()) == whole
    left = sum(window[ERROR].rows for window in windows[until:] if ERROR in window)
    assert left < max(min_rows, 1)


def test_a_watch_without_a_sum_has_none() -> None:
    assert pooled_sums([{ERROR: ScoreSum(5, 0)}], OUTPUT, 1)[0] == ()


def test_mean_scores_are_per_row() -> None:
    assert mean_scores([ScoreSum(4, SCORE_ONE), ScoreSum(1, SCORE_ONE)]).tolist() == [0.25, 1.0]


def test_each_day_has_the_sums_of_its_rows_and_squares_of_their_scores() -> None:
    rows = rows_of_days(0, 5, seed=3)
    found = summed(replace(rows, label_times=rows.event_times))
    assert [(start - START).days for start in found.starts] == list(range(5))
    for number, (sums, squares) in enumerate(zip(found.sums, found.squares, strict=True)):
        answers = rows.probabilities[number * ROWS_A_DAY : (number + 1) * ROWS_A_DAY, 1]
        assert sums[OUTPUT].rows == squares[OUTPUT].rows == ROWS_A_DAY
        assert sums[OUTPUT].mean == pytest.approx(answers.mean(), abs=1e-8)
        assert squares[OUTPUT].mean == pytest.approx((answers**2).mean(), abs=1e-8)


def test_losses_are_summed_in_the_window_in_which_their_labels_arrived() -> None:
    rows = rows_of_days(0, 3, seed=4)
    later = replace(rows, label_times=rows.label_times + 2 * 86_400_000_000)
    found = summed(later)
    labels = [window[ERROR].rows if ERROR in window else 0 for window in found.sums]
    assert len(found.starts) == 6  # the labels of a day's last two hours arrive after midnight
    assert labels[:2] == [0, 0]
    assert all(count > 0 for count in labels[2:])
    assert sum(labels) == int((rows.labels != NO_LABEL).sum())


@pytest.mark.parametrize(("horizon", "share"), [(timedelta(days=7), 1.0), (timedelta(hours=1), 0.0)])
def test_labels_beyond_the_horizon_are_missing_in_the_label_coverage(horizon: timedelta, share: float) -> None:
    rows = rows_of_days(0, 1, seed=5)
    late = replace(rows, label_times=np.full(len(rows), int(rows.event_times.max()) + 3 * 3_600_000_000))
    coverage = WatchKey(watch="labelled:origin=EWR")
    found = next(window[coverage] for window in summed(late, horizon=horizon).sums if coverage in window)
    assert found.rows == share * int((rows.labels != NO_LABEL).sum())


def test_the_median_counts_the_watch_with_most_rows_of_each_window() -> None:
    windows: list[dict[WatchKey, ScoreSum]] = [
        {ERROR: ScoreSum(1, 0), OUTPUT: ScoreSum(10, 0)},
        {},
        {OUTPUT: ScoreSum(30, 0)},
        {ERROR: ScoreSum(20, 0)},
    ]
    assert BaselineSums(starts=(), sums=windows, squares=()).median_rows == 20
    assert BaselineSums(starts=(), sums=(), squares=()).median_rows == 1


def test_the_sampling_variance_is_that_of_a_rows_score_within_its_window() -> None:
    rng = np.random.default_rng(0)
    scores = [rng.random(400) * 0.5 + level for level in rng.normal(0.25, 0.05, 30)]
    sums = [{ERROR: ScoreSum(400, round(float(one.sum()) * SCORE_ONE))} for one in scores]
    squares = [{ERROR: ScoreSum(400, round(float((one**2).sum()) * SCORE_ONE))} for one in scores]
    windows = BaselineSums(starts=(), sums=sums, squares=squares)
    pooled, _ = pooled_sums(sums, ERROR, 400)
    assert windows.sampling_variance(ERROR, pooled, 400).row_variance == pytest.approx(0.25 / 12, rel=0.05)


def test_the_joint_watch_has_the_variance_of_ranks_over_the_sampled_rows() -> None:
    key = WatchKey(watch=joint.WATCH.name)
    windows = BaselineSums(starts=(), sums=(), squares=())
    found = windows.sampling_variance(key, [ScoreSum(10 * joint.SAMPLE, 0)] * 10, 20)
    assert (found.row_variance, found.reference_rows) == (joint.RANK_VARIANCE, joint.SAMPLE)
