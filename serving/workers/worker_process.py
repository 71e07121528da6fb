"""The process of a worker: forked from its supervisor before TensorFlow is loaded."""

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

#: Signals that a supervisor handles, and workers must not before they have handlers of their own.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def fork_worker(
    number: int,
    settings: ServeSettings,
    folder: Path,
    prepare: Callable[[], None],
    others: Iterable[socket.socket],
) -> tuple[int, socket.socket]:
    """Start a worker; only in a process without threads.

    Args:
        prepare: Called in the worker just before TensorFlow is imported.
        others: The supervisor's sockets to other workers, which this one closes.

    Returns:
        The process id, and the socket on which the worker's messages come.
    """
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
        for one in SIGNALS:
            signal.signal(one, signal.SIG_DFL)
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
