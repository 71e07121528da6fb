from __future__ import annotations

import subprocess
import sys
import time

import pytest

from monitoring.config import HeartbeatSection
from monitoring.errors import BadInput
from monitoring.notifications.routes.heartbeat import heartbeat
from monitoring.notifications.routes.post import post
from tests.monitoring.notifications.receivers import Receiver


def failing() -> BadInput:
    return BadInput("It failed.", got="x\ny", expected="z", fix="Mend it.")


def pinged(receiver: Receiver) -> list[str]:
    return [path.removeprefix("/hook/secret").partition("?")[0] for path in receiver.paths]


def test_a_complete_run_is_a_start_and_a_success(receiver: Receiver) -> None:
    said: list[str] = []
    with heartbeat(HeartbeatSection(url=receiver.url), said.append) as beat:
        assert pinged(receiver) == ["/start"]
        beat.complete = True
    assert pinged(receiver) == ["/start", ""]
    assert all(path.endswith("?key=secret") for path in receiver.paths)
    assert said == []


def test_a_run_that_fails_says_why_and_a_defect_says_no_more_than_its_kind(receiver: Receiver) -> None:
    section = HeartbeatSection(url=receiver.url)
    with pytest.raises(BadInput), heartbeat(section, print):
        raise failing()
    with pytest.raises(ZeroDivisionError), heartbeat(section, print):
        raise ZeroDivisionError("hidden")
    assert pinged(receiver) == ["/start", "/fail", "/start", "/fail"]
    assert receiver.bodies[1] == b"It failed. Got x y; expected z. Mend it."
    assert receiver.bodies[3] == b"a defect: ZeroDivisionError"


def test_a_run_that_was_stopped_is_neither(receiver: Receiver) -> None:
    with heartbeat(HeartbeatSection(url=receiver.url), print):
        pass
    assert pinged(receiver) == ["/start"]


def test_without_a_url_nobody_is_pinged() -> None:
    with heartbeat(HeartbeatSection(), print, send=lambda _: pytest.fail("pinged")) as beat:
        beat.complete = True


def test_a_ping_that_fails_is_a_line_and_nothing_else(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    receiver.statuses = [500]
    with heartbeat(HeartbeatSection(url=receiver.url), said.append):
        pass
    with heartbeat(HeartbeatSection(url="http://127.0.0.1:1/secret"), said.append):
        pass
    monkeypatch.setenv("PING", "not a URL, secret")
    with heartbeat(HeartbeatSection(url_env="PING"), said.append):
        pass
    assert [line.removeprefix("The heartbeat's ping failed: ") for line in said] == [
        "HTTP 500. Judging goes on.",
        "Connection refused. Judging goes on.",
        said[2].removeprefix("The heartbeat's ping failed: "),
    ]
    assert "not a URL that is allowed" in said[2]
    assert "secret" not in "".join(said).replace("A secret is", "")


def test_a_run_with_nothing_due_loads_no_http_client_for_it() -> None:
    probe = (
        "import sys, monitoring.notifications.routes.heartbeat;"
        "print({'asyncio', 'httpx', 'numpy', 'sqlalchemy', 'monitoring.records'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_service_that_hangs_is_left_in_time(receiver: Receiver) -> None:
    receiver.open_gate.clear()
    said: list[str] = []
    began = time.monotonic()
    with heartbeat(HeartbeatSection(url=receiver.url), said.append, send=lambda one: post(one, timeout=0.2)):
        pass
    assert time.monotonic() - began < 3
    assert said == ["The heartbeat's ping failed: no response within 0.2 s. Judging goes on."]
