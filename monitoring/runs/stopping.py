"""Signals to stop: a run then ends between two windows."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds that a window may still take after the signal to stop.
STOP_SECONDS = 10.0


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Handle SIGTERM and SIGINT for as long as the context lasts. To be entered in the main thread, as Python demands.

    A process that has not stopped after `STOP_SECONDS`, as a server does not answer or a window is long, is ended as by
    `kill -9`, which loses nothing: the window is judged again. So is one that gets a second signal.
    """
    stop = threading.Event()

    def end(number: int, _frame: object) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()
        signal.setitimer(signal.ITIMER_REAL, STOP_SECONDS)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, lambda *_: os._exit(128 + signal.SIGTERM))
    try:
        yield stop
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
