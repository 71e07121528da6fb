from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from monitoring.evidence.conformal import ConformalTest
from monitoring.incidents.cause import explain
from monitoring.incidents.life_cycle import (
    QUIET_WINDOWS,
    RecentScores,
    assessed_again,
    begin_recovery,
    step_fact_recovery,
    step_recovery,
    worsened,
)
from monitoring.records import CauseDetail, CauseRow, Diagnosis, Direction, IncidentRecord, Onset, Reassessment
from tests.monitoring.incidents.alarms import alarm, windows

MOMENT = datetime(2013, 4, 22, tzinfo=UTC)
TEST = ConformalTest.fit(np.random.default_rng(0).normal(0.16, 0.05, 90), tolerance=0.01)
RISE = 0.08
THRESHOLD = 30.0
LONG = 150.0


def incident(**changes: object) -> IncidentRecord:
    made = IncidentRecord(
        number=1,
        level="page",
        state="open",
        opened_at=MOMENT,
        window_start=MOMENT,
        window_end=MOMENT,
        watch="brier",
        slice="",
        recovery=begin_recovery(TEST, RISE),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the caller names fields of the record


def test_back_in_the_baseline_it_recovers_and_is_closed() -> None:
    states, current = [], incident()
    for _ in range(40):
        current = step_recovery(current, TEST, 0.15, threshold=THRESHOLD, now=MOMENT)
        states.append(current.state)
    assert states[0] == "open"
    assert [s for i, s in enumerate(states) if i == 0 or states[i - 1] != s] == ["open", "recovering", "closed"]
    assert current.closed_at == MOMENT


@pytest.mark.parametrize(("level", "recovers"), [(0.22, False), (0.15, True)])
def test_an_incident_whose_last_windows_are_as_bad_does_not_begin_to_recover(level: float, recovers: bool) -> None:
    """A step down in autocorrelated scores looks like a way back, while the level is far from the baseline."""
    slow = replace(TEST, ar1=0.9)
    current, scores = incident(recovery=begin_recovery(slow, RISE)), []
    for place in range(8):
        scores.append(level + 0.02 * (place % 2 == 0))
        recent = RecentScores(scores=tuple(scores), tolerance=0.01)
        current = step_recovery(current, slow, scores[-1], threshold=THRESHOLD, now=MOMENT, recent=recent)
    assert any(event.state == "recovering" for event in current.history) is recovers
    assert (current.state == "open") is not recovers


def test_an_acknowledged_incident_whose_recovery_fails_is_acknowledged_again() -> None:
    current = incident(acknowledged_at=MOMENT, state="acknowledged")
    for _ in range(12):
        current = step_recovery(current, TEST, 0.10, threshold=THRESHOLD, now=MOMENT)
        if current.state == "recovering":
            break
    assert current.state == "recovering"
    for _ in range(6):
        current = step_recovery(current, TEST, 0.35, threshold=THRESHOLD, now=MOMENT)
    assert current.state == "acknowledged"


def test_an_incident_that_is_worse_has_what_was_known_each_time_and_nobody_has_acknowledged_it() -> None:
    opened = incident(acknowledged_at=MOMENT, state="acknowledged")
    first, second = (explain(alarm("brier", windows(brier=[level]))).alarm for level in (0.4, 0.5))
    current = worsened(opened, recovery="r1", cause=first, now=MOMENT)
    assert (current.state, current.acknowledged_at, current.recovery) == ("worse", None, "r1")
    current = worsened(current, recovery="r2", cause=second, now=MOMENT + timedelta(days=1))
    added = tuple(Diagnosis(at=MOMENT + timedelta(days=day), cause=cause) for day, cause in enumerate((first, second)))
    assert current.diagnoses == (*opened.diagnoses, *added)


def test_while_the_harm_lasts_a_wrong_all_clear_comes_no_sooner_than_its_budget_says() -> None:
    rng = np.random.default_rng(7)
    boundary = TEST.mean + RISE / 2
    lengths = []
    for _ in range(200):
        current, windows = incident(), 0
        while current.state != "closed" and windows < 300:
            score = float(rng.normal(boundary, TEST.std))
            current = step_recovery(current, TEST, score, threshold=THRESHOLD, now=MOMENT)
            windows += 1
        lengths.append(windows)
    assert np.mean(lengths) + 3 * np.std(lengths) / np.sqrt(len(lengths)) >= THRESHOLD


def lengths_of_harm_that_lasts(test: ConformalTest, part: float) -> np.ndarray:
    """Windows to a wrong all-clear where scores keep around half of the harm, each remembering the one before."""
    rng = np.random.default_rng(9)
    boundary = test.mean + RISE / 2
    lengths = []
    for _ in range(60):
        current, windows, off = incident(recovery=begin_recovery(test, RISE)), 0, 0.0
        while current.state != "closed" and windows < 600:
            off = part * off + float(rng.normal(0.0, 0.05 * np.sqrt(1.0 - part**2)))
            current = step_recovery(current, test, boundary + off, threshold=LONG, now=MOMENT)
            windows += 1
        lengths.append(windows)
    return np.asarray(lengths)


def test_a_run_of_correlated_good_days_is_no_recovery() -> None:
    part = 0.7
    remembering = replace(TEST, ar1=part, innovation_std=TEST.std * np.sqrt(1.0 - part**2))
    lengths = lengths_of_harm_that_lasts(remembering, part)
    assert lengths.mean() + 3 * lengths.std() / np.sqrt(lengths.size) >= LONG
    assert lengths_of_harm_that_lasts(TEST, part).mean() < 0.9 * LONG


def test_back_at_the_baseline_incidents_are_closed_within_two_months_of_days() -> None:
    rng = np.random.default_rng(8)
    waits = []
    for _ in range(100):
        current, windows = incident(), 0
        while current.state != "closed" and windows < 200:
            score = float(rng.normal(TEST.mean, TEST.std))
            current = step_recovery(current, TEST, score, threshold=365.0, now=MOMENT)
            windows += 1
        waits.append(windows)
    assert np.median(waits) <= 60


@pytest.mark.parametrize("direction", ["up", "both"])
@pytest.mark.parametrize("rise", [0.3, 0.6, 0.99])
def test_of_a_huge_harm_time_is_no_recovery_and_its_end_is(direction: Direction, rise: float) -> None:
    # The last: every value of an input missing that never was, a hundred deviations above the boundary.
    test = ConformalTest.fit([0.0] * 60, tolerance=0.01, direction=direction, min_std=0.005)
    current = incident(recovery=begin_recovery(test, rise))
    for _ in range(2 * 365):
        current = step_recovery(current, test, rise, threshold=365.0, now=MOMENT)
        assert current.state == "open"
    windows = 0
    while current.state != "closed":
        current = step_recovery(current, test, 0.0, threshold=365.0, now=MOMENT)
        windows += 1
    assert windows <= 12


def test_a_closed_incident_stays_as_it_is() -> None:
    closed = incident(state="closed", closed_at=MOMENT)
    assert step_recovery(closed, TEST, 0.9, threshold=THRESHOLD, now=MOMENT) == closed
    assert step_fact_recovery(closed, is_present=True, now=MOMENT) == closed


@pytest.mark.parametrize("relapse", [False, True])
def test_a_fact_is_over_after_quiet_windows_in_a_row(relapse: bool) -> None:
    current = incident(watch="schema", slice="temp", recovery="0")
    for _ in range(QUIET_WINDOWS - 1):
        current = step_fact_recovery(current, is_present=False, now=MOMENT)
    assert current.state == "recovering"
    current = step_fact_recovery(current, is_present=relapse, now=MOMENT)
    assert current.state == ("open" if relapse else "closed")


def test_what_is_known_of_the_cause_by_now_takes_the_place_of_what_was_known_before() -> None:
    numbers = [explain(alarm("brier", windows(brier=[level]))) for level in (0.4, 0.41, 0.5, 0.6)]
    rows = (CauseRow(prediction_id="a", event_time=MOMENT, score=0.9),)
    opened = incident(diagnoses=(Diagnosis(at=MOMENT, cause=numbers[0].alarm),), detail=CauseDetail(rows=rows))
    again = [Reassessment(window=Onset(start=MOMENT + timedelta(days=day)), cause=numbers[day].alarm) for day in (1, 2)]
    once = assessed_again(opened, again[0], numbers[1].detail)
    twice = assessed_again(once, again[1], numbers[2].detail)
    assert [diagnosis.again for diagnosis in twice.diagnoses] == [again[1]]
    assert twice.detail == replace(numbers[2].detail, rows=rows)
    worse = worsened(twice, recovery="", cause=numbers[3].alarm, now=MOMENT)
    assert [diagnosis.again for diagnosis in assessed_again(worse, again[0], numbers[1].detail).diagnoses] == again[
        ::-1
    ]
