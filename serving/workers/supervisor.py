"""One process that starts workers, hears them, replaces those that die, passes signals on, and ends them together.

It answers nothing itself, starts no thread, and is there before TensorFlow is loaded, so that it stays small.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections import Counter
from typing import TYPE_CHECKING, final

from monitoring.errors import CannotRun, PitfallsError
from serving.server.shutdown import AFTER_DRAIN_S
from serving.workers.worker import SENT
from serving.workers.worker_handle import WorkerHandle
from serving.workers.worker_process import SIGNALS, fork_worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from serving.server.settings import ServeSettings

TEXTS_KEPT = 1000


@final
class Supervisor:
    """Starts workers, hears them, replaces the dead, passes signals on."""

    def __init__(
        self,
        settings: ServeSettings,
        folder: Path,
        prepare: Callable[[], None],
        report: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._prepare = prepare
        self._report = report
        self._selector = selectors.DefaultSelector()
        self._hands: list[WorkerHandle] = []
        self._signals: list[int] = []
        self._printed: Counter[str] = Counter()
        self._told: list[int] = []
        self._kill_at_s: float | None = None
        self._failure: PitfallsError | None = None
        self._is_ready = False

    def run(self, count: int, on_ready: Callable[[dict[str, tuple[int, ...]]], None]) -> None:
        """Until a signal says that it is over, and every worker has ended. Raises what kept a worker from starting."""
        wake, woken = socket.socketpair()
        with wake, woken:
            for one in (wake, woken):
                one.settimeout(0)
            self._selector.register(wake, selectors.EVENT_READ)
            before = {number: signal.signal(number, self._hear_signal) for number in SIGNALS}
            wakeup = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
            try:
                self._hands = [WorkerHandle(number=number) for number in range(count)]
                for hand in self._hands:
                    self._start(hand)
                while any(hand.pid or hand.restart_at_s is not None for hand in self._hands):
                    self._turn(wake)
                    if not self._is_ready and not self._told and all(hand.ready for hand in self._hands):
                        self._is_ready = True
                        models = (self._hands[0].ready or {}).get("models", {})
                        on_ready({name: tuple(numbers) for name, numbers in models.items()})
            finally:
                self._kill()
                signal.set_wakeup_fd(wakeup)
                for number, handler in before.items():
                    signal.signal(number, handler)
        if self._failure is not None:
            raise self._failure
        if len(self._told) > 1 or not self._is_ready:
            raise SystemExit(128 + self._told[-1])

    def _hear_signal(self, number: int, _: object) -> None:
        self._signals.append(number)

    def _turn(self, wake: socket.socket) -> None:
        """Wait for something to happen, and answer it."""
        for key, _ in self._selector.select(self._patience_s()):
            if key.fileobj is wake:
                wake.recv(4096)
            else:
                self._listen(key.data)
        while self._signals:
            self._answer_signal(self._signals.pop(0))
        self._bury()
        now = time.monotonic()
        if self._kill_at_s is not None and now >= self._kill_at_s:
            self._report("A worker has not ended in time and is ended by force.")
            self._failure = self._failure or _ended("not within the time for draining")
            self._kill()
        for hand in self._hands:
            if hand.restart_at_s is not None and now >= hand.restart_at_s:
                self._start(hand)

    def _patience_s(self) -> float | None:
        moments = [hand.restart_at_s for hand in self._hands if hand.restart_at_s is not None]
        moments += [] if self._kill_at_s is None else [self._kill_at_s]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _answer_signal(self, number: int) -> None:
        if number == signal.SIGCHLD:
            return
        if number == signal.SIGHUP:
            (self._folder / SENT).unlink(missing_ok=True)
        else:
            self._stop(number)
        self._send(number)

    def _stop(self, number: int) -> None:
        """From now on nobody is replaced, and there is an end to waiting."""
        self._told.append(number)
        self._kill_at_s = self._kill_at_s or time.monotonic() + self._settings.limits.drain_s + AFTER_DRAIN_S + 5.0
        for hand in self._hands:
            hand.restart_at_s = None

    def _send(self, number: int) -> None:
        for hand in self._hands:
            if hand.pid:
                os.kill(hand.pid, number)

    def _kill(self) -> None:
        for hand in self._hands:
            hand.restart_at_s = None
            if hand.pid:
                os.kill(hand.pid, signal.SIGKILL)
                os.waitpid(hand.pid, 0)
                self._forget(hand)

    def _bury(self) -> None:
        """See who has died, and decide what comes of it."""
        for hand in self._hands:
            if not hand.pid:
                continue
            pid, status = os.waitpid(hand.pid, os.WNOHANG)
            if not pid:
                continue
            self._listen(hand)
            failure, was_ready = hand.failure, hand.ready is not None
            self._forget(hand)
            how = _how(os.waitstatus_to_exitcode(status))
            if self._told:
                if status and len(self._told) == 1 and was_ready:  # one that was still loading may simply die
                    self._failure = self._failure or _ended(f"with {how}")
            elif not self._is_ready:
                self._failure = self._failure or failure or _ended(f"with {how}, before it was ready")
                self._stop(signal.SIGTERM)
                self._send(signal.SIGKILL)
            else:
                hand.plan(time.monotonic(), was_ready=was_ready)
                started = f"another starts in {hand.pause_s:g} s"
                self._report(f"Worker {hand.number} (process {pid}) has ended with {how}; {started}.")

    def _forget(self, hand: WorkerHandle) -> None:
        if hand.control is not None:
            self._selector.unregister(hand.control)
        hand.clear()

    def _listen(self, hand: WorkerHandle) -> None:
        for message in hand.hear():
            hand.note(message)
            if "said" in message:
                self._repeat(hand, message["said"])
            elif self._is_ready:
                what = f" (process {hand.pid}) answers." if hand.failure is None else f": {hand.failure}"
                self._report(f"Worker {hand.number}{what}")

    def _repeat(self, hand: WorkerHandle, text: str) -> None:
        """What several workers say is said once; what one says again is said again."""
        hand.said[text] += 1
        if hand.said[text] > self._printed[text]:
            if len(self._printed) > TEXTS_KEPT:
                self._printed.clear()
            self._printed[text] = hand.said[text]
            self._report(text)

    def _start(self, hand: WorkerHandle) -> None:
        controls = [other.control for other in self._hands if other.control is not None]
        pid, control = fork_worker(hand.number, self._settings, self._folder, self._prepare, controls)
        hand.begin(pid, control, time.monotonic())
        self._selector.register(control, selectors.EVENT_READ, hand)


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _ended(how: str) -> CannotRun:
    return CannotRun(
        "A worker did not end well.",
        got=how,
        expected="exit code 0 when the server was told to stop",
        fix="The lines above say why; without --workers there is one process, which is easier to watch.",
    )
