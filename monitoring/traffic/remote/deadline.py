"""A deadline for all of a piece of work, whatever it waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotDoneError
from typing import TypeVar

T = TypeVar("T")

#: Seconds between two calls of what is done meanwhile.
MEANWHILE_SECONDS = 20.0


def within(
    seconds: float, work: Callable[[Callable[[], bool]], T], *, meanwhile: Callable[[], None] = lambda: None
) -> T:
    """Do something that may wait for others, for so long at most.

    It is done in a thread of its own, so that a server that sends its answer byte by byte, or never, holds nobody.
    Past the deadline the thread is left alone; it ends no later than its own next look at the time, or the process.

    >>> within(1.0, lambda stopped: stopped())
    False

    Args:
        work: What is done; it is given a function that says whether nobody waits for it any longer.
        meanwhile: Called every 20 seconds while it is waited for; what it raises ends the wait.

    Returns:
        What the work returns; what it raises is raised here.

    Raises:
        TimeoutError: It was not done in time.
    """
    future: Future[T] = Future()
    stopped = threading.Event()

    def run() -> None:
        try:
            future.set_result(work(stopped.is_set))
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="deadline").start()
    until = time.monotonic() + seconds
    try:
        while (left := until - time.monotonic()) > 0:
            try:
                return future.result(timeout=min(left, MEANWHILE_SECONDS))
            except NotDoneError:
                if future.done():  # its own error, which is of this kind too
                    raise
            meanwhile()
    finally:
        stopped.set()
    raise TimeoutError(f"not done within {seconds:g} s")
