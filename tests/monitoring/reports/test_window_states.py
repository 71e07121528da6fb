from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitoring.records import RunRecord, WindowAttempt, WindowRecord, WindowRevision
from monitoring.reports.window_states import JudgingHistory, WindowState, window_states
from monitoring.traffic.windows import CalendarPlan, RowPlan

DAY = timedelta(days=1)
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
PLAN = CalendarPlan(every="1d", lateness=timedelta(hours=6))
NOW = FIRST + 5 * DAY + timedelta(hours=7)

OK = WindowRecord(
    start=FIRST,
    end=FIRST + DAY,
    rows=900,
    labels=90,
    labels_due=100,
    labels_unknown=0,
    repeats=0,
    status="ok",
    page_log_evidence=0.0,
    notice_log_evidence=0.0,
)
THIN = replace(OK, start=FIRST + DAY, end=FIRST + 2 * DAY, rows=3, status="thin")
ENDED = RunRecord(started_at=FIRST, ended_at=FIRST + DAY)
FAILED = RunRecord(started_at=FIRST + 2 * DAY, ended_at=FIRST + 2 * DAY, error="The bundle is gone.")
KILLED = RunRecord(started_at=FIRST + 3 * DAY)
FAILING = JudgingHistory(runs=[FAILED])


def attempt(*, day: int = 2, attempts: int = 2, error: str = "", judged: bool = False) -> WindowAttempt:
    start = FIRST + day * DAY
    at = start + 2 * DAY
    return WindowAttempt(
        start=start,
        end=start + DAY,
        attempts=attempts,
        started_at=at,
        judged_at=at + timedelta(seconds=1) if judged else None,
        error=error,
    )


def first_due(*attempts: WindowAttempt, runs: tuple[RunRecord, ...] = (ENDED,), running: bool = False) -> WindowState:
    history = JudgingHistory(runs=runs, attempts=attempts)
    return window_states([OK, THIN], PLAN, history, now=NOW, running=running)[2]


def test_judged_windows_come_first_and_then_those_that_are_due() -> None:
    found = window_states([OK, THIN], PLAN, JudgingHistory(runs=[ENDED]), now=NOW)
    assert [one.state for one in found] == ["judged", "thin", "due", "due", "due"]
    assert [(one.start - FIRST) // DAY for one in found] == [0, 1, 2, 3, 4]
    assert (found[0].status, found[0].rows, found[0].labels) == ("ok", 900, 90)
    assert {(one.attempts, one.reason) for one in found} == {(0, "")}
    early = window_states([OK, THIN], PLAN, JudgingHistory(runs=[ENDED]), now=NOW - timedelta(hours=2))
    assert [one.state for one in early] == ["judged", "thin", "due", "due"]


@pytest.mark.parametrize(
    ("runs", "attempts", "reason"),
    [([FAILED, ENDED], 1, "The bundle is gone."), ([KILLED, FAILED, FAILED, ENDED, FAILED], 3, "The run was killed.")],
)
def test_the_first_due_window_says_what_the_runs_before_it_failed_by(
    runs: list[RunRecord], attempts: int, reason: str
) -> None:
    first, *later = window_states([OK, THIN], PLAN, JudgingHistory(runs=runs), now=NOW)[2:]
    assert (first.state, first.attempts, first.reason) == ("failed", attempts, reason)
    assert {one.state for one in later} == {"due"}


def test_while_a_run_is_judging_the_first_due_window_is_running() -> None:
    history = JudgingHistory(runs=[KILLED, FAILED])
    assert [one.state for one in window_states([OK], PLAN, history, now=NOW, running=True)][:3] == [
        "judged",
        "running",
        "due",
    ]


def test_a_long_time_without_rows_is_one_entry() -> None:
    later = replace(OK, start=FIRST + 3000 * DAY, end=FIRST + 3001 * DAY)
    skipped = window_states([OK, later], None, JudgingHistory(), now=NOW)[1]
    assert (skipped.state, skipped.start, skipped.end) == ("skipped", OK.end, later.start)


def test_windows_of_rows_and_those_before_the_first_are_not_known_to_be_due() -> None:
    assert [one.state for one in window_states([OK], RowPlan(rows=100), FAILING, now=NOW)] == ["judged"]
    assert [one.state for one in window_states([OK], None, FAILING, now=NOW)] == ["judged"]
    assert window_states([], PLAN, FAILING, now=NOW) == ()


def test_a_window_whose_judging_failed_or_was_killed_has_its_attempts_and_the_error() -> None:
    failed = first_due(attempt(error="A file is cut off."))
    assert (failed.state, failed.attempts, failed.reason) == ("failed", 2, "A file is cut off.")
    assert failed.started_at == FIRST + 4 * DAY
    assert first_due(attempt(), runs=(KILLED, ENDED)).reason == "The run was killed."
    assert (first_due(attempt(), running=True).state, first_due(attempt(), running=True).attempts) == ("running", 2)


def test_a_window_that_was_put_back_is_due_and_no_failure() -> None:
    again = first_due(attempt(judged=True, attempts=1))
    assert (again.state, again.attempts, again.reason) == ("due", 1, "")
    (_, _, listed) = window_states(
        [OK, THIN], None, JudgingHistory(attempts=[attempt(judged=True), attempt(day=0, judged=True)]), now=NOW
    )
    assert (listed.start, listed.state) == (FIRST + 2 * DAY, "due")


def test_a_window_that_was_judged_again_says_what_it_was() -> None:
    was = WindowRevision(
        start=OK.start,
        end=OK.end,
        backfill=1,
        rows=0,
        labels=0,
        status="thin",
        page_log_evidence=0.0,
        notice_log_evidence=0.0,
    )
    history = JudgingHistory(attempts=[attempt(day=0, judged=True)], revisions={OK.start: [was]})
    revised, thin = window_states([OK, THIN], None, history, now=NOW)
    assert (revised.state, revised.status, revised.rows, revised.before) == ("revised", "ok", 900, (was,))
    assert (revised.attempts, revised.judged_at) == (2, FIRST + 2 * DAY + timedelta(seconds=1))
    assert (thin.state, thin.attempts, thin.judged_at) == ("thin", 0, None)
