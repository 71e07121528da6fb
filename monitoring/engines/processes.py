"""Tasks in processes of this machine."""

from __future__ import annotations

import atexit
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from threading import Lock

import pyarrow as pa

from monitoring.engines.codec import decoded, encoded
from monitoring.engines.engine import Work
from monitoring.engines.partial import Partial
from monitoring.engines.recipe import Recipe, unpacked
from monitoring.engines.task import gathered
from monitoring.errors import CannotRun

#: Seconds between two calls of what is done while tasks are waited for.
MEANWHILE_SECONDS = 10.0

#: Tasks given to each process ahead of the one that it runs.
AHEAD = 2

#: How often a task is run again whose process was killed.
ATTEMPTS = 3

_lock = Lock()
_pools: dict[int, ProcessPoolExecutor] = {}


def run_task(recipe: bytes, work: Work) -> list[bytes]:
    """Run one task in a process that was started for tasks: a packed recipe in, encoded partials out."""
    plan = unpacked(recipe)
    return [encoded(partial, plan) for partial in gathered(plan, work)]


class ProcessEngine:
    """Runs tasks in processes, which are started once and kept for the next window. An `Engine`.

    Memory: some 150 MB a process. A task whose process is killed is run again; the others go on.
    """

    def __init__(self, workers: int | None = None, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Starts nothing yet. `workers`: how many processes; None for the processors that this process may use."""
        self._workers = workers or len(os.sched_getaffinity(0))
        self._meanwhile = meanwhile

    def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
        """See `Engine`. Yields partials in the order of the tasks."""
        waiting: deque[tuple[Work, Future[list[bytes]]]] = deque()
        tasks = iter(work)
        try:
            while True:
                while len(waiting) < AHEAD * self._workers and (task := next(tasks, None)) is not None:
                    waiting.append((task, self._submit(recipe, task)))
                if not waiting:
                    return
                for data in self._first(recipe, waiting):
                    yield decoded(data, recipe)
        finally:
            for _, future in waiting:
                future.cancel()

    def _first(self, recipe: Recipe, waiting: deque[tuple[Work, Future[list[bytes]]]]) -> list[bytes]:
        """What the first task has learned. Where its process was killed, every task that waits is given again."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                result = self._result(waiting[0][1])
            except BrokenProcessPool as error:
                _forget(self._workers)
                if attempt == ATTEMPTS:
                    raise CannotRun(
                        "The processes that read rows are killed again and again.",
                        got=f"{ATTEMPTS} attempts at task {waiting[0][0].number}",
                        expected="a few hundred MB of memory for each process",
                        fix="Set `workers` in the [engine] section to fewer, or give the machine more memory.",
                    ) from error
                again = [(task, self._submit(recipe, task)) for task, _ in waiting]
                waiting.clear()
                waiting.extend(again)
            else:
                waiting.popleft()
                return result
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    def _result(self, future: Future[list[bytes]]) -> list[bytes]:
        while True:
            try:
                return future.result(timeout=MEANWHILE_SECONDS)
            except TimeoutError:
                if future.done():
                    raise
                self._meanwhile()

    def _submit(self, recipe: Recipe, task: Work) -> Future[list[bytes]]:
        try:
            return _pool(self._workers).submit(run_task, recipe.packed, task)
        except BrokenProcessPool:
            _forget(self._workers)
            return _pool(self._workers).submit(run_task, recipe.packed, task)


def _pool(workers: int) -> ProcessPoolExecutor:
    """The processes of this program for tasks, started now if there are none."""
    with _lock:
        if workers not in _pools:
            # Not forked: this program has threads, whose locks a fork would copy as they stand.
            context = multiprocessing.get_context("spawn")
            _pools[workers] = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
        return _pools[workers]


def _begin() -> None:
    """Leave interrupts to the process that waits, and use one thread: there are as many processes as processors."""
    import signal  # noqa: PLC0415 - of the processes alone

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


def _forget(workers: int) -> None:
    with _lock:
        pool = _pools.pop(workers, None)
    if pool is not None:
        pool.shutdown(wait=False, cancel_futures=True)


@atexit.register
def _end() -> None:
    """End the processes with the program."""
    for workers in tuple(_pools):
        _forget(workers)
