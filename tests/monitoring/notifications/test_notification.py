from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

from monitoring.documents.incident import incident_document
from monitoring.notifications.notification import example_notification
from tests.incident_words import worded
from tests.monitoring.notifications.receivers import APRIL, DEPLOYMENT, OPENED, PAGE


def test_the_document_is_an_event_its_deployment_and_its_incident() -> None:
    document = OPENED.document.plain()
    assert document["event"] == {"id": "flights-eu/4/3/0", "kind": "incident", "state": "open"}
    deployment = document["deployment"]
    assert (deployment["name"], deployment["number"], deployment["traffic"]) == ("flights-eu", 4, None)
    assert document["incident"] == incident_document(PAGE).plain()
    assert document["incident"]["window"] == {"start": "2013-04-22T00:00:00Z", "end": "2013-04-23T00:00:00Z"}


def test_the_state_is_that_of_the_event_whatever_the_incident_has_become() -> None:
    closed = replace(OPENED, incident=replace(PAGE, state="closed"))
    assert (closed.document.event.state, closed.document.incident.state) == ("open", "closed")
    assert closed.headline == "flights-eu: page: Brier score above expectation at origin = EWR: the model is wrong"
    assert (
        replace(closed, state="closed").headline
        == "flights-eu: page closed: Brier score above expectation at origin = EWR: the model is wrong"
    )


def test_a_headline_is_one_line_whatever_a_cause_holds() -> None:
    named = replace(OPENED, incident=replace(PAGE, diagnoses=worded("slice a\r\nBcc: b\x1b[2J")))
    assert named.headline == (
        "flights-eu: page: Brier score above expectation at origin = EWR: slice a\ufffd\ufffdBcc: b\ufffd[2J"
    )


def test_the_key_is_that_of_the_incident_for_its_life() -> None:
    later = replace(OPENED, event="x", state="closed", deployment=DEPLOYMENT.model_copy(update={"name": "renamed"}))
    assert later.key == OPENED.key
    another_store = DEPLOYMENT.model_copy(update={"created_at": APRIL + timedelta(microseconds=1)})
    others = (
        replace(OPENED, incident=replace(PAGE, number=4)),
        replace(OPENED, deployment=another_store),
        replace(OPENED, kind="test"),
    )
    assert len({OPENED.key, *(other.key for other in others)}) == 4
    assert len(OPENED.key) <= 255


def test_a_test_is_marked() -> None:
    test = example_notification(APRIL, DEPLOYMENT)
    assert test.document.event.kind == "test"
    assert test.headline.startswith("TEST: flights-eu")
    assert test.event != example_notification(APRIL + timedelta(seconds=1), DEPLOYMENT).event


def test_a_link_has_the_numbers_where_they_belong() -> None:
    assert OPENED.link("https://m/d/eu/{deployment}/incidents/{incident}") == "https://m/d/eu/4/incidents/3"
    assert OPENED.link(None) is None


def test_importing_notification_and_routes_loads_no_http_client() -> None:
    probe = "import sys, monitoring.notifications.routes.sending; print({'httpx', 'sqlalchemy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
