"""A worker as its supervisor sees it: its process, its messages, and when it is replaced."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitoring.errors import BadInput, CannotRun, PitfallsError

if TYPE_CHECKING:
    import socket

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
#: A worker that ran so long was healthy: the next pause is the first again.
HEALTHY_S = 60.0


@dataclass(slots=True, kw_only=True)
class WorkerHandle:
    """The state of one worker. Times are seconds of the supervisor's clock."""

    number: int
    pid: int = 0
    """0: no process."""
    control: socket.socket | None = None
    """From the worker, non-blocking; the worker stops when it is closed."""
    ready: dict[str, Any] | None = None
    """The worker's `ServerInfo` as JSON, once it is ready."""
    failure: PitfallsError | None = None
    """Why it could not start."""
    reports: Counter[str] = field(default_factory=Counter)
    """How often it has reported each text."""
    started_s: float = 0.0
    pause_s: float = 0.0
    """Before the restart that was scheduled last."""
    restart_at_s: float | None = None
    _received: bytes = b""

    def start(self, pid: int, control: socket.socket, now_s: float) -> None:
        """A process has been started for this worker."""
        control.settimeout(0)
        self.pid, self.control, self.started_s, self.restart_at_s = pid, control, now_s, None

    def receive(self) -> list[dict[str, Any]]:
        """The messages that have come since the last call, complete ones only."""
        while self.control is not None:
            try:
                received = self.control.recv(1 << 16)
            except BlockingIOError:
                break
            except OSError:
                received = b""
            if not received:
                break
            self._received += received
        *lines, self._received = self._received.split(b"\n")
        return [json.loads(line) for line in lines]

    def record(self, message: dict[str, Any]) -> None:
        """Keep the message that the worker is ready, or why it is not; others are ignored."""
        if "ready" in message:
            self.ready = message["ready"]
        elif "failed" in message:
            parts = dict(message["failed"])
            kind = BadInput if parts.pop("exit_code") == BadInput.exit_code else CannotRun
            self.failure = kind(**parts)

    def schedule_restart(self, now_s: float, *, was_ready: bool) -> None:
        """Restart the worker after a pause, which doubles from 1 to 30 s unless the worker had been healthy."""
        was_healthy = was_ready and now_s - self.started_s >= HEALTHY_S
        self.pause_s = FIRST_PAUSE_S if was_healthy or not self.pause_s else min(2 * self.pause_s, LONGEST_PAUSE_S)
        self.restart_at_s = now_s + self.pause_s

    def clear(self) -> None:
        """The worker has no process any more; a scheduled restart stays."""
        if self.control is not None:
            self.control.close()
        self.pid, self.control, self._received, self.ready, self.failure = 0, None, b"", None, None
        self.reports.clear()
