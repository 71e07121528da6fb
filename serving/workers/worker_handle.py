"""One worker as its supervisor knows it: its process, what it has said, and when another takes its place."""

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
#: A worker that has answered so long was well: the next pause is the first again.
WELL_S = 60.0


@dataclass(slots=True, kw_only=True)
class WorkerHandle:
    """Moments are seconds of the supervisor's clock."""

    number: int
    pid: int = 0
    """0: none runs."""
    control: socket.socket | None = None
    """From the worker, without blocking; its end tells the worker that the supervisor is gone."""
    ready: dict[str, Any] | None = None
    """What it said when it could answer."""
    failure: PitfallsError | None = None
    """Why it could not start, in its own words."""
    said: Counter[str] = field(default_factory=Counter)
    started_s: float = 0.0
    pause_s: float = 0.0
    restart_at_s: float | None = None
    _heard: bytes = b""

    def begin(self, pid: int, control: socket.socket, now_s: float) -> None:
        """A process runs in this place."""
        control.settimeout(0)
        self.pid, self.control, self.started_s, self.restart_at_s = pid, control, now_s, None

    def hear(self) -> list[dict[str, Any]]:
        """What it has said since, whole messages of it."""
        while self.control is not None:
            try:
                heard = self.control.recv(1 << 16)
            except BlockingIOError:
                break
            except OSError:
                heard = b""
            if not heard:
                break
            self._heard += heard
        *lines, self._heard = self._heard.split(b"\n")
        return [json.loads(line) for line in lines]

    def note(self, message: dict[str, Any]) -> None:
        """Remember that it answers, or why it does not."""
        if "ready" in message:
            self.ready = message["ready"]
        elif "failed" in message:
            told = dict(message["failed"])
            kind = BadInput if told.pop("exit_code") == BadInput.exit_code else CannotRun
            self.failure = kind(**told)

    def plan(self, now_s: float, *, was_ready: bool) -> None:
        """It has died: another starts after a pause, which doubles from 1 to 30 s unless this one had been well."""
        was_well = was_ready and now_s - self.started_s >= WELL_S
        self.pause_s = FIRST_PAUSE_S if was_well or not self.pause_s else min(2 * self.pause_s, LONGEST_PAUSE_S)
        self.restart_at_s = now_s + self.pause_s

    def clear(self) -> None:
        """Nothing runs in this place; what is planned for it stands."""
        if self.control is not None:
            self.control.close()
        self.pid, self.control, self._heard, self.ready, self.failure = 0, None, b"", None, None
        self.said.clear()
