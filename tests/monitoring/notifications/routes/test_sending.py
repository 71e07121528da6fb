from __future__ import annotations

import errno
import os
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.config import RouteSection
from monitoring.config.routes import (
    AlertmanagerRoute,
    CommandRoute,
    EmailRoute,
    PagerDutyRoute,
    SlackRoute,
    WebhookRoute,
)
from monitoring.notifications.digest import Digest, Message
from monitoring.notifications.notification import example_notification
from monitoring.notifications.routes.post import Answer
from monitoring.notifications.routes.request import RouteRequest
from monitoring.notifications.routes.sending import LONGEST_WAIT, Delivery, Sender, notify, wants
from monitoring.records import IncidentState, Level
from tests.monitoring.notifications.receivers import APRIL, DEPLOYMENT, OPENED, PAGE, Receiver, sender
from tests.monitoring.notifications.routes.smtp_server import SmtpServer, smtp_server

DIGEST = Digest(event="e", events=9, incidents=(replace(PAGE, number=1, state="closed"), PAGE), deployment=DEPLOYMENT)


def send(message: Message, *routes: RouteSection) -> tuple[tuple[Delivery, ...], list[float]]:
    waits: list[float] = []
    return notify(message, routes, sender=sender(waits)), waits


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file with a secret in it."""
    file = tmp_path / "secret"
    file.write_text("hidden\n")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(
    ("incident", "route", "state", "wanted"),
    [
        ("page", "page", "open", True),
        ("page", "notice", "worse", True),
        ("notice", "page", "open", False),
        ("notice", "notice", "open", True),
        ("page", "page", "closed", False),
    ],
)
def test_who_wants_what(incident: Level, route: Level, state: IncidentState, *, wanted: bool) -> None:
    message = replace(OPENED, state=state, incident=replace(PAGE, level=incident))
    assert wants(WebhookRoute(webhook="https://h/x", level=route), message) == wanted
    assert wants(WebhookRoute(webhook="https://h/x", level=route, states=("closed",)), message) == (state == "closed")


def test_a_test_and_a_digest_are_for_every_state() -> None:
    route = WebhookRoute(webhook="https://h/x", states=("closed",))
    assert wants(route, example_notification(APRIL))
    assert wants(route, DIGEST)
    assert not wants(route, replace(DIGEST, incidents=(replace(PAGE, level="notice"),)))


def test_a_receiver_that_stumbles_is_notified_the_second_time(receiver: Receiver) -> None:
    receiver.statuses = [500, 200]
    (delivery,), waits = send(OPENED, WebhookRoute(webhook=receiver.url))
    assert (delivery.ok, delivery.detail) == (True, "HTTP 200, attempt 2 of 3")
    assert waits == [1.0]
    assert receiver.bodies[0] == receiver.bodies[1]


def test_a_receiver_that_stays_broken_is_tried_three_times(receiver: Receiver) -> None:
    receiver.statuses = [503]
    (delivery,), waits = send(OPENED, WebhookRoute(webhook=receiver.url))
    assert (delivery.ok, delivery.gone, delivery.detail) == (False, False, "HTTP 503, attempt 3 of 3")
    assert waits == [1.0, 2.0]


def test_a_receiver_is_waited_for_as_it_asks_within_bounds(receiver: Receiver) -> None:
    receiver.statuses, receiver.retry_after = [429, 200], str(int(LONGEST_WAIT))
    (delivery,), waits = send(OPENED, WebhookRoute(webhook=receiver.url))
    assert (delivery.ok, waits) == (True, [LONGEST_WAIT])
    receiver.statuses, receiver.retry_after = [429, 200], "3600"
    (delivery,), waits = send(OPENED, WebhookRoute(webhook=receiver.url))
    assert (delivery.ok, delivery.detail, waits) == (False, "HTTP 429, asks to wait 3600 s", [])


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 410])
def test_a_refusal_is_final_and_only_gone_is_for_good(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status, 200]
    (delivery,), waits = send(OPENED, WebhookRoute(webhook=receiver.url))
    assert (delivery.ok, delivery.gone, waits) == (False, status == 410, [])
    assert len(receiver.bodies) == 1


def test_nobody_listening_is_reported_without_the_secret() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: the port refuses
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/secret"
        (delivery,), waits = send(OPENED, WebhookRoute(webhook=url))
    assert (delivery.ok, delivery.detail) == (False, f"{os.strerror(errno.ECONNREFUSED)}, attempt 3 of 3")
    assert waits == [1.0, 2.0]
    assert delivery.shown == url.replace("secret", "…")


def test_one_broken_receiver_does_not_keep_the_next_from_hearing(receiver: Receiver) -> None:
    broken = WebhookRoute(webhook="http://127.0.0.1:1/secret")
    (first, second), _ = send(OPENED, broken, WebhookRoute(webhook=receiver.url))
    assert (first.ok, second.ok) == (False, True)


def test_hanging_receivers_are_waited_for_side_by_side() -> None:
    barrier = threading.Barrier(5)

    def wait(_request: RouteRequest) -> Answer:
        barrier.wait(10)  # none gets on before all are there
        return Answer(status=200)

    routes = [WebhookRoute(webhook=f"https://hooks.example.org/{n}") for n in range(5)]
    assert all(one.ok for one in notify(OPENED, routes, sender=Sender(post=wait)))


def test_pagerduty_gets_a_test_that_ends_and_of_a_digest_what_is_open(receiver: Receiver, secret: Path) -> None:
    route = PagerDutyRoute(route="pagerduty", routing_key_file=secret, url=receiver.url)
    for message in (OPENED, example_notification(APRIL), DIGEST):
        (delivery,), _ = send(message, route)
        assert delivery.ok
    sent = [(one["event_action"], one["dedup_key"], one["routing_key"]) for one in receiver.documents]
    test = example_notification(APRIL).key
    assert sent == [
        ("trigger", OPENED.key, "hidden"),
        ("trigger", test, "hidden"),
        ("resolve", test, "hidden"),
        ("trigger", OPENED.key, "hidden"),
    ]
    (nothing,), _ = send(replace(DIGEST, incidents=DIGEST.incidents[:1]), route)
    assert (nothing.ok, nothing.detail) == (True, "nothing to send: no incident is open")


def test_alertmanager_gets_an_alert_with_its_token(receiver: Receiver, secret: Path) -> None:
    url = receiver.url.partition("/hook")[0]
    (delivery,), _ = send(OPENED, AlertmanagerRoute(route="alertmanager", url=f"{url}/", token_file=secret))
    assert delivery.ok
    assert receiver.paths == ["/api/v2/alerts"]
    assert receiver.headers[0]["authorization"] == "Bearer hidden"
    assert receiver.documents[0][0]["endsAt"] == "2013-05-01T00:00:00Z"


def test_slack_s_address_comes_from_the_environment(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK", receiver.url)
    (delivery,), _ = send(DIGEST, SlackRoute(route="slack", webhook_env="SLACK_WEBHOOK"))
    assert delivery == replace(delivery, ok=True, shown="slack, webhook of the variable SLACK_WEBHOOK")
    assert receiver.documents[0]["blocks"][0]["type"] == "header"


def test_a_webhook_is_signed_where_there_is_a_secret(receiver: Receiver, secret: Path) -> None:
    secret.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    send(OPENED, WebhookRoute(webhook=receiver.url, secret_file=secret), WebhookRoute(webhook=receiver.url))
    assert sorted("webhook-signature" in sent for sent in receiver.headers) == [False, True]


def test_email_and_command_are_sent_too(tmp_path: Path) -> None:
    command = CommandRoute(route="command", command=("/bin/sh", "-c", 'cat > "$0"', str(tmp_path / "out")))
    with smtp_server(SmtpServer()) as server:
        mail = EmailRoute(
            route="email", host="127.0.0.1", port=server.port, security="none", sender="m@a.org", to=("o@a.org",)
        )
        deliveries, _ = send(DIGEST, mail, command)
    assert [(one.ok, one.detail) for one in deliveries] == [(True, "taken by the server"), (True, "exit status 0")]
    assert len(server.mails) == 1
    assert '"kind": "digest"' in (tmp_path / "out").read_text()
    quick = CommandRoute.model_validate({"route": "command", "command": ["/bin/sleep", "9"], "timeout": "1s"})
    assert not send(OPENED, quick)[0][0].ok


def test_a_secret_that_cannot_be_used_is_an_outcome_that_does_not_quote_it(secret: Path) -> None:
    slack = SlackRoute(route="slack", webhook_file=secret)
    (delivery,), _ = send(OPENED, slack)
    assert not delivery.ok
    assert "not a URL that is allowed" in delivery.detail
    secret.chmod(0o644)
    (delivery,), _ = send(OPENED, slack)
    assert "others may read" in delivery.detail
    assert "hidden" not in delivery.detail
