from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring.evidence.level import LevelState
from monitoring.incidents.life_cycle import begin_recovery
from monitoring.judging.incident_tracker import IncidentTracker
from monitoring.judging.level_evidence import LevelEvidence, step_excluding
from monitoring.judging.window_scorer import ScoredWindow, ScoringState
from monitoring.records import LEVELS, Finding, IncidentRecord, Level, ScoreSum, WatchKey, WindowRecord
from monitoring.watches.early_labels import COMPLETE
from tests.monitoring.judging.small_judge import (
    BASELINE_DAYS,
    MIN_ROWS,
    PLAN,
    ROWS_A_DAY,
    day,
    rows_of_days,
    small_judge,
)

FIRST = BASELINE_DAYS
GONE = Finding(kind="column gone", feature="temp", message="The input temp is absent.", fact=True)


def tracker() -> IncidentTracker:
    judge = small_judge()
    return IncidentTracker(judge.catalogue, judge.fit, timezone="UTC", phases=PLAN.phases)


def scored(number: int, *, seed: int = 1, wrong: bool = False) -> ScoredWindow:
    judge = small_judge()
    rows = rows_of_days(FIRST + number, 1, seed=seed, wrong_from=FIRST if wrong else None)
    state = ScoringState(early_labels=COMPLETE)
    return judge.judge.scorer.score(state, judge.traffic(rows, FIRST + number))


def stepped(windows: list[ScoredWindow]) -> dict[Level, LevelEvidence]:
    found: dict[Level, LevelEvidence] = {}
    for level in LEVELS:
        test, state = small_judge().fit.tests[level], LevelState()
        for window in windows:
            found[level] = step_excluding(test, state, window.sums, frozenset(), window.phases)
            state = found[level].state
    return found


def judged(windows: list[ScoredWindow]) -> list[WindowRecord]:
    return [one.window for one in small_judge().run([window.traffic for window in windows])]


def incident(watch: str, part: str = "", *, level: Level = "page", number: int = 1) -> IncidentRecord:
    test = small_judge().fit.tests[level].tests.get(WatchKey(watch=watch, slice=part))
    return IncidentRecord(
        number=number,
        level=level,
        state="open",
        opened_at=day(FIRST).end,
        window_start=day(FIRST).start,
        window_end=day(FIRST).end,
        watch=watch,
        slice=part,
        cause="",
        message="",
        recovery="0" if test is None else begin_recovery(test, 0.2),
    )


WRONG = [scored(number, seed=number + 10, wrong=True) for number in range(4)]


def test_an_alarm_opens_an_incident_with_its_cause_and_the_rows_to_look_at() -> None:
    [opened] = tracker().open(stepped(WRONG), WRONG[-1], judged(WRONG), current=(), first_number=7)
    assert (opened.number, opened.level, opened.state) == (7, "page", "open")
    assert opened.cause.startswith("the model is overconfident")
    assert opened.detail.split is not None
    scores = [row.score for row in opened.detail.rows]
    assert scores == sorted(scores, reverse=True)
    assert {row.prediction_id.split("-")[0] for row in opened.detail.rows} == {str(FIRST + 3)}
    assert (opened.window_start, opened.opened_at) == (day(FIRST + 3).start, day(FIRST + 3).end)


def test_no_alarm_opens_nothing() -> None:
    windows = [scored(0), scored(1, seed=2)]
    assert tracker().open(stepped(windows), windows[-1], judged(windows), current=(), first_number=1) == ()


@pytest.mark.parametrize(("watch", "opens"), [("error", 0), ("schema", 1)])
def test_a_level_with_an_open_alarm_opens_no_other_and_a_fact_is_no_alarm(watch: str, opens: int) -> None:
    current = (incident(watch, "temp" if watch == "schema" else ""),)
    found = tracker().open(stepped(WRONG), WRONG[-1], judged(WRONG), current=current, first_number=2)
    assert len(found) == opens


def test_facts_are_opened_before_alarms() -> None:
    window = replace(WRONG[-1], findings=(GONE,))
    found = tracker().open(stepped(WRONG), window, judged(WRONG), current=(), first_number=1)
    assert [(one.number, one.watch) for one in found] == [(1, "schema"), (2, found[1].watch)]
    assert found[1].watch != "schema"


def test_an_incident_recovers_as_its_watch_comes_back_and_is_closed() -> None:
    current, states = incident("error"), []
    for number in range(1, 40):
        [current] = tracker().advance([current], small_judge().fit.tests, scored(number, seed=number))
        states.append(current.state)
        if current.state == "closed":
            break
    assert states[0] == "open"
    assert states[-1] == "closed"
    assert current.closed_at == day(FIRST + len(states)).end


def test_an_incident_stays_open_while_the_harm_lasts() -> None:
    current = incident("error")
    for number in range(1, 20):
        [current] = tracker().advance([current], small_judge().fit.tests, scored(number, seed=number, wrong=True))
    assert current.state == "open"


def test_a_window_with_too_few_rows_of_the_watch_does_not_move_its_incident() -> None:
    before, window = incident("error"), scored(1)
    few = replace(window, sums={WatchKey(watch="error"): ScoreSum(MIN_ROWS - 1, 0)})
    assert tracker().advance([before], small_judge().fit.tests, few) == (before,)
    assert tracker().advance([before], small_judge().fit.tests, replace(window, sums={})) == (before,)


@pytest.mark.parametrize(("rows", "state"), [(ROWS_A_DAY, "recovering"), (MIN_ROWS - 1, "open")])
def test_a_fact_is_over_only_where_there_are_rows_enough_to_see_it(rows: int, state: str) -> None:
    judge, live = small_judge(), rows_of_days(FIRST + 1, 1, seed=3).take(np.arange(rows))
    window = judge.judge.scorer.score(ScoringState(early_labels=COMPLETE), judge.traffic(live, FIRST + 1))
    [after] = tracker().advance([incident("schema", "temp")], judge.fit.tests, window)
    assert after.state == state


def test_incidents_are_advanced_each_by_itself_and_in_their_order() -> None:
    keys = [("schema", "temp"), ("error", ""), ("brier", "origin=EWR")]
    current = [incident(watch, part, number=number) for number, (watch, part) in enumerate(keys, start=1)]
    tests, window = small_judge().fit.tests, scored(1)
    together = tracker().advance(current, tests, window)
    assert [one.number for one in together] == [1, 2, 3]
    assert together == tuple(tracker().advance([one], tests, window)[0] for one in current)
