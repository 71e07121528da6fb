from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.records import HIGHEST_LOSS, Finding, IncidentState, MonitorStatus, Sensitivity
from monitoring.reports.sections.headline import headline
from monitoring.reports.sections.sensitivity import detectable_rise
from monitoring.sentences.incident_text import cause_line, incident_text
from tests.incident_words import worded


def test_the_headline_says_what_when_why_and_at_what_budget(status: MonitorStatus) -> None:
    found = headline(status)
    assert (found.model, found.health.healthy) == ("flights version 1", False)
    assert found.period == "1 Apr 2013 \N{EN DASH} 31 Dec 2013 (UTC)"
    assert found.verdict == "2 pages in 275 windows, 1 still open"
    assert found.page == (
        "Page #3, opened 8 Dec 2013 06:00 for the window 7 Dec 2013: Brier score at origin = EWR: the traffic is "
        "harder (expected loss +0.050)."
    )
    assert found.explanation == next(incident_text(one).message for one in status.incidents if one.number == 3)
    closed = replace(status, incidents=tuple(replace(one, state="closed") for one in status.incidents))
    assert headline(closed).page.startswith("Last page, #3, opened 8 Dec 2013")
    both = replace(status, incidents=tuple(replace(one, state="open") for one in status.incidents))
    assert headline(both).page.endswith(" Open besides: #1.")


def test_a_long_explanation_does_not_cut_the_next_step(status: MonitorStatus) -> None:
    told = f"Error rate rose. {'Much is known. ' * 300}Next step: look at it."
    page = replace(status.incidents[0], diagnoses=worded("Error rate rose", told))
    found = headline(replace(status, incidents=(page,))).explanation
    assert found.endswith("\N{HORIZONTAL ELLIPSIS} Next step: look at it.")
    assert len(found) < 2100


def test_what_the_cause_says_is_not_said_twice(status: MonitorStatus) -> None:
    cause = "Error rate 23 \N{RIGHTWARDS ARROW} 55 % since 22 April 2013 (912 rows): the model is overconfident"
    told = f"{cause.partition(':')[0]}. Of this the model expected little."
    page = replace(status.incidents[0], diagnoses=worded(cause, told))
    found = headline(replace(status, incidents=(page,)))
    assert found.page.endswith("overconfident.")
    assert found.explanation == "Of this the model expected little."
    assert found.budget.startswith(
        "False-alarm budget: pages at most 1 per 365 windows, notices at most 1 per 30 windows, on average"
    )


def _calm(status: MonitorStatus) -> MonitorStatus:
    """The same with no evidence in the last window."""
    *before, last = status.windows
    quiet = replace(last, page_log_evidence=-math.inf, notice_log_evidence=-math.inf, loss_log_evidence=-math.inf)
    return replace(status, windows=(*before, replace(quiet, status="ok", findings=())))


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
    assert headline(replace(_calm(status), incidents=pages)).verdict == verdict


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
    blind = replace(seen, windows=(replace(seen.windows[0], labels=0),))
    assert headline(blind).verdict == "No page in 1 window, but no label has arrived"
    astray = replace(seen, windows=(replace(seen.windows[0], labels=0, labels_unknown=1200),))
    assert headline(astray).verdict == "No page in 1 window, but all 1,200 labels are of no known prediction"
    assert not headline(blind).health.healthy
    lately = status_of(windows=40, incidents=False)
    silent = tuple(replace(window, labels=0) for window in lately.windows[10:])
    stopped = headline(replace(lately, windows=(*lately.windows[:10], *silent)))
    assert ("unlabelled", "no label has arrived in the last 30 windows") in stopped.health.against


def test_a_monitor_that_is_dead_does_not_read_healthy(status_of: Callable[..., MonitorStatus]) -> None:
    found = status_of(windows=2, incidents=False)
    due = found.windows[-1].end + timedelta(days=1, hours=6)
    alive = replace(found, next_due_at=due, checked_at=due - timedelta(minutes=5), asked_at=due + timedelta(hours=20))
    assert headline(alive).verdict == "Healthy: no page in 2 windows"
    dead = headline(replace(alive, asked_at=due + timedelta(days=30)))
    assert dead.verdict == "No page in 2 windows, but the monitor has not run since 4 Apr 2013 05:55"
    assert not dead.health.healthy
    gone = replace(alive, checked_at=due + timedelta(days=30), asked_at=due + timedelta(days=30))
    assert headline(gone).verdict == "No page in 2 windows, but no traffic since 3 Apr 2013"
    labels_alone = replace(gone, windows=(gone.windows[0], replace(gone.windows[1], rows=0)))
    assert headline(labels_alone).verdict == "No page in 2 windows, but no traffic since 2 Apr 2013"


