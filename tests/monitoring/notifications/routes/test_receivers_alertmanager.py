from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from monitoring.notifications.notification import Notification, example_notification
from monitoring.notifications.routes.receivers import FIRING, alertmanager_request
from tests.incident_words import worded
from tests.monitoring.notifications.receivers import APRIL, OPENED, PAGE

NOW = APRIL + timedelta(days=2)


def alert(notification: Notification, **options: Any) -> dict[str, Any]:
    settings = {"url": "http://alertmanager:9093", "token": None, "link": None, "at": NOW, **options}
    request = alertmanager_request(notification, **settings)
    assert request.url == "http://alertmanager:9093/api/v2/alerts"
    (found,) = json.loads(request.body)
    return dict(found)


def test_the_labels_are_the_incident_whatever_its_state() -> None:
    found = alert(OPENED, link="https://m/3")
    assert found["labels"] == {
        "alertname": "ModelIncident",
        "severity": "critical",
        "level": "page",
        "deployment": "flights-eu",
        "deployment_id": "4",
        "model": "flights",
        "version": "1",
        "incident": "3",
    }
    worse = replace(OPENED, state="worse", incident=replace(PAGE, diagnoses=worded("", "more"), state="worse"))
    assert alert(worse)["labels"] == found["labels"]
    assert alert(worse)["annotations"]["description"] == "more"
    assert found["generatorURL"] == "https://m/3"
    assert "generatorURL" not in alert(OPENED)


def test_an_open_alert_fires_for_days_and_a_closed_one_ends_when_the_incident_did() -> None:
    assert (alert(OPENED)["startsAt"], alert(OPENED)["endsAt"]) == ("2013-04-23T00:00:00Z", "2013-05-01T00:00:00Z")
    assert timedelta(days=7) == FIRING
    closed = replace(OPENED, state="closed", incident=replace(PAGE, closed_at=NOW - timedelta(hours=3)))
    assert alert(closed)["endsAt"] == "2013-04-23T21:00:00Z"
    odd = replace(OPENED, state="closed", incident=replace(PAGE, closed_at=APRIL - timedelta(days=9)))
    assert alert(odd)["endsAt"] == alert(odd)["startsAt"]


def test_a_test_ends_by_itself() -> None:
    found = alert(example_notification(NOW))
    assert (found["labels"]["test"], found["labels"]["severity"]) == ("true", "info")
    assert found["endsAt"] == "2013-04-24T00:05:00Z"


def test_a_token_is_sent_in_its_header_alone() -> None:
    request = alertmanager_request(OPENED, url="https://a", token="secret", link=None, at=NOW)
    assert request.headers == {"authorization": "Bearer secret"}
    assert b"secret" not in request.body
