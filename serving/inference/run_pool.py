"""The threads in which models run: a bounded number of runs at a time, fair between models.

Each version has one run at a time (`serving.inference.batching.Batcher`), and those that must wait for a thread get it
in the order of their asking, so that models take turns. One thread more than the limit is kept for runs that are not
expected to be slow: however many slow models there are, a fast one waits for no slow run.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import final


def default_runs() -> int:
    """The number of slow runs at a time: the number of processors that this process may use."""
    return len(os.sched_getaffinity(0))


@final
class RunPool:
    """Threads for runs. Every method is called in one event loop.

    Args:
        runs: How many slow runs may take place at a time; None for one per processor.
    """

    def __init__(self, runs: int | None = None) -> None:
        self._limit = default_runs() if runs is None else runs
        self._threads = ThreadPoolExecutor(max_workers=self._limit + 1, thread_name_prefix="model")
        self._running = 0
        self._slow_running = 0
        self._waiting: dict[bool, deque[Callable[[], None]]] = {False: deque(), True: deque()}

    def acquire(self, *, is_slow: bool) -> bool:
        """Take a place for a run, unless all are taken or others wait for one.

        Args:
            is_slow: Whether the run is expected to be slow; such runs leave one thread free.

        Returns:
            Whether the place is taken; it must be given back by `release` with the same ``is_slow``.
        """
        if self._waiting[is_slow] or not self._has_room(is_slow=is_slow):
            return False
        self._take(is_slow=is_slow)
        return True

    def wait(self, on_acquired: Callable[[], None], *, is_slow: bool) -> None:
        """Have ``on_acquired`` called, in the event loop, when a place has been taken for it."""
        self._waiting[is_slow].append(on_acquired)

    def release(self, *, is_slow: bool) -> None:
        """Give a place back; it goes to the run that has waited longest and may take it."""
        self._running -= 1
        self._slow_running -= is_slow
        for waits_slow in (True, False):
            waiting = self._waiting[waits_slow]
            if waiting and self._has_room(is_slow=waits_slow):
                self._take(is_slow=waits_slow)
                waiting.popleft()()
                return

    def run(self, work: Callable[[], None]) -> Future[None]:
        """Run ``work`` in a thread, for which `acquire` has taken a place."""
        return self._threads.submit(work)

    def close(self) -> None:
        """End the threads, after the runs that are taking place."""
        self._threads.shutdown(wait=True)

    def _has_room(self, *, is_slow: bool) -> bool:
        return self._running <= self._limit and not (is_slow and self._slow_running >= self._limit)

    def _take(self, *, is_slow: bool) -> None:
        self._running += 1
        self._slow_running += is_slow
