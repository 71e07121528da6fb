from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import Predictions
from monitoring.evidence.level import LevelState
from monitoring.incidents.life_cycle import begin_recovery
from monitoring.judging.facts.gross_failures import CONTRADICTED, MISSING
from monitoring.judging.incident_tracker import IncidentTracker, TrackedIncidents
from monitoring.judging.level_evidence import LevelEvidence, step_excluding
from monitoring.judging.window.label_findings import UNKNOWN_LABELS
from monitoring.judging.window_scorer import ScoredWindow, ScoringState
from monitoring.records import (
    FACT_WATCH,
    LEVELS,
    SCORE_ONE,
    Finding,
    IncidentEvent,
    IncidentRecord,
    Level,
    ScoreSum,
    WatchKey,
)
from monitoring.sentences.incident_text import incident_text
from monitoring.tasks.task import NO_LABEL
from monitoring.timestamps import as_microseconds
from monitoring.watches.early_labels import COMPLETE
from tests.incident_words import worded
from tests.monitoring.judging.small_judge import (
    BASELINE_DAYS,
    DAY_US,
    MIN_ROWS,
    PLAN,
    ROWS_A_DAY,
    START,
    day,
    rows_of_days,
    small_judge,
    with_feature,
)

FIRST = BASELINE_DAYS
GONE = Finding(kind="column gone", feature="temp", message="The input temp is absent.", fact=True)


def tracker() -> IncidentTracker:
    judge = small_judge()
    return IncidentTracker(judge.catalogue, judge.fit, timezone="UTC", phases=PLAN.phases)


def scored(number: int, *, seed: int = 1, wrong: bool = False, rows: int = ROWS_A_DAY) -> ScoredWindow:
    """A day of sound rows, or of rows half of whose labels are drawn by one minus the answer."""
    judge = small_judge()
    live = rows_of_days(FIRST + number, 1, seed=seed)
    if wrong:
        turned = rows_of_days(FIRST + number, 1, seed=seed, wrong_from=FIRST)
        live = replace(live, labels=np.where(np.arange(len(live)) % 2, live.labels, turned.labels))
    state = ScoringState(early_labels=COMPLETE)
    return judge.judge.scorer.score(state, judge.traffic(live.take(np.arange(rows)), FIRST + number))


def stepped(windows: Sequence[ScoredWindow]) -> dict[Level, LevelEvidence]:
    found: dict[Level, LevelEvidence] = {}
    for level in LEVELS:
        test, state = small_judge().fit.tests[level], LevelState()
        for window in windows:
            found[level] = step_excluding(test, state, window.sums, frozenset(), window.phases)
            state = found[level].state
    return found


def tracked(
    windows: Sequence[ScoredWindow], incidents: Sequence[IncidentRecord] = (), *, first_number: int = 1
) -> TrackedIncidents:
    """The incidents after the last of some windows, which no incident was tracked through before."""
    history = [one.window for one in small_judge().run([window.traffic for window in windows])]
    return tracker().track(incidents, stepped(windows), windows[-1], history, first_number=first_number)


def incident(watch: str, part: str = "", *, level: Level = "page", number: int = 1) -> IncidentRecord:
    test = small_judge().fit.tests[level].tests.get(WatchKey(watch=watch, slice=part))
    opened = day(FIRST - 1)
    return IncidentRecord(
        number=number,
        level=level,
        state="open",
        opened_at=opened.end,
        window_start=opened.start,
        window_end=opened.end,
        watch=watch,
        slice=part,
        diagnoses=worded("column gone", watch=watch, slice_=part),
        recovery="0" if test is None else begin_recovery(test, 0.2, 0.0),
        history=(IncidentEvent(at=opened.end, state="open"),),
    )


def alarming(level: Level = "page") -> list[ScoredWindow]:
    """Windows of a wrong model up to the first at which the level alarms."""
    windows: list[ScoredWindow] = []
    for number in range(30):
        windows.append(scored(number, seed=number + 10, wrong=True))
        if stepped(windows)[level].reading.alarm:
            return windows
    pytest.fail("the level does not alarm")


WRONG = alarming()


def test_an_alarm_opens_an_incident_with_its_cause_and_the_rows_to_look_at() -> None:
    found = tracked(WRONG, first_number=7)
    [opened] = found.incidents
    assert found.changed == found.incidents
    assert (found.opened, opened.number, opened.level, opened.state) == (1, 7, "page", "open")
    assert opened.detail.split is not None
    scores = [row.score for row in opened.detail.rows]
    assert scores == sorted(scores, reverse=True)
    last = FIRST + len(WRONG) - 1
    assert {row.prediction_id.split("-")[0] for row in opened.detail.rows} == {str(last)}
    assert (opened.window_start, opened.opened_at) == (day(last).start, day(last).end)
    assert [event.state for event in opened.history] == ["open"]


