from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitoring.records import ActionKind, IncidentAction, MonitorStatus
from monitoring.reports.sections.incidents import action_text, pages_of, remarks


def test_pages_are_in_the_order_of_their_windows(status: MonitorStatus) -> None:
    turned = replace(status, incidents=status.incidents[::-1])
    assert [page.number for page in pages_of(turned)] == [1, 3]


def test_actions_are_told_in_words() -> None:
    noon, utc = datetime(2013, 4, 1, 12, tzinfo=UTC), ZoneInfo("UTC")

    def told(kind: ActionKind, **more: Any) -> str:
        return action_text(IncidentAction(at=noon, by="operator", kind=kind, **more), utc)

    assert told("acknowledge") == "acknowledged"
    assert told("snooze", until_worse=True) == "snoozed until worse"
    assert told("snooze", until=noon) == "snooze ended"
    assert told("assign", text="team flights") == "assigned to team flights"
    assert told("assign") == "assigned to nobody"
    assert told("close", text="mended\nby the feed") == "closed: mended by the feed"


def test_remarks_are_those_of_the_time(status: MonitorStatus) -> None:
    noon, utc = datetime(2013, 4, 1, 12, tzinfo=UTC), ZoneInfo("UTC")
    one = replace(status.incidents[0], state="recovering", acknowledged_at=noon, snoozed_until=noon)
    assert remarks(one, noon, utc) == ("acknowledged",)
    assert remarks(one, noon - timedelta(hours=1), utc) == ("acknowledged", "snoozed until 1 Apr 2013 12:00")
    assert remarks(one, None, utc) == ("acknowledged",)
