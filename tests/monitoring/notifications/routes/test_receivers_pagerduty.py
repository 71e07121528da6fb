from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from monitoring.notifications.notification import Notification, example_notification
from monitoring.notifications.routes.receivers import pagerduty_request
from monitoring.records import IncidentState
from tests.incident_words import worded
from tests.monitoring.notifications.receivers import APRIL, OPENED, PAGE


def event(notification: Notification, **options: Any) -> dict[str, Any]:
    settings = {"url": "https://events.pagerduty.com/v2/enqueue", "routing_key": "R" * 32, "link": None, **options}
    found: dict[str, Any] = json.loads(pagerduty_request(notification, **settings).body)
    return found


def test_a_page_triggers_an_incident() -> None:
    found = event(OPENED, link="https://m/3")
    assert (found["event_action"], found["routing_key"], found["dedup_key"]) == ("trigger", "R" * 32, OPENED.key)
    payload = found["payload"]
    assert (payload["summary"], payload["source"]) == (
        "flights-eu: page: Brier score above expectation at origin = EWR: the model is wrong",
        "flights-eu",
    )
    assert (payload["severity"], payload["timestamp"]) == ("critical", "2013-04-23T00:00:00Z")
    assert payload["custom_details"] == OPENED.document.plain()
    assert found["links"] == [{"href": "https://m/3", "text": "Dashboard"}]


@pytest.mark.parametrize(
    ("state", "action"),
    [("worse", "trigger"), ("recovering", "trigger"), ("acknowledged", "acknowledge"), ("closed", "resolve")],
)
def test_each_state_is_an_action_on_the_same_incident(state: IncidentState, action: str) -> None:
    found = event(replace(OPENED, state=state))
    assert (found["event_action"], found["dedup_key"]) == (action, OPENED.key)
    assert ("payload" in found) == (action == "trigger")


def test_a_notice_is_a_warning_and_a_test_is_of_its_own() -> None:
    assert event(replace(OPENED, incident=replace(PAGE, level="notice")))["payload"]["severity"] == "warning"
    test = example_notification(APRIL)
    assert event(test)["payload"]["severity"] == "info"
    assert event(test, action="resolve")["event_action"] == "resolve"


def test_a_long_cause_keeps_to_the_limit() -> None:
    found = event(replace(OPENED, incident=replace(PAGE, diagnoses=worded("x" * 5000))))
    assert len(found["payload"]["summary"]) == 1024
