"""The heartbeat of a whole service: somebody outside is told that it lives, and that all that it runs is well."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from monitoring.config import HeartbeatSection
from monitoring.notifications.routes.heartbeat import Heartbeat
from monitoring.notifications.routes.post import post
from monitoring.notifications.routes.secret import read_secret_url

#: Seconds between two pings, and those that one may take.
EVERY_SECONDS = 60.0
_TIMEOUT = 5.0


@contextmanager
def service_heartbeat(
    url_file: Path | None,
    problem: Callable[[], str],
    stop: threading.Event,
    report: Callable[[str], None],
    *,
    every: float = EVERY_SECONDS,
) -> Iterator[None]:
    """Ping while the block runs: success where nothing is wrong, `fail` with the words where something is.

    Args:
        url_file: The file with the URL of the check; None: nobody is told.
        problem: What is wrong; empty: nothing.
        every: Seconds between two pings.
    """
    if url_file is None:
        yield
        return
    read_secret_url(url_file, None)
    beat = Heartbeat(HeartbeatSection(url_file=url_file), report, lambda request: post(request, timeout=_TIMEOUT))

    def pings() -> None:
        while not stop.wait(every):
            words = problem()
            beat.ping("fail" if words else "", words)

    thread = threading.Thread(target=pings, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(2 * _TIMEOUT)


_SOCKET, _WATCHDOG, _PROCESS = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"


class Systemd:
    """The socket that systemd gives a unit of `Type=notify`; elsewhere nothing is told.

    A unit with `WatchdogSec` is restarted unless it says in time that it is alive.
    """

    def __init__(self, environment: Mapping[str, str], report: Callable[[str], None]) -> None:
        """Tells nothing yet."""
        self._address = environment.get(_SOCKET, "")
        process = environment.get(_PROCESS, str(os.getpid()))
        self._watched = bool(environment.get(_WATCHDOG)) and process == str(os.getpid())
        self._report = report
        self._failed = False

    def ready(self, status: str) -> None:
        """The service can be used; `status` is shown by `systemctl status`."""
        self._tell(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        """The service has gone through its configs, and its scheduler runs."""
        if self._watched:
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The service ends."""
        self._tell("STOPPING=1")

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(5.0)
                sender.sendto(message.encode(), address)
        except OSError as error:
            if not self._failed:
                self._report(f"systemd cannot be told that the service is alive ({error}): it may restart it.")
            self._failed = True
