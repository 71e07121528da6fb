"""A search is due once so many more windows have all of their labels, whatever was judged in one run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.evidence.budget import Budget
from monitoring.subgroups.run_search import BUDGET_SHARE, SEARCHED_WINDOWS, SearchSchedule, search_error_rate
from monitoring.traffic.windows import Window

FIRST, DAY, HORIZON = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1), timedelta(days=7)


def window(number: int) -> Window:
    return Window(start=FIRST + number * DAY, end=FIRST + (number + 1) * DAY)


def searches(windows: int, length: int = 1) -> list[tuple[int, int, int]]:
    """After which windows a search is made, and the first and last that it searches."""
    schedule, found = SearchSchedule(), []
    for number in range(windows):
        schedule = SearchSchedule.from_text(schedule.with_window(window(number), HORIZON).to_text())
        if schedule.is_due(window(number).end):
            assert schedule.since is not None
            first = (schedule.since - FIRST) // DAY
            last = number - HORIZON // DAY
            found.append((number, first, last))
            rest = [window(one) for one in range(last + 1, number + 1)]
            schedule = schedule.after_search(window(last).end, rest, HORIZON)
    return found


def test_each_window_is_searched_once_and_after_its_labels() -> None:
    assert SEARCHED_WINDOWS == 30
    assert searches(110) == [(36, 0, 29), (66, 30, 59), (96, 60, 89)]


def test_windows_that_waited_for_labels_bring_the_next_search_sooner() -> None:
    schedule = SearchSchedule(since=FIRST).after_search(FIRST, [window(one) for one in range(40)], HORIZON)
    assert schedule == SearchSchedule(since=FIRST, waiting=40, due_at=window(29).end + HORIZON)
    assert schedule.is_due(window(39).end)


@pytest.mark.parametrize("budget", ["1 per 30 windows", "1 per 100 windows", "2 per 365 windows", "1 per 3 windows"])
def test_searches_have_their_share_of_the_false_notices_and_no_more(budget: str) -> None:
    promised = SEARCHED_WINDOWS / Budget.parse(budget).threshold  # between two searches
    assert search_error_rate(Budget.parse(budget)) <= BUDGET_SHARE * promised + 1e-12
