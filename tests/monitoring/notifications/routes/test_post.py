from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from monitoring.notifications.routes.post import Answer, post
from monitoring.notifications.routes.request import RouteRequest, json_request
from tests.monitoring.notifications.receivers import Receiver


def request(url: str) -> RouteRequest:
    return json_request(url, {"a": 1}, {"x-more": "yes"})


def test_body_and_headers_are_sent(receiver: Receiver) -> None:
    assert post(request(receiver.url)) == Answer(status=200)
    assert receiver.documents == [{"a": 1}]
    sent = receiver.headers[0]
    assert (sent["content-type"], sent["user-agent"], sent["x-more"]) == ("application/json", "pitfalls-monitor", "yes")


@pytest.mark.parametrize(("text", "seconds"), [("7", 7.0), ("soon", None), ("-1", None), ("", None)])
def test_how_long_a_receiver_asks_to_wait(receiver: Receiver, text: str, seconds: float | None) -> None:
    receiver.statuses, receiver.retry_after = [429], text
    assert post(request(receiver.url)) == Answer(status=429, retry_after=seconds)


def test_a_receiver_may_give_the_time_itself(receiver: Receiver) -> None:
    receiver.retry_after = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    asked = post(request(receiver.url)).retry_after
    assert asked is not None
    assert 50 < asked <= 60
    receiver.retry_after = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    assert post(request(receiver.url)).retry_after == 0.0


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.statuses = [307, 200]
    assert post(request(receiver.url)).status == 307
    assert len(receiver.bodies) == 1


def test_nobody_listening_is_said_without_the_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: the port refuses
        with pytest.raises(ConnectionError, match=os.strerror(errno.ECONNREFUSED)) as caught:
            post(request(f"http://127.0.0.1:{taken.getsockname()[1]}/secret"))
    assert "secret" not in str(caught.value)


def test_a_receiver_that_drips_is_left_in_time() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _address = listener.accept()
        with contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for _ in range(100):
                time.sleep(0.05)
                connection.sendall(b"x: y\r\n")
        connection.close()

    thread = threading.Thread(target=drip)
    thread.start()
    began = time.monotonic()
    with pytest.raises(ConnectionError, match=r"no response within 0\.3 s"):
        post(request(f"http://127.0.0.1:{listener.getsockname()[1]}/"), timeout=0.3)
    assert time.monotonic() - began < 3.0
    thread.join()
    listener.close()


def test_the_environment_s_proxy_never_sees_what_stays_on_this_machine(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    assert post(request(receiver.url)).status == 200
