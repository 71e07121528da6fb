from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitoring.records import ActionKind, IncidentAction, MonitorStatus
from monitoring.reports.sections.incidents import action_text, cause_line, pages_of, remarks


@pytest.mark.parametrize(
    ("watch", "part", "cause", "line"),
    [
        (
            "brier",
            "",
            "the model is overconfident (surprise +0.1)",
            "Brier score: the model is overconfident (surprise +0.1)",
        ),
        (
            "surprise_error",
            "",
            "Error rate 37 \N{RIGHTWARDS ARROW} 55 % since 9 October 2013 (1,050 rows): the model is overconfident",
            "Error rate 37 \N{RIGHTWARDS ARROW} 55 % since 9 October 2013 (1,050 rows): the model is overconfident",
        ),
        ("error", "origin=EWR", "the traffic is harder", "Error rate at origin = EWR: the traffic is harder"),
        (
            "missing:z",
            "",
            "missing values of z rose from 0.0 % to 19.0 %",
            "Missing values of z rose from 0.0 % to 19.0 %",
        ),
        ("embedding", "", "embedding drift rose from 0.500 to 0.800", "Embedding drift rose from 0.500 to 0.800"),
        ("schema", "speed, temp", "column gone", "Column gone: speed, temp"),
        ("schema", "label arrivals", "labels stopped", "Labels stopped"),
        ("schema", "labels", "labels too late", "Labels too late"),
        ("subgroup", "hour ≥ 18", "the model got worse where hour ≥ 18", "The model got worse where hour ≥ 18"),
        ("brier", "origin=EWR", "", "Brier score at origin = EWR"),
        ("brier", "", "odd\x1b[31m.", "Brier score: odd\ufffd[31m"),
    ],
)
def test_an_incident_is_one_line_that_names_its_watch_once(
    status: MonitorStatus, watch: str, part: str, cause: str, line: str
) -> None:
    assert cause_line(replace(status.incidents[0], watch=watch, slice=part, cause=cause)) == line


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
