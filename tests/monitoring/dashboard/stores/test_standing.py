from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from monitoring.dashboard.stores.standing import STATES, Standing, standing
from monitoring.dashboard.view.history import DeploymentHistory
from monitoring.documents.deployment import StateName
from monitoring.records import IncidentRecord, WindowClaims
from monitoring.reports.sections.health import HealthState
from monitoring.store.notifications import Undelivered

LAST = (datetime(2013, 5, 10, tzinfo=UTC), datetime(2013, 5, 11, tzinfo=UTC))
USED = datetime(2013, 5, 11, 6, tzinfo=UTC)


def stands(
    history: DeploymentHistory, incidents: tuple[IncidentRecord, ...] = (), now: datetime = USED, **changed: Any
) -> Standing:
    calm = {"last": LAST, "used_at": USED, "failure": "", "suspected": False}
    summary = replace(history.summary, incidents=incidents, **{**calm, **changed})
    return standing(summary, now)


def test_an_open_page_is_worst_even_when_no_run_came(history: DeploymentHistory) -> None:
    found = stands(history, history.incidents, USED + timedelta(days=30))
    assert (found.state, found.incident, found.acknowledged) == ("page", 1, False)
    assert "overconfident" in found.sentence
    assert "window of 23 Apr 2013 (not acknowledged)" in found.sentence


def test_a_run_that_failed_is_worse_than_none_and_no_hidden_page(history: DeploymentHistory) -> None:
    found = stands(history, (), USED + timedelta(days=30), failure="No bundle\x1b there.")
    assert (found.state, found.incident) == ("failing", None)
    assert found.sentence.startswith("The run of 11 May 2013 06:00 failed: No bundle")
    assert "\x1b" not in found.sentence
    assert stands(history, history.incidents, failure="No bundle there.").state == "page"


def test_an_acknowledged_page_says_so(history: DeploymentHistory) -> None:
    page = replace(history.incidents[0], state="acknowledged", acknowledged_at=USED)
    found = stands(history, (page,))
    assert found.acknowledged
    assert "(acknowledged)" in found.sentence


def test_the_page_that_nobody_acknowledged_comes_first(history: DeploymentHistory) -> None:
    page = history.incidents[0]
    seen = replace(page, number=7, opened_at=page.opened_at + timedelta(days=2), acknowledged_at=USED)
    found = stands(history, (seen, page))
    assert found.incident == page.number
    assert "1 other page open" in found.sentence


def test_a_notice_is_shown_when_nothing_is_worse(history: DeploymentHistory) -> None:
    notice = history.incidents[1]
    found = stands(history, (notice,))
    assert (found.state, found.incident) == ("notice", notice.number)


def test_without_incidents_it_says_up_to_where_it_was_judged(history: DeploymentHistory) -> None:
    found = stands(history)
    assert (found.state, found.sentence) == ("ok", "No open incident. Judged up to 10 May 2013.")


def test_before_the_first_window_the_state_is_unknown(history: DeploymentHistory) -> None:
    assert stands(history, last=None).state == "unknown"


@pytest.mark.parametrize(("hours", "late"), [(47, False), (49, True)])
def test_two_windows_without_a_run_are_late(history: DeploymentHistory, hours: int, late: bool) -> None:
    assert (stands(history, (), USED + timedelta(hours=hours)).state == "late") == late


def test_windows_of_a_minute_have_an_hour(history: DeploymentHistory) -> None:
    minute = (LAST[0], LAST[0] + timedelta(minutes=1))
    assert stands(history, (), USED + timedelta(minutes=59), last=minute).state == "ok"
    assert stands(history, (), USED + timedelta(minutes=61), last=minute).state == "late"


def test_a_snoozed_page_waits_for_nobody(history: DeploymentHistory) -> None:
    page = next(one for one in history.incidents if one.level == "page")
    snoozed = replace(page, snoozed_until=USED + timedelta(hours=2))
    found = stands(history, (snoozed,))
    assert (found.acknowledged, found.snoozed) == (True, 1)
    assert "(not acknowledged, snoozed until " in found.sentence
    assert not stands(history, (snoozed,), USED + timedelta(hours=2)).acknowledged


def test_what_people_do_with_a_page_hides_no_other_fact(history: DeploymentHistory) -> None:
    page = replace(history.incidents[0], state="acknowledged", acknowledged_at=USED)
    lost = Undelivered(waiting=1, given_up=2, since=USED)
    now = USED + timedelta(days=30)
    how = stands(history, (page,), now, failure="No bundle there.", undelivered=lost)
    assert how.facts == ("page", "failing", "late", "undelivered")
    assert how.acknowledged
    assert [sentence.split()[0] for sentence in how.also] == ["The", "The", "3"]
    assert "did not reach everybody; 2 of them given up" in how.also[-1]


@pytest.mark.parametrize(
    ("claims", "state", "sentence"),
    [
        (WindowClaims(fact="Every answer is \x1bmissing."), "fact", "Every answer is \ufffdmissing."),
        (WindowClaims(unlabelled="no label has arrived"), "unlabelled", "No loss is watched: no label has arrived."),
        (WindowClaims(burn_in="burn-in until 2 May"), "burn-in", "Burn-in until 2 May: nothing pages but facts."),
    ],
)
def test_what_windows_say_against_it_is_not_ok(
    history: DeploymentHistory, claims: WindowClaims, state: str, sentence: str
) -> None:
    how = stands(history, claims=claims)
    assert (how.state, how.sentence) == (state, sentence)
    assert stands(history, history.incidents[1:], claims=claims).facts == (state, "notice")


def test_a_fact_and_suspected_harm_count_while_no_page_is_open(history: DeploymentHistory) -> None:
    against: dict[str, Any] = {"claims": WindowClaims(fact="Every answer is missing."), "suspected": True}
    assert stands(history, **against).facts == ("suspected", "fact")
    assert stands(history, history.incidents[:1], **against).facts == ("page",)


def test_the_states_are_those_of_a_report_in_its_order() -> None:
    names = {"overdue": "late", "healthy": "ok"}
    assert tuple(names.get(state, state) for state in get_args(HealthState)) == STATES == get_args(StateName)


def test_a_monitor_that_is_run_and_finds_no_traffic_says_so(history: DeploymentHistory) -> None:
    now = USED + timedelta(days=3)
    how = stands(history, (), now, checked_at=now)
    assert (how.state, how.sentence.startswith("No row has come since 11 May 2013")) == ("late", True)


def test_old_traffic_is_not_well_because_it_was_judged_today(history: DeploymentHistory) -> None:
    """As the report says it: the window of 11 May was due on the twelfth, and a first run came weeks later."""
    due, first_run = USED + timedelta(days=1), USED + timedelta(days=30)
    times = {"used_at": first_run, "checked_at": first_run + timedelta(minutes=1), "next_due_at": due}
    how = stands(history, (), first_run + timedelta(hours=1), **times)
    assert (how.state, how.sentence.partition(":")[0]) == ("late", "No row has come since 11 May 2013")
    assert stands(history, (), due + timedelta(hours=23), **times).state == "ok"


def test_a_monitor_that_has_never_judged_is_late_after_two_days(history: DeploymentHistory) -> None:
    assert stands(history, (), USED + timedelta(days=3), last=None).facts == ("late", "unknown")
