"""The parent process of several workers: starts them, replaces those that die, forwards signals, and stops them.

It serves nothing itself, starts no thread, and is forked from before TensorFlow is loaded, so that it stays small.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, final

from monitoring.errors import BadInput, CannotRun, PitfallsError
from serving.server.server import serve
from serving.server.settings import ServeSettings
from serving.server.shutdown import AFTER_DRAIN_S
from serving.workers.list_file import ListFile
from serving.workers.worker import Worker, WorkerContext

#: Signals that a supervisor handles, and workers must not before they have handlers of their own.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def fork_worker(
    number: int, settings: ServeSettings, folder: Path, prepare: Callable[[], None], others: Iterable[socket.socket]
) -> tuple[int, socket.socket]:
    """Start a worker; only in a process without threads."""
    ours, theirs = socket.socketpair()
    sys.stdout.flush()
    sys.stderr.flush()
    # Signals that come before the child has handlers of its own stay pending until it does.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    pid = os.fork()
    if not pid:
        _run_child(settings, prepare, WorkerContext(folder=folder, number=number, control=theirs), (ours, *others))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    theirs.close()
    return pid, ours


def _run_child(
    settings: ServeSettings, prepare: Callable[[], None], context: WorkerContext, not_ours: Iterable[socket.socket]
) -> None:
    """Run the child; it never returns into the supervisor's code."""
    code = CannotRun.exit_code
    try:
        os.setpgid(0, 0)  # Ctrl-C in a terminal is for the supervisor, which forwards it
        signal.set_wakeup_fd(-1)
        for signal_number in SIGNALS:
            signal.signal(signal_number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, set(SIGNALS) - {signal.SIGHUP})  # the server holds that one
        for other in not_ours:
            other.close()
        code = _serve(settings, prepare, context)
    except BaseException:  # noqa: BLE001 - the child ends here whatever happens; the traceback is shown
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve(settings: ServeSettings, prepare: Callable[[], None], context: WorkerContext) -> int:
    def send(**message: Any) -> None:
        context.control.sendall(json.dumps(message).encode() + b"\n")

    try:
        serve(
            settings,
            on_ready=lambda ready: send(ready=asdict(ready)),
            report=lambda text: send(said=text),
            prepare=prepare,
            peers=Worker(context),
        )
    except PitfallsError as error:
        parts = {"what": error.what, "got": error.got, "expected": error.expected, "fix": error.fix}
        send(failed={**parts, "exit_code": error.exit_code})
        return error.exit_code
    return 0


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


#: Reports of a worker that are kept to recognise repeated ones.
REPORTS_KEPT = 1000


@final
class Supervisor:
    """Starts workers and keeps them running until a signal stops them."""

    def __init__(
        self, settings: ServeSettings, folder: Path, prepare: Callable[[], None], report: Callable[[str], None]
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

        Raises:
            PitfallsError: A worker could not start, or did not end well.
        """
        wake, woken = socket.socketpair()
        with wake, woken:
            for end in (wake, woken):
                end.settimeout(0)
            self._selector.register(wake, selectors.EVENT_READ)
            before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
            wakeup = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
            try:
                self._workers = [WorkerHandle(number=number) for number in range(count)]
                for worker in self._workers:
                    self._start(worker)
                while any(worker.pid or worker.restart_at_s is not None for worker in self._workers):
                    self._handle_events(wake)
                    if not self._is_ready and not self._stop_signals and all(worker.ready for worker in self._workers):
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
        before = max(worker.reports[text] for worker in self._workers)
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
