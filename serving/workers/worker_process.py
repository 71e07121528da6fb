"""A worker's process: forked from its supervisor before anything heavy is loaded, and gone when it has served."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import traceback
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from monitoring.errors import CannotRun, PitfallsError
from serving.server.server import serve
from serving.workers.worker import Worker, WorkerContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from serving.server.settings import ServeSettings

#: What a supervisor answers, and its workers must not while they have no handlers of their own.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def fork_worker(
    number: int,
    settings: ServeSettings,
    folder: Path,
    prepare: Callable[[], None],
    others: Iterable[socket.socket],
) -> tuple[int, socket.socket]:
    """Start a worker: its process id, and the socket by which it says what it has to.

    ``folder`` is where workers find each other; ``others`` are the supervisor's sockets to the other workers, which are
    none of this one's business. Only in a process without threads.
    """
    ours, theirs = socket.socketpair()
    sys.stdout.flush()
    sys.stderr.flush()
    # A signal that comes before the child has handlers of its own waits until it does.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    pid = os.fork()
    if not pid:
        _live(settings, prepare, WorkerContext(folder=folder, number=number, control=theirs), (ours, *others))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    theirs.close()
    return pid, ours


def _live(
    settings: ServeSettings, prepare: Callable[[], None], place: WorkerContext, not_ours: Iterable[socket.socket]
) -> None:
    """The child's whole life; it never returns into the supervisor's code."""
    code = CannotRun.exit_code
    try:
        os.setpgid(0, 0)  # Ctrl-C in a terminal is for the supervisor, which passes it on
        signal.set_wakeup_fd(-1)
        for one in SIGNALS:
            signal.signal(one, signal.SIG_IGN if one == signal.SIGHUP else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        for other in not_ours:
            other.close()
        code = _serve(settings, prepare, place)
    except BaseException:  # noqa: BLE001 - the child ends here whatever happens; the traceback is shown
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve(settings: ServeSettings, prepare: Callable[[], None], place: WorkerContext) -> int:
    def send(**message: Any) -> None:
        place.control.sendall(json.dumps(message).encode() + b"\n")

    try:
        serve(
            settings,
            on_ready=lambda ready: send(ready=asdict(ready)),
            report=lambda text: send(said=text),
            prepare=prepare,
            company=Worker(place),
        )
    except PitfallsError as error:
        told = {"what": error.what, "got": error.got, "expected": error.expected, "fix": error.fix}
        send(failed={**told, "exit_code": error.exit_code})
        return error.exit_code
    return 0
