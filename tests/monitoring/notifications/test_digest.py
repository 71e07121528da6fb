from __future__ import annotations

from dataclasses import replace

from monitoring.notifications.digest import Digest
from monitoring.notifications.notification import NAMED
from tests.incident_words import worded
from tests.monitoring.notifications.receivers import DEPLOYMENT, PAGE

CLOSED = replace(PAGE, number=1, state="closed", diagnoses=worded("labels are late"))
NOTICE = replace(PAGE, number=2, level="notice", state="acknowledged", diagnoses=worded("inputs\ndrift"))
DIGEST = Digest(event="flights-eu/4/digest/1-9", events=9, incidents=(CLOSED, NOTICE, PAGE), deployment=DEPLOYMENT)


def test_a_digest_names_what_is_open_first() -> None:
    assert DIGEST.headline == "flights-eu: digest of the past: 3 incidents, 2 not closed"
    assert DIGEST.text.splitlines() == [
        "9 events of the past in one message.",
        "3  page, open, 2013-04-22T00:00Z: Brier score above expectation at origin = EWR: the model is wrong",
        "2  notice, acknowledged, 2013-04-22T00:00Z: Brier score above expectation at origin = EWR: inputs\ufffddrift",
        "1  page, closed, 2013-04-22T00:00Z: Brier score above expectation at origin = EWR: labels are late",
    ]
    document = DIGEST.document
    assert (document.event.kind, document.event.events, document.event.id) == ("digest", 9, DIGEST.event)
    assert [incident.number for incident in document.incidents] == [3, 2, 1]


def test_a_route_of_pages_gets_no_notices() -> None:
    assert [one.number for one in DIGEST.of_level("page").incidents] == [1, 3]
    assert DIGEST.of_level("notice") == DIGEST


def test_systems_with_incidents_of_their_own_get_what_is_not_closed() -> None:
    assert [(one.incident.number, one.state) for one in DIGEST.notifications] == [(2, "acknowledged"), (3, "open")]


def test_a_long_digest_names_some_and_counts_the_others() -> None:
    many = replace(DIGEST, incidents=tuple(replace(PAGE, number=n) for n in range(NAMED + 7)))
    assert len(many.text.splitlines()) == NAMED + 2
    assert many.text.endswith("and 7 more")


def test_its_key_and_its_link_are_of_the_digest() -> None:
    assert DIGEST.key != replace(DIGEST, event="other").key
    assert DIGEST.link("https://m/{deployment}/{incident}") == "https://m/4/3"
    assert DIGEST.facts == (("Deployment", "flights-eu (4), flights version 1"),)
