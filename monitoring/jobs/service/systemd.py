"""What a service tells systemd, by its notification socket: that it is ready, alive, and stopping (`sd_notify`)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping

_SOCKET, _WATCHDOG, _PROCESS = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"


class Systemd:
    """The socket that systemd gives a unit of `Type=notify`; elsewhere nothing is told.

    A unit with `WatchdogSec` is restarted unless it says in time that it is alive.
    """

    def __init__(self, environment: Mapping[str, str], report: Callable[[str], None]) -> None:
        """Tells nothing yet.

        Args:
            report: Takes a line about a socket that cannot be written.
        """
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
