from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring.dashboard.stores.standing import Standing, is_late, standing
from monitoring.dashboard.view.history import DeploymentHistory
from monitoring.records import IncidentRecord

LAST = (datetime(2013, 5, 10, tzinfo=UTC), datetime(2013, 5, 11, tzinfo=UTC))
USED = datetime(2013, 5, 11, 6, tzinfo=UTC)


@pytest.fixture
def standing_of(history: DeploymentHistory) -> Callable[..., Standing]:
    """How the deployment of the history would stand with other incidents, failures or times."""

    def judge(incidents: tuple[IncidentRecord, ...], now: datetime = USED, **changes: Any) -> Standing:
        summary = replace(history.summary, incidents=incidents, last=LAST, used_at=USED, shown_in="UTC", failure="")
        return standing(replace(summary, **changes), now)

    return judge


def test_an_open_page_is_worst_even_when_no_run_came(
    history: DeploymentHistory, standing_of: Callable[..., Standing]
) -> None:
    found = standing_of(history.incidents, USED + timedelta(days=30))
    assert (found.state, found.incident, found.acknowledged) == ("page", 1, False)
    assert "overconfident" in found.sentence
    assert "since 23 Apr 2013 (not acknowledged)" in found.sentence


def test_a_run_that_failed_is_worse_than_none_and_no_hidden_page(
    history: DeploymentHistory, standing_of: Callable[..., Standing]
) -> None:
    found = standing_of((), USED + timedelta(days=30), failure="No bundle\x1b there.")
    assert (found.state, found.incident) == ("failing", None)
    assert found.sentence.startswith("The run of 11 May 2013 06:00 failed: No bundle")
    assert "\x1b" not in found.sentence
    assert standing_of(history.incidents, failure="No bundle there.").state == "page"


def test_an_acknowledged_page_says_so(history: DeploymentHistory, standing_of: Callable[..., Standing]) -> None:
    page = replace(history.incidents[0], state="acknowledged", acknowledged_at=USED)
    found = standing_of((page,))
    assert found.acknowledged
    assert "(acknowledged)" in found.sentence


def test_the_page_that_nobody_acknowledged_comes_first(
    history: DeploymentHistory, standing_of: Callable[..., Standing]
) -> None:
    page = history.incidents[0]
    seen = replace(page, number=7, opened_at=page.opened_at + timedelta(days=2), acknowledged_at=USED)
    found = standing_of((seen, page))
    assert found.incident == page.number
    assert "1 other page open" in found.sentence


def test_a_notice_is_shown_when_nothing_is_worse(
    history: DeploymentHistory, standing_of: Callable[..., Standing]
) -> None:
    notice = history.incidents[1]
    found = standing_of((notice,))
    assert (found.state, found.incident) == ("notice", notice.number)


def test_without_incidents_it_says_up_to_where_it_was_judged(standing_of: Callable[..., Standing]) -> None:
    found = standing_of(())
    assert (found.state, found.sentence) == ("ok", "No open incident. Judged up to 10 May 2013.")


def test_before_the_first_window_the_state_is_unknown(standing_of: Callable[..., Standing]) -> None:
    assert standing_of((), last=None).state == "unknown"


@pytest.mark.parametrize(("hours", "late"), [(47, False), (49, True)])
def test_two_windows_without_a_run_are_late(hours: int, late: bool, standing_of: Callable[..., Standing]) -> None:
    assert is_late(LAST, USED, USED + timedelta(hours=hours)) == late
    assert (standing_of((), USED + timedelta(hours=hours)).state == "late") == late


def test_windows_of_a_minute_have_an_hour(standing_of: Callable[..., Standing]) -> None:
    minute = (LAST[0], LAST[0] + timedelta(minutes=1))
    assert not is_late(minute, USED, USED + timedelta(minutes=59))
    assert is_late(minute, USED, USED + timedelta(minutes=61))


def test_a_snoozed_page_waits_for_nobody(history: DeploymentHistory, standing_of: Callable[..., Standing]) -> None:
    page = next(one for one in history.incidents if one.level == "page")
    snoozed = replace(page, snoozed_until=USED + timedelta(hours=2))
    found = standing_of((snoozed,))
    assert (found.acknowledged, found.snoozed) == (True, 1)
    assert "(not acknowledged, snoozed until " in found.sentence
    assert not standing_of((snoozed,), USED + timedelta(hours=2)).acknowledged


def test_suspected_harm_comes_before_a_notice_and_after_a_late_run(
    history: DeploymentHistory, standing_of: Callable[..., Standing]
) -> None:
    bare = standing_of((), suspected=True)
    assert bare.state == "suspected"
    assert bare.sentence.startswith("A loss has risen beyond chance, and no page is open so far.")
    notice = replace(history.incidents[0], level="notice")
    assert standing_of((notice,), suspected=True).sentence.startswith("Suspected: ")
    assert standing_of((), USED + timedelta(days=30), suspected=True).state == "late"
    assert standing_of(history.incidents, suspected=True).state == "page"
