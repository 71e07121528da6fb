from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.incidents.alarm import Alarm
from monitoring.incidents.metric_change import loss_split, metric_change
from monitoring.records import MeasuredMetric, WatchKey
from tests.monitoring.incidents.alarms import alarm, baseline, windows

LOSSES = st.floats(0, 1)


@given(st.lists(st.tuples(LOSSES, st.floats(-1, 1)), min_size=1, max_size=20))
def test_the_change_of_a_loss_is_expected_change_plus_surprise(scores: list[tuple[float, float]]) -> None:
    brier, surprise = zip(*scores, strict=True)
    split = loss_split(alarm("brier", windows(brier=brier, surprise_brier=surprise)))
    assert split is not None
    assert split.change == pytest.approx(sum(brier) / len(brier) - 0.15, abs=1e-9)
    assert split.surprise == pytest.approx(sum(surprise) / len(surprise), abs=1e-9)


def test_an_alarm_of_surprise_is_split_as_the_loss_it_is_about() -> None:
    split = loss_split(alarm("surprise_brier", windows(brier=[0.4], surprise_brier=[0.3])))
    assert split is not None
    assert split.metric == "brier"
    assert split.difficulty == pytest.approx(-0.05)


def test_windows_with_one_of_both_scores_do_not_count() -> None:
    split = loss_split(alarm("brier", windows(brier=[0.9, 0.4], surprise_brier=[None, 0.2])))
    assert split is not None
    assert split.change == pytest.approx(0.25)


def test_what_is_no_loss_or_has_no_expectation_is_not_split() -> None:
    assert loss_split(alarm("missing:z", windows(missing__z=[0.2], brier=[0.4], surprise_brier=[0.3]))) is None
    assert loss_split(alarm("brier", windows(brier=[0.4]))) is None
    assert loss_split(alarm("error", windows(error=[0.4]))) is None
    alone = baseline(without=["surprise_brier"])
    assert loss_split(alarm("brier", windows(brier=[0.4], surprise_brier=[0.3]), against=alone)) is None


def test_an_alarm_of_a_ranking_loss_has_the_split_of_a_brier_score_that_rose() -> None:
    split = loss_split(alarm("rank:late", windows(rank__late=[0.6], brier=[0.4], surprise_brier=[0.3])))
    assert split is not None
    assert (split.metric, round(split.change, 6), round(split.surprise, 6)) == ("brier", 0.25, 0.3)
    assert loss_split(alarm("rank:late", windows(rank__late=[0.6], brier=[0.155], surprise_brier=[0.1]))) is None


def of_numbers(mean_absolute_errors: list[float]) -> Alarm:
    """An alarm of two windows of a predicted number, whose error counts up to 10."""
    shown = tuple(
        replace(
            one,
            scores=tuple(replace(score, watch="absolute_error") for score in one.scores),
            measured=(MeasuredMetric(metric="mean_absolute_error", rows=100, value=value, low=0.0, high=99.0),),
        )
        for one, value in zip(windows(error=[8.0, 6.0]), mean_absolute_errors, strict=True)
    )
    against = baseline()
    key = WatchKey(watch="absolute_error")
    score = replace(against.scores[WatchKey(watch="brier")], watch="absolute_error", mean=2.0)
    scores = {**against.scores, key: score}
    return alarm("brier", shown, against=replace(against, scores=scores, expected=lambda key, _: scores[key].mean))


@pytest.mark.parametrize(("shown", "now"), [([8.0, 6.0], 7.0), ([30.0, 6.0], 18.0)])
def test_a_change_of_errors_is_told_without_the_bound_up_to_which_they_count(shown: list[float], now: float) -> None:
    change = metric_change(of_numbers(shown), WatchKey(watch="absolute_error"))
    assert change is not None
    assert change.before == 2.0
    assert change.now == pytest.approx(now)
