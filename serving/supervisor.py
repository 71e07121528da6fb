"""Several server processes at the same addresses, and one that starts them, watches them and ends them together.

The kernel spreads connections over the workers (``SO_REUSEPORT``). The supervisor answers nothing itself; it is forked
from before TensorFlow is loaded, so that it stays small, and starts no thread.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, final

from monitoring.errors import BadInput, CannotRun, PitfallsError
from serving.address import port_of
from serving.draining import AFTER_DRAIN_S
from serving.server import check_models, ready_of, serve, take_doors
from serving.settings import Ready
from serving.worker import SENT, Place, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.settings import ServeSettings

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
#: A worker that has lived so long was well: the next pause is the first again.
WELL_S = 60.0
TEXTS_KEPT = 1000


@dataclass(slots=True, kw_only=True)
class _Hand:
    """What the supervisor knows of one worker."""

    number: int
    pid: int = 0  # 0: none runs
    control: socket.socket | None = None
    heard: bytes = b""
    ready: dict[str, Any] | None = None
    failure: PitfallsError | None = None
    said: Counter[str] = field(default_factory=Counter)
    started_s: float = 0.0
    pause_s: float = 0.0
    restart_at_s: float | None = None


def serve_workers(
    settings: ServeSettings,
    count: int,
    *,
    on_ready: Callable[[Ready], None],
    report: Callable[[str], None],
    prepare: Callable[[], None] = lambda: None,
) -> None:
    """As `serving.server.serve`, in ``count`` processes. ``prepare`` is called in each of them.

    ``on_ready`` is called when all of them answer. A worker that dies is replaced: at once after a minute of good
    health, otherwise after a pause that doubles from 1 to 30 s. Call it before the process has any thread.

    Raises:
        BadInput, CannotRun: as a single server; or a worker dies before all are ready.
    """
    check_models(settings.shelf)
    with ExitStack() as stack:
        doors = take_doors(settings, report, is_shared=True)
        for door in doors:
            if door is not None:
                stack.enter_context(door)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pitfalls-")))
        taken, grpc_taken = doors
        address, grpc = settings.address, settings.grpc
        settings = replace(
            settings,
            address=None if taken is None or address is None else replace(address, port=port_of(taken)),
            grpc=None
            if grpc_taken is None or grpc is None
            else replace(grpc, address=replace(grpc.address, port=port_of(grpc_taken))),
        )
        supervisor = _Supervisor(settings, folder, prepare, report)

        def ready(models: dict[str, tuple[int, ...]]) -> None:
            on_ready(ready_of(doors, models))

        supervisor.run(count, ready)


@final
class _Supervisor:
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
        self._hands: list[_Hand] = []
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
                self._hands = [_Hand(number=number) for number in range(count)]
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
            if hand.control is not None:
                self._listen(hand)
            failure, was_ready = hand.failure, hand.ready is not None
            self._forget(hand)
            code = os.waitstatus_to_exitcode(status)
            if self._told:
                if code and len(self._told) == 1 and was_ready:  # one that was still loading may simply die
                    self._failure = self._failure or _ended(f"with {_how(code)}")
            elif not self._is_ready:
                self._failure = self._failure or failure or _ended(f"with {_how(code)}, before it was ready")
                self._stop(signal.SIGTERM)
                self._send(signal.SIGKILL)
            else:
                self._replace(hand, pid, code, was_ready=was_ready)

    def _replace(self, hand: _Hand, pid: int, code: int, *, was_ready: bool) -> None:
        was_well = was_ready and time.monotonic() - hand.started_s >= WELL_S
        hand.pause_s = FIRST_PAUSE_S if was_well or not hand.pause_s else min(2 * hand.pause_s, LONGEST_PAUSE_S)
        hand.restart_at_s = time.monotonic() + hand.pause_s
        self._report(
            f"Worker {hand.number} (process {pid}) has ended with {_how(code)}; another starts in {hand.pause_s:g} s."
        )

    def _forget(self, hand: _Hand) -> None:
        if hand.control is not None:
            self._selector.unregister(hand.control)
            hand.control.close()
        hand.pid, hand.control, hand.heard, hand.ready, hand.failure = 0, None, b"", None, None
        hand.said.clear()

    def _listen(self, hand: _Hand) -> None:
        """What a worker has said since, whole lines of it."""
        assert hand.control is not None  # noqa: S101 - for the type checker: it is registered while it is there
        while True:
            try:
                heard = hand.control.recv(1 << 16)
            except BlockingIOError:
                break
            except OSError:
                heard = b""
            if not heard:
                break
            hand.heard += heard
        *lines, hand.heard = hand.heard.split(b"\n")
        for line in lines:
            self._take(hand, json.loads(line))

    def _take(self, hand: _Hand, message: dict[str, Any]) -> None:
        if "ready" in message:
            hand.ready = message["ready"]
            if self._is_ready:
                self._report(f"Worker {hand.number} (process {hand.pid}) answers.")
        elif "failed" in message:
            kind = BadInput if message["failed"].pop("exit_code") == BadInput.exit_code else CannotRun
            hand.failure = kind(**message["failed"])
            if self._is_ready:
                self._report(f"Worker {hand.number}: {hand.failure}")
        else:
            self._repeat(hand, message["said"])

    def _repeat(self, hand: _Hand, text: str) -> None:
        """What several workers say is said once; what one says again is said again."""
        hand.said[text] += 1
        if hand.said[text] > self._printed[text]:
            if len(self._printed) > TEXTS_KEPT:
                self._printed.clear()
            self._printed[text] = hand.said[text]
            self._report(text)

    def _start(self, hand: _Hand) -> None:
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal that comes before the child has handlers of its own waits until it does.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        pid = os.fork()
        if not pid:
            ours.close()
            self._be_worker(hand.number, theirs)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        theirs.close()
        ours.settimeout(0)
        self._selector.register(ours, selectors.EVENT_READ, hand)
        hand.pid, hand.control, hand.started_s, hand.restart_at_s = pid, ours, time.monotonic(), None

    def _be_worker(self, number: int, control: socket.socket) -> NoReturn:
        """The child's whole life; it never returns into the supervisor's code."""
        code = CannotRun.exit_code
        try:
            os.setpgid(0, 0)  # Ctrl-C in a terminal is for the supervisor, which passes it on
            signal.set_wakeup_fd(-1)
            for one in SIGNALS:
                signal.signal(one, signal.SIG_IGN if one == signal.SIGHUP else signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            for hand in self._hands:
                if hand.control is not None:
                    hand.control.close()

            def send(**message: Any) -> None:
                control.sendall(json.dumps(message).encode() + b"\n")

            try:
                serve(
                    self._settings,
                    on_ready=lambda ready: send(ready=asdict(ready)),
                    report=lambda text: send(said=text),
                    prepare=self._prepare,
                    company=Worker(Place(folder=self._folder, number=number, control=control)),
                )
                code = 0
            except PitfallsError as error:
                code = error.exit_code
                told = {"what": error.what, "got": error.got, "expected": error.expected, "fix": error.fix}
                send(failed={**told, "exit_code": code})
        except BaseException:  # noqa: BLE001 - the child ends here whatever happens; the traceback is shown
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _ended(how: str) -> CannotRun:
    return CannotRun(
        "A worker did not end well.",
        got=how,
        expected="exit code 0 when the server was told to stop",
        fix="The lines above say why; without --workers there is one process, which is easier to watch.",
    )
