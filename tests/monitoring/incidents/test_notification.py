from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from monitoring.config import Webhook
from monitoring.incidents.notification import Delivery, NotificationSource, notify, post, receiver_of
from monitoring.records import IncidentRecord, Level

APRIL = datetime(2013, 4, 22, tzinfo=UTC)
SOURCE = NotificationSource(name="flights-eu", number=4, model="flights", version=1)


@pytest.fixture
def page() -> IncidentRecord:
    return IncidentRecord(
        number=3,
        level="page",
        state="open",
        opened_at=APRIL + timedelta(days=1),
        window_start=APRIL,
        window_end=APRIL + timedelta(days=1),
        watch="surprise_brier",
        slice="origin=EWR",
        cause="the model is wrong",
        message="Brier rose by .063 — more than harmless.",
    )


@dataclass
class Receiver:
    """A webhook's server: answers with the given statuses in turn, the last one for ever."""

    statuses: list[int]
    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    open_gate: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        receiver = self.receiver
        receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
        receiver.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        receiver.open_gate.wait(30)
        status = receiver.statuses.pop(0) if len(receiver.statuses) > 1 else receiver.statuses[0]
        try:
            self.send_response(status)
            self.send_header("location", "/elsewhere")
            self.end_headers()
        except BrokenPipeError:  # the sender has lost its patience, as it should
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    state = Receiver(statuses=[200])
    state.open_gate.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"receiver": state}))
    state.url = f"http://127.0.0.1:{server.server_address[1]}/hook/secret?key=secret"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.open_gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


def tell(incident: IncidentRecord, *webhooks: Webhook) -> tuple[tuple[Delivery, ...], list[float]]:
    waits: list[float] = []
    deliveries = notify(incident, source=SOURCE, webhooks=webhooks, send=partial(post, timeout=5.0), sleep=waits.append)
    return deliveries, waits


def test_a_webhook_gets_the_incident_as_the_command_line_shows_it(receiver: Receiver, page: IncidentRecord) -> None:
    (delivery,), waits = tell(page, Webhook(webhook=receiver.url))
    assert delivery.ok
    assert waits == []
    assert [json.loads(body) for body in receiver.bodies] == [
        {
            "event": "flights-eu/4/3/0",
            "deployment": "flights-eu",
            "deployment_id": 4,
            "model": "flights",
            "version": 1,
            "id": 3,
            "level": "page",
            "opened_at": "2013-04-23T00:00:00Z",
            "window": {"start": "2013-04-22T00:00:00Z", "end": "2013-04-23T00:00:00Z"},
            "watch": "surprise_brier",
            "slice": "origin=EWR",
            "cause": "the model is wrong",
            "message": "Brier rose by .063 — more than harmless.",
            "state": "open",
        }
    ]
    assert receiver.headers[0]["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("incident", "webhook", "heard"),
    [("page", "page", True), ("page", "notice", True), ("notice", "page", False), ("notice", "notice", True)],
)
def test_who_hears_what(
    receiver: Receiver, page: IncidentRecord, incident: Level, webhook: Level, *, heard: bool
) -> None:
    deliveries, _ = tell(replace(page, level=incident), Webhook(webhook=receiver.url, level=webhook))
    assert len(receiver.bodies) == len(deliveries) == int(heard)


def test_a_receiver_that_stumbles_is_notified_the_second_time(receiver: Receiver, page: IncidentRecord) -> None:
    receiver.statuses = [500, 200]
    (delivery,), waits = tell(page, Webhook(webhook=receiver.url))
    assert delivery == Delivery(
        url=delivery.url, receiver=delivery.receiver, ok=True, detail="HTTP 200, attempt 2 of 3"
    )
    assert waits == [1.0]
    assert receiver.bodies[0] == receiver.bodies[1]


def test_a_receiver_that_stays_broken_is_tried_three_times(receiver: Receiver, page: IncidentRecord) -> None:
    receiver.statuses = [503]
    (delivery,), waits = tell(page, Webhook(webhook=receiver.url))
    assert (delivery.ok, delivery.detail) == (False, "HTTP 503, attempt 3 of 3")
    assert waits == [1.0, 2.0]
    assert len(receiver.bodies) == 3


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 410])
def test_a_refusal_is_final_and_a_redirect_is_not_followed(
    receiver: Receiver, page: IncidentRecord, status: int
) -> None:
    receiver.statuses = [status, 200]
    (delivery,), waits = tell(page, Webhook(webhook=receiver.url))
    assert (delivery.ok, delivery.detail, waits) == (False, f"HTTP {status}", [])
    assert len(receiver.bodies) == 1


