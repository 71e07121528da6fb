from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitoring.records import RunRecord, WindowRecord
from monitoring.reports.window_states import window_states
from monitoring.traffic.windows import RowPlan, WindowPlan

DAY = timedelta(days=1)
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
PLAN = WindowPlan(every="1d", lateness=timedelta(hours=6))
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


def test_judged_windows_come_first_and_then_those_that_are_due() -> None:
    found = window_states([OK, THIN], PLAN, [ENDED], now=NOW)
    assert [one.state for one in found] == ["judged", "thin", "due", "due", "due"]
    assert [(one.start - FIRST) // DAY for one in found] == [0, 1, 2, 3, 4]
    assert (found[0].status, found[0].rows, found[0].labels) == ("ok", 900, 90)
    assert {(one.attempts, one.reason) for one in found} == {(0, "")}
    early = window_states([OK, THIN], PLAN, [ENDED], now=NOW - timedelta(hours=2))
    assert [one.state for one in early] == ["judged", "thin", "due", "due"]


@pytest.mark.parametrize(
    ("runs", "attempts", "reason"),
    [
        ([FAILED, ENDED], 1, "The bundle is gone."),
        ([KILLED, FAILED, FAILED, ENDED, FAILED], 3, "The run was killed."),
    ],
)
def test_the_first_due_window_says_what_the_runs_before_it_failed_by(
    runs: list[RunRecord], attempts: int, reason: str
) -> None:
    first, *later = window_states([OK, THIN], PLAN, runs, now=NOW)[2:]
    assert (first.state, first.attempts, first.reason) == ("failed", attempts, reason)
    assert {one.state for one in later} == {"due"}


def test_while_a_run_is_judging_the_first_due_window_is_running() -> None:
    assert [one.state for one in window_states([OK], PLAN, [KILLED, FAILED], now=NOW, running=True)][:3] == [
        "judged",
        "running",
        "due",
    ]


def test_a_long_time_without_rows_is_one_entry() -> None:
    later = replace(OK, start=FIRST + 3000 * DAY, end=FIRST + 3001 * DAY)
    skipped = window_states([OK, later], None, [], now=NOW)[1]
    assert (skipped.state, skipped.start, skipped.end) == ("skipped", OK.end, later.start)


def test_windows_of_rows_and_those_before_the_first_are_not_known_to_be_due() -> None:
    assert [one.state for one in window_states([OK], RowPlan(rows=100), [FAILED], now=NOW)] == ["judged"]
    assert [one.state for one in window_states([OK], None, [FAILED], now=NOW)] == ["judged"]
    assert window_states([], PLAN, [FAILED], now=NOW) == ()
