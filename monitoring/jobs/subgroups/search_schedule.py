"""When a deployment's windows are searched for subgroups, and how many may be named for nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitoring.evidence.budget import Budget
from monitoring.jobs.subgroups.subgroups import ERROR_RATE
from monitoring.traffic.windows import Window

#: Windows between two searches.
SEARCHED_WINDOWS = 30

#: The share of the budget of false notices that searches have.
BUDGET_SHARE = 0.05


def search_error_rate(budget: Budget) -> float:
    """How many subgroups a search names for nothing on average, at most.

    Returns:
        Such that searches have `BUDGET_SHARE` of the false notices of the budget, and at most `ERROR_RATE`.

    >>> round(search_error_rate(Budget.parse("1 per 30 windows")), 6)
    0.05
    >>> round(search_error_rate(Budget.parse("1 per 365 windows")), 6)
    0.00411
    """
    return min(ERROR_RATE, BUDGET_SHARE * SEARCHED_WINDOWS / budget.threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSchedule:
    """When the next search is due: once `SEARCHED_WINDOWS` more windows have all of their labels.

    Attributes:
        since: Windows that begin then or later were not searched; None before the first one.
        due_at: The search is due after the window that ends then or later; None while too few windows wait.

    >>> SearchSchedule.from_text(SearchSchedule().to_text()) == SearchSchedule.from_text("") == SearchSchedule()
    True
    """

    since: datetime | None = None
    waiting: int = 0
    due_at: datetime | None = None

    def with_window(self, window: Window, horizon: timedelta) -> SearchSchedule:
        """With one more window that was judged."""
        waiting = self.waiting + 1
        due_at = window.end + horizon if waiting == SEARCHED_WINDOWS else self.due_at
        return SearchSchedule(since=self.since or window.start, waiting=waiting, due_at=due_at)

    def is_due(self, now: datetime) -> bool:
        """Whether a search is due at the end of a window."""
        return self.due_at is not None and now >= self.due_at

    def after_search(self, until: datetime, windows: Iterable[Window], horizon: timedelta) -> SearchSchedule:
        """After a search."""
        schedule = SearchSchedule(since=until)
        for window in windows:
            schedule = replace(schedule.with_window(window, horizon), since=until)
        return schedule

    def to_text(self) -> str:
        """The state as text, for `from_text`."""
        times = [None if time is None else time.isoformat() for time in (self.since, self.due_at)]
        return json.dumps({"since": times[0], "waiting": self.waiting, "due_at": times[1]})

    @classmethod
    def from_text(cls, text: str) -> SearchSchedule:
        """The inverse of `to_text`; the initial schedule of an empty text."""
        if not text:
            return cls()
        document = json.loads(text)
        since, due_at = (
            None if time is None else datetime.fromisoformat(time) for time in (document["since"], document["due_at"])
        )
        return cls(since=since, waiting=int(document["waiting"]), due_at=due_at)