def test_batches_that_stop_coming_do_not_read_healthy(status_of: Callable[..., MonitorStatus]) -> None:
    found = status_of(windows=4, incidents=False)
    asked = found.windows[-1].start + timedelta(days=2)
    alive = replace(found, next_due_at=None, checked_at=asked, asked_at=asked)
    assert headline(alive).health.healthy
    later = asked + timedelta(days=2)
    silent = headline(replace(alive, checked_at=later, asked_at=later))
    assert silent.verdict == f"No page in 4 windows, but no traffic since {found.windows[-1].end:%-d %b %Y}"


def test_closed_pages_do_not_stay_red_and_an_overdue_window_is_said_beside_a_page(status: MonitorStatus) -> None:
    page = replace(status.incidents[0], state="closed")
    closed = replace(_calm(status), incidents=(page,))
    assert headline(closed).health.healthy
    due = status.windows[-1].end + timedelta(days=2)
    late = headline(replace(closed, next_due_at=due, checked_at=due, asked_at=due + timedelta(days=9)))
    assert late.verdict == "1 page in 275 windows, closed; no traffic since 1 Jan 2014"
    assert not late.health.healthy


def test_before_the_first_window_nothing_is_healthy(status_of: Callable[..., MonitorStatus]) -> None:
    found = headline(status_of(windows=0, incidents=False))
    assert (found.verdict, found.period, found.health.healthy) == (
        "No window judged yet",
        "no window is due yet",
        False,
    )


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


def test_evidence_over_the_threshold_without_an_open_page_is_suspected_harm(
    status_of: Callable[..., MonitorStatus],
) -> None:
    quiet = status_of(windows=3, incidents=False)
    last = replace(quiet.windows[-1], loss_log_evidence=math.log(1e6), status="suspected")
    found = headline(replace(quiet, windows=(*quiet.windows[:-1], last)))
    assert found.health.state == "suspected"
    assert found.verdict.startswith("Suspected harm: ")
    said = found.verdict.partition(" since ")[0] + " since 3 Apr 2013 (largest evidence for a page 1.0"
    assert found.verdict.startswith(said)
    before = replace(last, start=quiet.windows[-2].start, end=quiet.windows[-2].end)
    fallen = replace(last, loss_log_evidence=0.0)
    lasting = headline(replace(quiet, windows=(quiet.windows[0], before, fallen)))
    assert lasting.verdict.partition(" since ")[2].startswith("2 Apr 2013 (largest evidence for a page 1.0"), (
        "the largest evidence, not the last"
    )
    only = headline(replace(quiet, windows=(*quiet.windows[:-1], fallen)))
    assert only.verdict.startswith(said.partition(" (")[0] + ", by a notice (largest ")
    high = replace(fallen, findings=(Finding(kind=HIGHEST_LOSS, feature="losses", message="Error rate 55 %."),))
    worst = headline(replace(quiet, windows=(*quiet.windows[:-1], high)))
    said = "Suspected harm: one window is worse than all before, since 3 Apr 2013: Error rate 55 %, in 3 windows"
    assert worst.verdict == said
    better = replace(last, status="notice", page_log_evidence=math.log(1e9))
    assert headline(replace(quiet, windows=(*quiet.windows[:-1], better))).health.state != "suspected", "its labels say"


def test_an_open_notice_or_a_fact_of_the_last_window_is_not_healthy(status_of: Callable[..., MonitorStatus]) -> None:
    quiet, noticed = status_of(windows=3, incidents=False), status_of(windows=3, incidents=True)
    notice = replace(noticed.incidents[0], level="notice", state="open", closed_at=None)
    found = headline(replace(quiet, incidents=(notice,)))
    assert found.verdict == "No page in 3 windows, but 1 open notice"
    assert found.page.startswith(f"Notice #{notice.number}, opened ")
    assert cause_line(notice) in found.page
    closed = replace(notice, state="closed", closed_at=notice.opened_at)
    assert headline(replace(quiet, incidents=(closed,))).page == ""
    fact = Finding(kind="no answers", feature="answers", message="Every answer is missing.", fact=True)
    last = replace(quiet.windows[-1], findings=(fact,))
    dead = headline(replace(quiet, windows=(*quiet.windows[:-1], last)))
    assert (dead.health.state, dead.verdict) == ("fact", "No page in 3 windows, but every answer is missing")