def test_after_an_alarm_the_level_starts_again_from_the_level_that_was_reached() -> None:
    levels = tracked(WRONG).levels
    assert levels["page"].windows == 0
    assert levels["page"].offsets[WatchKey(watch="error")] > 0.0
    assert not levels["notice"].offsets


def test_windows_without_an_alarm_open_nothing_and_leave_the_levels_as_they_are() -> None:
    windows = [scored(0), scored(1, seed=2)]
    found = tracked(windows)
    assert (found.incidents, found.changed, found.opened) == ((), (), 0)
    assert found.levels == {level: one.state for level, one in stepped(windows).items()}


def test_an_alarm_about_the_harm_of_an_open_incident_makes_that_worse() -> None:
    found = tracked(WRONG, [incident("brier")])
    assert found.opened == 0
    [after] = found.incidents
    assert [event.state for event in after.history][-1] == "worse"


LONG_AGO = day(FIRST - 30)


@pytest.mark.parametrize(
    "other",
    [
        replace(incident(FACT_WATCH, "temp"), window_start=LONG_AGO.start, window_end=LONG_AGO.end),
        incident("missing:temp"),
    ],
)
def test_an_alarm_about_another_harm_opens_an_incident_beside_the_open_one(other: IncidentRecord) -> None:
    found = tracked(WRONG, [other], first_number=2)
    assert [one.number for one in found.incidents] == [1, 2]
    assert found.opened == 1


def test_facts_are_opened_before_alarms() -> None:
    windows = [*WRONG[:-1], replace(WRONG[-1], findings=(GONE,))]
    found = tracked(windows)
    assert [one.number for one in found.incidents] == [1, 2]
    assert [one.watch == FACT_WATCH for one in found.incidents] == [True, False]


@pytest.mark.parametrize(("watch", "incidents"), [("missing:temp", 1), ("error", 2)])
def test_a_gross_failure_that_an_open_page_of_its_watch_tells_opens_no_other(watch: str, incidents: int) -> None:
    many = Finding(kind=MISSING, feature="temp", message="26 % of 60 values of temp are missing.", fact=True)
    after = tracked([replace(scored(0), findings=(many,))], [incident(watch)], first_number=2)
    assert len(after.incidents) == incidents


@pytest.mark.parametrize(("of_no_class", "incidents"), [(ROWS_A_DAY, 1), (0, 2)])
def test_labels_that_contradict_answers_as_they_are_of_no_class_open_no_incident_of_their_own(
    of_no_class: int, incidents: int
) -> None:
    kinds = (UNKNOWN_LABELS, CONTRADICTED)
    facts = tuple(Finding(kind=kind, feature="labels", message="", fact=True) for kind in kinds)
    window = scored(0, wrong=True)
    sums = {**window.sums, WatchKey(watch="error"): ScoreSum(ROWS_A_DAY, ROWS_A_DAY * SCORE_ONE)}
    window = replace(window, sums=sums, traffic=replace(window.traffic, labels_of_no_class=of_no_class))
    history = [judged.window for judged in small_judge().run([window.traffic])]
    after = tracker().track((), stepped([window]), replace(window, findings=facts), history, first_number=1)
    assert len(after.incidents) == incidents


def test_an_incident_recovers_as_its_watch_comes_back_and_is_closed() -> None:
    current, states = incident("error"), ["open"]
    while states[-1] != "closed" and len(states) < 40:
        found = tracked([scored(len(states) - 1, seed=len(states))], [current])
        [current] = found.changed
        states.append(current.state)
        assert found.incidents == (() if current.state == "closed" else (current,))
    assert states[1] == "open"
    assert states[-1] == "closed"
    assert current.closed_at == day(FIRST + len(states) - 2).end


def test_an_incident_stays_open_while_the_harm_lasts() -> None:
    [current] = [incident("error")]
    for number in range(1, 15):
        window = scored(number, seed=number + 10, wrong=True)
        [current] = tracked([window], [current]).incidents
    assert current.state in ("open", "worse")


def test_a_window_with_too_few_rows_does_not_move_an_incident() -> None:
    before = incident("error")
    found = tracked([scored(0, rows=MIN_ROWS - 1)], [before])
    assert (found.incidents, found.changed) == ((before,), ())


@pytest.mark.parametrize(("rows", "state"), [(ROWS_A_DAY, "recovering"), (MIN_ROWS - 1, "open")])
def test_a_fact_is_over_only_where_there_are_rows_enough_to_see_it(rows: int, state: str) -> None:
    [after] = tracked([scored(1, seed=3, rows=rows)], [incident(FACT_WATCH, "temp")]).incidents
    assert after.state == state


def test_levels_that_start_anew_stand_where_the_open_incidents_have_brought_them() -> None:
    history = [one.window for one in small_judge().run([window.traffic for window in WRONG])]
    opened = replace(incident("error"), window_start=day(FIRST).start)
    offsets = tracker().rearmed(small_judge().fit.tests, [opened], history)
    assert offsets["page"][WatchKey(watch="error")] > 0.0
    assert tracker().rearmed(small_judge().fit.tests, [incident(FACT_WATCH, "temp")], history) == {
        "page": {},
        "notice": {},
    }


