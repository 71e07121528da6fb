from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.incidents.alarm import HISTORY, onset, score_of, since_onset
from monitoring.incidents.cause import explain
from monitoring.incidents.metric_change import departure
from monitoring.records import WatchKey
from tests.monitoring.incidents.alarms import FIRST, WATCHES, alarm, said, window, windows

BRIER = WatchKey(watch="brier")


def test_an_alarm_is_named_by_the_watch_with_the_largest_share() -> None:
    made = alarm("missing:z", windows(missing__z=[0.2]))
    assert made.key == WatchKey(watch="missing:z")
    assert made.share == 0.75
    assert made.watch is WATCHES["missing:z"]


def test_the_threshold_is_that_of_the_level_that_alarmed() -> None:
    assert alarm("brier", windows(brier=[0.2])).threshold == 365.0
    assert alarm("joint", windows(joint=[0.7])).threshold == 30.0


def test_the_excess_is_the_score_less_what_the_baseline_expects() -> None:
    made = alarm("brier", windows(brier=[0.25, None]))
    assert made.excess(made.windows[0], BRIER) == pytest.approx(0.1)
    assert made.excess(made.windows[1], BRIER) is None


def test_a_score_is_found_by_watch_and_slice() -> None:
    one = window(0, {"brier": 0.1, "brier@origin=EWR": 0.3})
    assert score_of(one, WatchKey(watch="brier", slice="origin=EWR")) == 0.3
    assert score_of(one, BRIER) == 0.1
    assert score_of(one, WatchKey(watch="error")) is None


def test_a_cause_has_the_watch_its_rise_and_its_numbers() -> None:
    found = alarm(
        "surprise_brier",
        windows(
            brier=[0.15] * 20 + [0.4] * 4,
            surprise_brier=[0.0] * 20 + [0.3] * 4,
            input__y__location=[0.0] * 20 + [0.2] * 4,
        ),
        notice={"input:y:location": 100.0},
    )
    cause = explain(found)
    assert cause.alarm.key == WatchKey(watch="surprise_brier")
    assert cause.rise == pytest.approx(0.3)
    assert cause.detail.split is not None
    assert cause.detail.split.change == pytest.approx(0.25)
    assert [move.input for move in cause.detail.inputs] == ["y"]
    assert not cause.detail.parts
    assert not cause.detail.rows


def test_the_numbers_are_those_since_the_onset_only() -> None:
    late = explain(alarm("brier", windows(brier=[0.15] * 30 + [0.4], surprise_brier=[0.0] * 30 + [0.2])))
    assert late.rise == pytest.approx(0.25)
    assert "0.400 since 1 May 2013 (100 rows)" in said(late).message


def test_the_same_alarm_has_the_same_cause() -> None:
    made = windows(brier=[0.15, 0.4, 0.5], surprise_brier=[0.0, 0.2, 0.3])
    assert explain(alarm("brier", made)) == explain(alarm("brier", made))


def test_the_mean_since_the_onset_is_compared_with_the_baseline() -> None:
    found = departure(alarm("brier", windows(brier=[0.25, 0.35])))
    assert found.level == pytest.approx(0.3)
    assert found.expected == 0.15
    assert found.change == pytest.approx(0.15)


def test_windows_without_a_score_do_not_count() -> None:
    found = departure(alarm("brier", windows(brier=[None, 0.25, None])))
    assert found.level == 0.25


def test_a_fall_has_a_negative_change() -> None:
    assert departure(alarm("input:x:location", windows(input__x__location=[0.2]))).change == pytest.approx(-0.3)


def test_without_any_score_nothing_has_changed() -> None:
    found = departure(alarm("brier", windows(brier=[None])))
    assert (found.level, found.expected, found.change) == (None, 0.15, 0.0)


@given(before=st.integers(0, 40), after=st.integers(1, 40))
def test_a_clean_step_begins_where_it_begins(before: int, after: int) -> None:
    found = alarm("brier", windows(brier=[0.15] * before + [0.35] * after))
    assert onset(found) == before


def test_a_change_begins_with_the_first_window_whose_rows_are_in_its_score() -> None:
    made = windows(brier=[0.15, None, 0.15, None, 0.35, None, 0.35])
    assert onset(alarm("brier", made)) == 3
    nothing = replace(made[3], scores=tuple(replace(score, rows=0) for score in made[3].scores))
    assert onset(alarm("brier", [*made[:3], nothing, *made[4:]])) == 4


def test_a_gap_of_label_coverage_is_told_from_the_day_of_the_rows_that_are_waited_for_no_more() -> None:
    made = alarm("labelled:score=high", windows(**{"labelled:score=high": [0.0] * 10 + [0.2] * 3}))
    waiting = replace(made, baseline=replace(made.baseline, horizon=timedelta(days=6, hours=1)))
    assert "since 11 April 2013 (300 rows)" in said(explain(made)).message
    assert "since 4 April 2013 (300 rows)" in said(explain(waiting)).message


@pytest.mark.parametrize(("top", "place"), [("brier", 4), ("output:late", 2)])
def test_only_a_two_sided_watch_can_have_fallen(top: str, place: int) -> None:
    name = top.replace(":", "__")
    base = 0.15 if top == "brier" else 0.0
    found = alarm(top, windows(**{name: [base, base, base - 0.3, base - 0.3, base + 0.1]}))
    assert onset(found) == place


def test_no_more_than_the_last_windows_are_searched() -> None:
    found = since_onset(alarm("brier", windows(brier=[0.35] * (HISTORY + 10))))
    assert len(found.windows) == HISTORY
    assert (found.windows[0].start - FIRST).days == 10


def test_the_window_that_alarmed_is_always_kept() -> None:
    found = since_onset(alarm("brier", windows(brier=[0.05, 0.05, 0.05])))
    assert found.windows[-1] == windows(brier=[0.05, 0.05, 0.05])[-1]
