"""The parent process of several workers: starts them, replaces those that die, forwards signals, and stops them.

It serves nothing itself, starts no thread, and is forked from before TensorFlow is loaded, so that it stays small.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from typing import TYPE_CHECKING, final

from monitoring.errors import CannotRun, PitfallsError
from serving.server.shutdown import AFTER_DRAIN_S
from serving.workers.list_file import ListFile
from serving.workers.worker_handle import WorkerHandle
from serving.workers.worker_process import SIGNALS, fork_worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from serving.server.settings import ServeSettings

#: Reports of a worker that are kept to recognise repeated ones.
REPORTS_KEPT = 1000


@final
class Supervisor:
    """Starts workers and keeps them running until a signal stops them.

    Args:
        prepare: Called in each worker just before TensorFlow is imported.
        report: Called with one sentence for each event that an operator should know of.
    """

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
        self._workers: list[WorkerHandle] = []
        self._signals: list[int] = []
        self._stop_signals: list[int] = []
        self._kill_at_s: float | None = None
        self._failure: PitfallsError | None = None
        self._is_ready = False

    def run(self, count: int, on_ready: Callable[[dict[str, tuple[int, ...]]], None]) -> None:
        """Run workers until a signal stops them and every one has ended.

        Args:
            on_ready: Called with the available versions of every model when all workers are ready.

        Raises:
            PitfallsError: A worker could not start, or did not end well.
            SystemExit: A second signal came, or a signal came before the workers were ready.
        """
        wake, woken = socket.socketpair()
        with wake, woken:
            for one in (wake, woken):
                one.settimeout(0)
            self._selector.register(wake, selectors.EVENT_READ)
            before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
            wakeup = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
            try:
                self._workers = [WorkerHandle(number=number) for number in range(count)]
                for worker in self._workers:
                    self._start(worker)
                while any(worker.pid or worker.restart_at_s is not None for worker in self._workers):
                    self._handle_events(wake)
                    if not self._is_ready and not self._stop_signals and all(one.ready for one in self._workers):
                        self._is_ready = True
                        models = (self._workers[0].ready or {}).get("models", {})
                        on_ready({name: tuple(numbers) for name, numbers in models.items()})
            finally:
                self._kill()
                signal.set_wakeup_fd(wakeup)
                for number, handler in before.items():
                    signal.signal(number, handler)
        if self._failure is not None:
            raise self._failure
        if len(self._stop_signals) > 1 or not self._is_ready:
            raise SystemExit(128 + self._stop_signals[-1])

    def _on_signal(self, number: int, _: object) -> None:
        self._signals.append(number)

    def _handle_events(self, wake: socket.socket) -> None:
        """Wait for messages, signals or a timer, and handle them."""
        for key, _ in self._selector.select(self._wait_s()):
            if key.fileobj is wake:
                wake.recv(4096)
            else:
                self._read_messages(key.data)
        while self._signals:
            self._handle_signal(self._signals.pop(0))
        self._reap()
        now = time.monotonic()
        if self._kill_at_s is not None and now >= self._kill_at_s:
            self._report("A worker did not end within the time for draining and is killed.")
            self._failure = self._failure or _worker_error("not within the time for draining")
            self._kill()
        for worker in self._workers:
            if worker.restart_at_s is not None and now >= worker.restart_at_s:
                self._start(worker)

    def _wait_s(self) -> float | None:
        """Seconds until the next timer; None without one."""
        times = [worker.restart_at_s for worker in self._workers if worker.restart_at_s is not None]
        times += [] if self._kill_at_s is None else [self._kill_at_s]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _handle_signal(self, number: int) -> None:
        if number == signal.SIGCHLD:
            return
        if number == signal.SIGHUP:
            ListFile(self._folder).count_hangup()
        else:
            self._stop(number)
        self._send(number)

    def _stop(self, number: int) -> None:
        """Replace no worker any more, and set the time at which those that are left are killed."""
        self._stop_signals.append(number)
        self._kill_at_s = self._kill_at_s or time.monotonic() + self._settings.limits.drain_s + AFTER_DRAIN_S + 5.0
        for worker in self._workers:
            worker.restart_at_s = None

    def _send(self, number: int) -> None:
        for worker in self._workers:
            if worker.pid:
                os.kill(worker.pid, number)

    def _kill(self) -> None:
        for worker in self._workers:
            worker.restart_at_s = None
            if worker.pid:
                os.kill(worker.pid, signal.SIGKILL)
                os.waitpid(worker.pid, 0)
                self._clear(worker)

    def _reap(self) -> None:
        """Collect the exit codes of workers that have ended, and schedule replacements."""
        for worker in self._workers:
            if not worker.pid:
                continue
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if not pid:
                continue
            self._read_messages(worker)
            failure, was_ready = worker.failure, worker.ready is not None
            self._clear(worker)
            how = _exit_text(os.waitstatus_to_exitcode(status))
            if self._stop_signals:
                if status and len(self._stop_signals) == 1 and was_ready:  # one that was still loading may simply die
                    self._failure = self._failure or _worker_error(f"with {how}")
            elif not self._is_ready:
                self._failure = self._failure or failure or _worker_error(f"with {how}, before it was ready")
                self._stop(signal.SIGTERM)
                self._send(signal.SIGKILL)
            else:
                worker.schedule_restart(time.monotonic(), was_ready=was_ready)
                started = f"another starts in {worker.pause_s:g} s"
                self._report(f"Worker {worker.number} (process {pid}) has ended with {how}; {started}.")

    def _clear(self, worker: WorkerHandle) -> None:
        if worker.control is not None:
            self._selector.unregister(worker.control)
        worker.clear()

    def _read_messages(self, worker: WorkerHandle) -> None:
        for message in worker.receive():
            worker.record(message)
            if "said" in message:
                self._report_once(worker, message["said"])
            elif self._is_ready:
                result = f" (process {worker.pid}) is ready." if worker.failure is None else f": {worker.failure}"
                self._report(f"Worker {worker.number}{result}")

    def _report_once(self, worker: WorkerHandle, text: str) -> None:
        """Report what several workers report only once; what one worker repeats is reported again."""
        before = max(one.reports[text] for one in self._workers)
        if len(worker.reports) > REPORTS_KEPT:
            worker.reports.clear()
        worker.reports[text] += 1
        if worker.reports[text] > before:
            self._report(text)

    def _start(self, worker: WorkerHandle) -> None:
        controls = [other.control for other in self._workers if other.control is not None]
        pid, control = fork_worker(worker.number, self._settings, self._folder, self._prepare, controls)
        worker.start(pid, control, time.monotonic())
        self._selector.register(control, selectors.EVENT_READ, worker)


def _exit_text(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _worker_error(how: str) -> CannotRun:
    return CannotRun(
        "A worker did not end well.",
        got=how,
        expected="exit code 0 after the signal to stop",
        fix="The lines above say why; without --workers there is one process, which is easier to watch.",
    )