def test_an_alarm_of_estimates_while_labels_are_due_is_a_notice() -> None:
    judge = small_judge()
    windows = []
    for number in range(12):
        live = rows_of_days(FIRST + number, 1, seed=number)
        unsure = 0.5 + 0.2 * (live.probabilities - 0.5)
        labels = np.full(len(live), NO_LABEL) if number else live.labels
        live = replace(live, probabilities=unsure if number else live.probabilities, labels=labels)
        state = ScoringState(early_labels=COMPLETE)
        windows.append(judge.judge.scorer.score(state, judge.traffic(live, FIRST + number)))
        if stepped(windows)["page"].reading.alarm:
            break
    pages = [one for one in tracked(windows).incidents if one.level == "page"]
    notices = [one for one in tracked(windows).incidents if one.watch.startswith("estimated_")]
    assert pages == []
    assert [incident_text(one).cause.rpartition(": ")[2] for one in notices] == ["expected by the model, no labels yet"]


HARM = BASELINE_DAYS + 4


def changed_from_day(rows: Predictions, days: int, share: float) -> Predictions:
    """The rows with every label another than the answer for some days from `HARM` on, then a share of them."""
    number = (rows.event_times - as_microseconds(START)) // DAY_US
    chance = np.random.default_rng(3).random(len(rows))
    wrong = ((number >= HARM) & (number < HARM + days)) | ((number >= HARM + days) & (chance < share))
    known = rows.labels != NO_LABEL
    return replace(rows, labels=np.where(wrong & known, 1 - rows.probabilities.argmax(axis=1), rows.labels))


def opened(rows: Predictions, days: int) -> list[IncidentRecord]:
    """Pages as they were last seen, in the order in which they were opened."""
    judge = small_judge()
    found = judge.run([judge.traffic(rows, BASELINE_DAYS + day) for day in range(days)])
    pages = {one.number: one for step in found for one in step.changed if one.level == "page"}
    return list(pages.values())


def test_labels_that_contradict_the_answers_and_the_losses_that_rise_with_them_are_one_page() -> None:
    [page] = opened(changed_from_day(rows_of_days(BASELINE_DAYS, 12, seed=5), 12, 0.0), 12)
    assert (page.watch, page.slice, incident_text(page).cause) == ("schema", "labels", "labels contradict answers")
    evidence = incident_text(page).message.partition("Evidence of the watches: ")[2]
    assert "the model is overconfident" in evidence
    assert evidence.endswith(
        "the page closes after 3 windows without this finding and with its losses near the baseline."
    )
    assert incident_text(page).message.count("Next step: ") == 1
    assert page.detail.split is not None
    assert page.detail.rows


def test_a_fact_whose_losses_stay_high_is_not_over() -> None:
    [fact] = opened(changed_from_day(rows_of_days(BASELINE_DAYS, 30, seed=5), 4, 0.3), 30)
    assert (fact.watch, fact.state) == ("schema", "open")


def with_renamed_origin(rows: Predictions, share: float) -> Predictions:
    """The rows, all of origin JFK but for a share that is of EWR, which is written `ewr` from day `HARM` on."""
    number = (rows.event_times - as_microseconds(START)) // DAY_US
    rare = np.random.default_rng(4).random(len(rows)) < share
    origin = np.where(rare, np.where(number >= HARM, "ewr", "EWR"), "JFK").astype(object)
    return with_feature(rows, "origin", pa.array(origin, pa.string()))


def test_a_category_renamed_in_most_rows_is_a_fact_that_names_it() -> None:
    [page] = opened(with_renamed_origin(rows_of_days(BASELINE_DAYS, 8, seed=5), 0.5), 8)
    assert (page.watch, page.slice, incident_text(page).cause) == ("schema", "origin", "values renamed")
    assert incident_text(page).message.startswith("Values renamed: the category `EWR` of origin was renamed to `ewr`: ")


def test_a_category_renamed_in_few_rows_pages_by_itself() -> None:
    judge, rows = small_judge(), with_renamed_origin(rows_of_days(BASELINE_DAYS, 12, seed=5), 0.12)
    found = judge.run([judge.traffic(rows, BASELINE_DAYS + day) for day in range(12)])
    (page,) = [one for step in found for one in step.changed if one.fact == "values renamed" and one.state == "open"]
    assert (page.level, page.window_start) == ("page", found[6].window.start)  # of few rows the first two may be chance
    assert "the category `EWR` of origin was renamed to `ewr`" in incident_text(page).line
    assert not any(one.fact == "more values unseen" for step in found for one in step.changed)
    kinds = [{finding.kind for finding in step.window.findings} for step in found]
    assert ["values renamed" in each for each in kinds] == [False] * 4 + [True] * 8
