"""What systemd is told by its socket, and that a service which hangs tells it nothing."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from monitoring.service.service_heartbeat import Systemd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(30)
        yield receiver


def test_a_unit_says_that_it_is_ready_alive_and_stopping(listening: socket.socket) -> None:
    told = Systemd({"NOTIFY_SOCKET": listening.getsockname(), "WATCHDOG_USEC": "120000000"}, pytest.fail)
    told.ready("3 configs")
    told.alive()
    told.stopping()
    messages = [listening.recv(200).decode() for _ in range(3)]
    assert messages == ["READY=1\nSTATUS=3 configs", "WATCHDOG=1", "STOPPING=1"]


def test_a_unit_without_a_watchdog_and_a_child_say_nothing_of_being_alive(listening: socket.socket) -> None:
    address = {"NOTIFY_SOCKET": listening.getsockname()}
    Systemd(address, pytest.fail).alive()
    Systemd({**address, "WATCHDOG_USEC": "1", "WATCHDOG_PID": str(os.getpid() + 1)}, pytest.fail).alive()
    Systemd({}, pytest.fail).ready("nobody listens")
    listening.setblocking(False)
    with pytest.raises(BlockingIOError):
        listening.recv(200)


def test_a_socket_of_the_abstract_kind_is_told_and_one_that_is_gone_is_reported_once() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("")  # the kernel names it
        name = receiver.getsockname()
        address = {"NOTIFY_SOCKET": f"@{name[1:].decode()}"}
        Systemd(address, pytest.fail).stopping()
        assert receiver.recv(200) == b"STOPPING=1"
    lines: list[str] = []
    gone = Systemd(address, lines.append)
    gone.stopping()
    gone.stopping()
    assert len(lines) == 1
    assert "cannot be told" in lines[0]
