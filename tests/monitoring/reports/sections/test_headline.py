from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.records import IncidentState, MonitorStatus, Sensitivity
from monitoring.reports.sections.headline import detectable_rise, headline


def test_the_headline_says_what_when_why_and_at_what_budget(status: MonitorStatus) -> None:
    found = headline(status)
    assert (found.model, found.healthy) == ("flights version 1", False)
    assert found.period == "1 Apr 2013 \N{EN DASH} 31 Dec 2013 (UTC)"
    assert found.verdict == "2 pages in 275 windows, 1 still open"
    assert found.first_page == (
        "First page on 24 Apr 2013 06:00, for the window 23 Apr 2013. Surprise in Brier score: the model is "
        "overconfident (surprise +0.063)."
    )
    assert found.explanation == status.incidents[0].message
    assert found.budget.startswith(
        "False-alarm budget: pages at most 1 per 365 windows, notices at most 1 per 30 windows, on average"
    )


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        (("open",), "1 page in 275 windows, still open"),
        (("closed",), "1 page in 275 windows, closed"),
        (("closed", "closed"), "2 pages in 275 windows, all closed"),
        (("open", "recovering"), "2 pages in 275 windows, all still open"),
        (("acknowledged", "closed", "open"), "3 pages in 275 windows, 2 still open"),
        (("worse",), "1 page in 275 windows, still open (1 worse)"),
        (("worse", "worse", "closed"), "3 pages in 275 windows, 2 still open (2 worse)"),
    ],
)
def test_the_verdict_counts_the_pages_that_are_still_open(
    status: MonitorStatus, states: tuple[IncidentState, ...], verdict: str
) -> None:
    page = status.incidents[0]
    pages = tuple(replace(page, number=number, state=state) for number, state in enumerate(states, 1))
    assert headline(replace(status, incidents=pages)).verdict == verdict


def test_the_verdict_counts_snoozed_pages(status: MonitorStatus) -> None:
    now = status.windows[-1].end
    page = replace(status.incidents[0], state="open", closed_at=None, snoozed_until_worse=True)
    found = replace(status, incidents=(page,), asked_at=now)
    assert headline(found).verdict == "1 page in 275 windows, still open (1 snoozed)"
    ended = replace(page, snoozed_until=now)
    assert headline(replace(found, incidents=(ended,))).verdict == "1 page in 275 windows, still open"


def test_health_is_qualified_while_no_label_has_arrived(status_of: Callable[..., MonitorStatus]) -> None:
    seen = status_of(windows=1, incidents=False)
    assert headline(seen).verdict == "Healthy: no page in 1 window"
    blind = replace(seen, coverage=replace(seen.coverage, labels=0))
    assert (
        headline(blind).verdict == "Healthy by inputs and predictions alone (no label has arrived): no page in 1 window"
    )
    assert headline(blind).healthy


def test_a_monitor_that_is_dead_does_not_read_healthy(status_of: Callable[..., MonitorStatus]) -> None:
    found = status_of(windows=2, incidents=False)
    due = found.windows[-1].end + timedelta(days=1, hours=6)
    alive = replace(found, next_due_at=due, checked_at=due - timedelta(minutes=5), asked_at=due + timedelta(hours=20))
    assert headline(alive).verdict == "Healthy: no page in 2 windows"
    dead = headline(replace(alive, asked_at=due + timedelta(days=30)))
    assert dead.verdict == "No page in 2 windows, but the monitor has not run since 4 Apr 2013 05:55"
    assert not dead.healthy
    silent = headline(replace(alive, checked_at=due + timedelta(days=30), asked_at=due + timedelta(days=30)))
    assert silent.verdict == "No page in 2 windows, but no traffic since 3 Apr 2013"


def test_closed_pages_do_not_stay_red_and_an_overdue_window_is_said_beside_a_page(status: MonitorStatus) -> None:
    page = replace(status.incidents[0], state="closed")
    closed = replace(status, incidents=(page,))
    assert headline(closed).healthy
    due = status.windows[-1].end + timedelta(days=2)
    late = headline(replace(closed, next_due_at=due, checked_at=due, asked_at=due + timedelta(days=9)))
    assert late.verdict == "1 page in 275 windows, closed; no traffic since 1 Jan 2014"
    assert not late.healthy


def test_before_the_first_window_nothing_is_healthy(status_of: Callable[..., MonitorStatus]) -> None:
    found = headline(status_of(windows=0, incidents=False))
    assert (found.verdict, found.period, found.healthy) == ("No window judged yet", "no window is due yet", False)


def test_the_middle_horizon_is_named_and_a_loss_that_is_not_detected() -> None:
    found = tuple(
        Sensitivity(metric=metric, slice=part, windows=windows, rise=rise)
        for metric, part, windows, rise in (
            ("brier", "", 7, 0.1),
            ("brier", "", 30, 0.05),
            ("error", "", 30, None),
            ("error", "origin=EWR", 30, 0.5),
            ("brier", "", 90, 0.02),
        )
    )
    assert detectable_rise(found) == "Smallest rise detected within 30 windows: Brier score +0.050, error rate no rise."
    assert detectable_rise(found[3:4]) == ""