def test_nobody_listening_is_reported_without_the_secret(page: IncidentRecord) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: the port refuses
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/secret"
        (delivery,), waits = tell(page, Webhook(webhook=url))
    assert (delivery.ok, delivery.detail) == (False, f"{os.strerror(errno.ECONNREFUSED)}, attempt 3 of 3")
    assert waits == [1.0, 2.0]
    assert delivery.url == url.replace("secret", "…")


def test_a_receiver_that_never_answers_is_given_up(receiver: Receiver, page: IncidentRecord) -> None:
    receiver.open_gate.clear()
    webhooks = [Webhook(webhook=receiver.url)]
    (delivery,) = notify(page, source=SOURCE, webhooks=webhooks, send=partial(post, timeout=0.1), sleep=lambda _: None)
    assert (delivery.ok, delivery.detail) == (False, "no response within 0.1 s, attempt 3 of 3")
    assert "secret" not in delivery.url


def test_a_receiver_that_hangs_up_and_a_name_that_does_not_exist_are_reported(page: IncidentRecord) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/secret"

    def hang_up() -> None:
        for _ in range(3):
            connection, _address = listener.accept()
            connection.close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    (hung, nameless), _ = tell(page, Webhook(webhook=url), Webhook(webhook="https://nowhere.invalid/secret"))
    thread.join()
    listener.close()
    assert not hung.ok
    assert not nameless.ok
    assert "secret" not in hung.detail + nameless.detail
    assert nameless.url == "https://nowhere.invalid/…"


def test_one_broken_webhook_does_not_keep_the_next_from_hearing(receiver: Receiver, page: IncidentRecord) -> None:
    broken = Webhook(webhook="http://127.0.0.1:1/secret")
    (first, second), _ = tell(page, broken, Webhook(webhook=receiver.url))
    assert (first.ok, second.ok) == (False, True)


def test_the_environment_s_proxy_never_sees_what_stays_on_this_machine(
    receiver: Receiver, page: IncidentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    (delivery,), _ = tell(page, Webhook(webhook=receiver.url))
    assert delivery.ok


def test_a_receiver_that_drips_is_left_in_time() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _address = listener.accept()
        with contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for _ in range(100):
                time.sleep(0.1)
                connection.sendall(b"x: y\r\n")
        connection.close()

    thread = threading.Thread(target=drip)
    thread.start()
    began = time.monotonic()
    with pytest.raises(ConnectionError, match=r"no response within 0\.5 s"):
        post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", timeout=0.5)
    assert time.monotonic() - began < 3.0
    thread.join()
    listener.close()


def test_hanging_webhooks_are_waited_for_side_by_side(page: IncidentRecord) -> None:
    barrier = threading.Barrier(5)

    def send(_url: str, _body: bytes) -> int:
        barrier.wait(10)  # none gets on before all are there
        return 200

    webhooks = [Webhook(webhook=f"https://hooks.example.org/{n}") for n in range(5)]
    assert all(one.ok for one in notify(page, source=SOURCE, webhooks=webhooks, send=send))


def test_another_way_to_send_may_be_given(page: IncidentRecord) -> None:
    sent: list[str] = []

    def send(url: str, body: bytes) -> int:
        sent.append(url)
        if len(sent) < 3:
            raise ConnectionError("the line is down")
        return 204

    webhooks = [Webhook(webhook="https://hooks.example.org/x")]
    (delivery,) = notify(page, source=SOURCE, webhooks=webhooks, send=send, sleep=lambda _: None)
    assert (delivery.ok, delivery.detail) == (True, "HTTP 204, attempt 3 of 3")


def test_importing_notification_loads_no_http_client() -> None:
    probe = "import sys, monitoring.incidents.notification; print({'httpx', 'sqlalchemy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_what_stands_for_a_receiver_tells_receivers_apart_and_no_secret() -> None:
    one, other = (Webhook(webhook=f"https://hooks.example.org/{secret}") for secret in ("secret", "another"))
    assert receiver_of(one) == receiver_of(one) != receiver_of(other)
    assert "secret" not in receiver_of(one)
