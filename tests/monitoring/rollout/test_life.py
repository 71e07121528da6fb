"""What a look at the evidence leads to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitoring.config.rollout_section import DecideSection
from monitoring.errors import BadInput
from monitoring.records import RolloutGuard, RolloutInterval, RolloutRecord, RolloutResult, StillNeeded
from monitoring.rollout.life import WEEK, check_goes_on, ended, next_step, promise_kept, undecided_text
from tests.monitoring.rollout.records import START, promised, result_of, rollout

DAY = timedelta(days=1)
ASK = DecideSection(rollback="ask")
AUTO = DecideSection(promote="auto")
EARLY, LATE = START + 5 * DAY, START + 61 * DAY


_BETTER = RolloutInterval(mean=-0.03, low=-0.04, high=-0.02, verdict="better")


def watched(**values: object) -> RolloutRecord:
    return rollout(mode="watch", **values)


def test_a_better_candidate_waits_for_a_person_or_is_promoted() -> None:
    better = result_of("better", promotable=True)
    step = next_step(rollout(), better, ASK, EARLY)
    assert (step.record.state, step.do, [event.kind for event in step.events]) == ("decided", "", ["decided"])
    assert "may be promoted" in step.events[0].text
    again = next_step(step.record, better, ASK, EARLY + DAY)
    assert (again.record.state, again.events) == ("decided", ())
    assert next_step(rollout(), better, AUTO, EARLY).do == "", "three days are no week"
    last = replace(better.windows[-1], end=better.windows[0].start + WEEK)
    week = replace(better, windows=(*better.windows, last))
    assert next_step(rollout(), week, AUTO, EARLY).do == "promote"


def test_a_candidate_that_waits_for_a_person_is_not_given_up() -> None:
    decided = rollout(state="decided")
    assert next_step(decided, result_of("can't tell yet"), ASK, LATE).record.state == "decided"


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (result_of("worse"), "Version 43 is worse: its error rate differs by +0.0300"),
        (
            result_of(
                "can't tell yet",
                harmful=True,
                guards=(
                    RolloutGuard(
                        name="origin=JFK",
                        interval=RolloutInterval(mean=0.4, low=0.3, high=0.5, verdict="worse"),
                        limit=0.02,
                        rows=500,
                        passes=False,
                    ),
                ),
            ),
            "does harm by origin=JFK",
        ),
        (result_of("no difference that matters"), "does not differ by what matters"),
    ],
)
def test_one_that_is_not_what_is_required_is_stopped(found: RolloutResult, text: str) -> None:
    step = next_step(rollout(), found, AUTO, EARLY)
    assert (step.record.state, step.record.ended_at, step.do) == ("stopped", EARLY, "")
    assert text in step.events[0].text
    assert "version 42 stays" in step.events[0].text


def test_harm_that_days_do_not_show_yet_ends_a_split_and_no_shadow() -> None:
    found = result_of("can't tell yet", harmful=True)
    assert next_step(rollout(), found, AUTO, EARLY).record.state == "running"
    step = next_step(rollout(mode="split"), found, AUTO, EARLY)
    assert step.record.state == "stopped"
    assert "does harm by its guards together" in step.events[0].text


def test_no_difference_goes_on_where_not_worse_is_enough_until_its_guards_pass() -> None:
    found = replace(result_of("no difference that matters"), require="not worse")
    assert next_step(rollout(), found, AUTO, EARLY).record.state == "running"


def test_nothing_decided_ends_in_time_and_the_champion_stays() -> None:
    found = result_of("can't tell yet")
    assert next_step(rollout(), found, AUTO, EARLY).events == ()
    step = next_step(rollout(), found, AUTO, LATE)
    assert (step.record.state, step.do) == ("gave up", "")
    assert "version 42 stays" in step.events[0].text


def test_an_obstacle_decides_nothing_and_gives_up_in_time() -> None:
    found = replace(result_of("better"), obstacles=("Its share is too small.",))
    assert next_step(rollout(), found, AUTO, EARLY).record.state == "running"
    assert "Its share is too small. Version 42 stays." in next_step(rollout(), found, AUTO, LATE).events[0].text


def test_a_promotion_that_does_harm_is_taken_back_or_a_person_is_told_once() -> None:
    for harm in (result_of("worse"), result_of("can't tell yet", harmful=True)):
        assert next_step(watched(), harm, AUTO, EARLY).do == "roll back"
        step = next_step(watched(), harm, ASK, EARLY)
        assert (step.record.state, step.do) == ("decided", "")
        assert "pitfalls rollout rollback" in step.events[0].text
        assert next_step(step.record, harm, ASK, EARLY).events == ()


def test_an_obstacle_takes_nothing_back() -> None:
    found = replace(result_of("worse", harmful=True), obstacles=("The log is gone.",))
    assert next_step(watched(), found, AUTO, EARLY).do == ""


def test_a_promotion_is_watched_for_its_time() -> None:
    good = result_of("no difference that matters")
    assert next_step(watched(), good, AUTO, START + 13 * DAY).record.state == "running"
    step = next_step(watched(), good, AUTO, START + 14 * DAY)
    assert (step.record.state, step.events[0].kind) == ("finished", "finished")


def test_a_promise_is_kept_for_the_largest_difference_below_the_one_found() -> None:
    plan = promised((-0.05, "better", 3.0), (-0.02, "better", 8.0), (-0.01, "better", None), (0.0, "worse", 1.0))
    record = rollout(plan=plan, result=result_of("better"))
    assert promise_kept(record, EARLY) == (5.0, 8.0, True)
    assert promise_kept(record, START + 9 * DAY) == (9.0, 8.0, False)
    assert promise_kept(rollout(plan=promised((-0.01, "better", None)), result=result_of("better")), EARLY) is None
    assert promise_kept(rollout(result=result_of("better")), EARLY) is None
    step = next_step(rollout(plan=plan), result_of("better", promotable=True), ASK, START + 9 * DAY)
    assert "8 were promised, which is late" in step.events[0].text


def test_what_has_ended_stays_ended() -> None:
    check_goes_on(rollout())
    step = ended(rollout(number=7), "stopped", EARLY, "Ana", "Enough.")
    with pytest.raises(BadInput, match=r"rollout 7, stopped on"):
        check_goes_on(step.record)


FEW_DAYS = "How much days differ is known from 6 days with rows on; there are 3."
WAITING = StillNeeded(rows=9_000, labels=700, windows=12, days=12.4)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"obstacles": ("No rows.",)}, "No rows."),
        ({"reasons": (FEW_DAYS,)}, FEW_DAYS),
        ({"dispersion": 14.6}, "may lie from -0.1000 to +0.1000 and 0.005 either way matters: days differ 14.6 times"),
        ({"dispersion": 1.0, "needed": WAITING}, "3,000 rows are few for so small a difference; at this rate it takes"),
        ({"at_random": _BETTER, "missing": 40}, ": 40 rows that need a label have none"),
    ],
)
def test_one_sentence_says_what_keeps_a_result_from_a_verdict(changes: dict[str, Any], expected: str) -> None:
    assert expected in undecided_text(result_of("can't tell yet", **changes))
    assert undecided_text(result_of("better", **changes)) == ""
