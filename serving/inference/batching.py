"""Joins requests of one model into batches: those that arrive while a batch runs form the next one.

There is no timer to tune: an idle model starts at once, a busy one fills the next batch for exactly as long as the
last one runs. Requests are joined only if their keys are equal (signature, element types, inner shapes), in the order
of their arrival, and never beyond the largest batch size.

A batch that is known to be quick runs in the event loop itself: handing it to a thread and its results back costs two
wake-ups and contention for the interpreter's lock.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import deque
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, final

from serving.models.batch_settings import BatchSettings
from serving.status import Code, Failure, InvalidArgument, NoRoom

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from concurrent.futures import Future

    from serving.inference.run_pool import RunPool

RequestT = TypeVar("RequestT")
OutcomeT = TypeVar("OutcomeT")

#: Durations are kept by key and size. A client can send ever new keys (shapes), so the number is bounded.
DURATIONS_KEPT = 1024
UNKNOWN = (float("inf"), float("inf"))


@final
class BatchTask(Generic[RequestT, OutcomeT]):
    """One request on its way through a batch."""

    __slots__ = ("_claiming", "_is_claimed", "_timer", "done", "key", "outcome", "request", "rows", "timeout_s")

    def __init__(
        self,
        request: RequestT,
        key: Hashable,
        rows: int,
        claiming: threading.Lock,
        done: Callable[[OutcomeT | BaseException], None],
        timeout_s: float | None,
    ) -> None:
        self.request = request
        self.key = key
        self.rows = rows
        self.timeout_s = timeout_s
        self.outcome: OutcomeT | Failure | None = None
        self.done: Callable[[OutcomeT | BaseException], None] | None = done
        """Called with the outcome; None after that, or when the caller was cancelled."""
        self._timer: asyncio.TimerHandle | None = None
        self._claiming = claiming
        self._is_claimed = False

    def claim(self) -> bool:
        """Decide between answer and deadline: the answer is claimed before it is logged, so that it leaves if logged.

        Returns:
            True for the first call, False for all others.
        """
        with self._claiming:
            is_first, self._is_claimed = not self._is_claimed, True
        return is_first

    def finish(self, outcome: OutcomeT | BaseException) -> None:
        """Call ``done`` with the outcome, once; in the event loop."""
        done, self.done = self.done, None
        if self._timer is not None:
            self._timer.cancel()
        if done is not None:
            done(outcome)

    def cancel(self) -> None:
        """Nobody waits any more: the request need not run, and a result that is being computed is not logged."""
        self.claim()
        self.done = None

    def start_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the deadline end the wait from now on."""
        if self.timeout_s is not None and self._timer is None:
            self._timer = loop.call_later(self.timeout_s, self._miss_deadline, self.timeout_s)

    def _miss_deadline(self, timeout_s: float) -> None:
        if self.done is not None and self.claim():
            self.finish(Failure(Code.DEADLINE_EXCEEDED, deadline_message(timeout_s)))


def deadline_message(timeout_s: float) -> str:
    """Write the error message of a missed deadline. Returns the message, with the deadline in milliseconds.

    >>> deadline_message(0.25)
    'No answer within 250 ms: the deadline passed.'
    """
    return f"No answer within {timeout_s * 1000:.0f} ms: the deadline passed."


class Room(Protocol):
    """Reserves the memory of runs. Called in the event loop."""

    def is_small(self, key: Hashable, rows: int) -> bool:
        """Whether a run takes so little that it need not be reserved."""

    def rows(self, key: Hashable) -> int:
        """How many rows of requests may run together now; a request of more runs alone."""

    def reserve(self, key: Hashable, rows: int) -> int | None:
        """Reserve what a run will take. Returns what `release` gives back; None if other runs must end first.

        Raises:
            NoRoom: Its answers could not be held.
        """

    def release(self, size: int) -> None:
        """A run is over."""

    def wait(self, try_again: Callable[[], object]) -> None:
        """Have a function called when a run is over."""


@final
class Batcher(Generic[RequestT, OutcomeT]):
    """Runs batches of one model, one at a time, of requests that come from one event loop.

    Args:
        work: Called with the tasks of a batch, which have one key; in a thread of the pool, or in the event loop (see
            `BatchSettings.quick_s`). It leaves a result or a `Failure` in each task's ``outcome``; a task that it
            cannot `BatchTask.claim` needs none. What it raises fails the whole batch.
        room: What reserves the memory of each run; None reserves none. A batch is as large as there is room for.
        clock: Seconds.
    """

    def __init__(
        self,
        work: Callable[[Sequence[BatchTask[RequestT, OutcomeT]]], None],
        settings: BatchSettings | None = None,
        *,
        pool: RunPool,
        room: Room | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._work = work
        self._settings = settings or BatchSettings()
        self._pool = pool
        self._room = room
        self._reserved: int | None = None  # of the batch that runs, or is to be run
        self._clock = clock
        self._claiming = threading.Lock()
        self._groups: dict[Hashable, deque[BatchTask[RequestT, OutcomeT]]] = {}
        self._durations: dict[tuple[Hashable, int], tuple[float, float]] = {}
        self._last_s = 0.0
        self._waiting = 0
        self._is_running = False
        self._has_timers = False

    async def submit_and_wait(
        self, request: RequestT, *, key: Hashable, rows: int, timeout_s: float | None
    ) -> OutcomeT:
        """Wait for the result; arguments as of `submit`.

        Raises:
            CancelledError: The caller was cancelled.
        """
        future: asyncio.Future[OutcomeT] = asyncio.get_running_loop().create_future()

        def done(outcome: OutcomeT | BaseException) -> None:
            if future.done():
                return
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        task = self.submit(request, key=key, rows=rows, timeout_s=timeout_s, done=done)
        try:
            return await future
        except asyncio.CancelledError:
            task.claim()  # a result that is being computed must not be logged any more
            raise
        finally:
            task.done = None  # if the caller was cancelled, the request need not run

    def submit(
        self,
        request: RequestT,
        *,
        key: Hashable,
        rows: int,
        timeout_s: float | None,
        done: Callable[[OutcomeT | BaseException], None],
    ) -> BatchTask[RequestT, OutcomeT]:
        """Queue a request.

        Args:
            request: What ``work`` is called with, within a task.
            key: Requests of equal keys are joined; None runs the request alone.
            timeout_s: Its deadline in seconds, which ends in DEADLINE_EXCEEDED; None for none.
        """
        settings = self._settings
        if settings.refuse_larger and rows > settings.max_rows:
            limit = settings.max_rows
            raise InvalidArgument(f"Task size {rows} is larger than maximum input batch size {limit}")
        if timeout_s is not None and timeout_s <= 0:
            raise Failure(Code.DEADLINE_EXCEEDED, deadline_message(timeout_s))
        if self._waiting >= settings.max_waiting:
            raise Failure(Code.UNAVAILABLE, "The batch scheduling queue to which this task was submitted is full")
        task: BatchTask[RequestT, OutcomeT] = BatchTask(request, key, rows, self._claiming, done, timeout_s)
        group_key = object() if key is None else key
        group = self._groups.get(group_key)
        if group is None:
            group = self._groups[group_key] = deque()
        group.append(task)
        self._waiting += 1
        loop = asyncio.get_running_loop()
        if self._has_timers:
            task.start_timer(loop)
        if not self._is_running:
            # Not at once: requests that the loop reads in the same iteration join the first batch too.
            self._is_running = True
            loop.call_soon(self._start, loop)
        return task

    @property
    def waiting(self) -> int:
        """The number of requests that are in no batch yet, cancelled ones among them."""
        return self._waiting

    @property
    def is_idle(self) -> bool:
        """Whether no request waits or runs."""
        return not self._is_running

    def _is_quick(self, key: Hashable, rows: int) -> bool:
        """Whether one of the last two batches of this key and about this size (the same power of two) was quick."""
        durations = self._durations.get((key, rows.bit_length()))
        return durations is not None and min(durations) <= self._settings.quick_s

    def _is_slow(self, key: Hashable, rows: int) -> bool:
        """Whether both of the last two such batches were slow; of unknown ones, whether the last batch of all was."""
        durations = self._durations.get((key, rows.bit_length()), UNKNOWN)
        return (self._last_s if durations == UNKNOWN else min(durations)) > self._settings.slow_s

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = self._next_with_room()
        if batch is None:
            self._wait_for_room(loop)
            return
        self._is_running = bool(batch)
        if not batch:
            return
        key, rows = batch[0].key, sum([task.rows for task in batch])
        if self._is_quick(key, rows):
            try:
                self._run(batch)
            finally:  # in any case, every request gets its outcome and the next batch starts
                self._finish(loop, batch, sys.exception())
            return
        # A batch in the loop needs no timers: none can fire while it runs.
        self._start_timers(loop, batch)
        is_slow = self._is_slow(key, rows)
        if self._pool.acquire(is_slow=is_slow):
            self._start_in_thread(loop, batch, is_slow=is_slow)
        else:
            self._release()
            self._put_back(batch)
            self._pool.wait(partial(self._start_acquired, loop, is_slow=is_slow), is_slow=is_slow)

    def _start_acquired(self, loop: asyncio.AbstractEventLoop, *, is_slow: bool) -> None:
        """Run what waits by now, since the pool has a place."""
        batch = self._next_with_room()
        if batch:
            self._start_in_thread(loop, batch, is_slow=is_slow)
            return
        self._pool.release(is_slow=is_slow)
        if batch is None:
            self._wait_for_room(loop)
        else:  # all were cancelled, or have missed their deadlines
            self._is_running = self._has_timers = False

    def _wait_for_room(self, loop: asyncio.AbstractEventLoop) -> None:
        """Try again when another version's run is over."""
        self._start_timers(loop)
        if self._room is not None:
            self._room.wait(partial(loop.call_soon, self._start, loop))

    def _start_timers(
        self, loop: asyncio.AbstractEventLoop, batch: Sequence[BatchTask[RequestT, OutcomeT]] = ()
    ) -> None:
        self._has_timers = True
        for task in chain(batch, *self._groups.values()):
            task.start_timer(loop)

    def _start_in_thread(
        self, loop: asyncio.AbstractEventLoop, batch: Sequence[BatchTask[RequestT, OutcomeT]], *, is_slow: bool
    ) -> None:
        back = partial(self._return, loop, batch, is_slow)
        running = self._pool.run(partial(self._run, batch))
        running.add_done_callback(lambda done: loop.call_soon_threadsafe(back, done))

    def _run(self, batch: Sequence[BatchTask[RequestT, OutcomeT]]) -> None:
        begin = self._clock()
        self._work(batch)
        self._last_s = took_s = self._clock() - begin
        key = batch[0].key
        if key is not None:
            if len(self._durations) >= DURATIONS_KEPT:
                self._durations.clear()
            kind = (key, sum([task.rows for task in batch]).bit_length())
            last = self._durations.get(kind, UNKNOWN)
            self._durations[kind] = (last[1], took_s)

    def _put_back(self, batch: Sequence[BatchTask[RequestT, OutcomeT]]) -> None:
        """Undo `_next`: the batch's requests are again the first."""
        key = object() if batch[0].key is None else batch[0].key
        self._groups = {key: deque([*batch, *self._groups.pop(key, ())]), **self._groups}
        self._waiting += len(batch)

    def _next(self) -> list[BatchTask[RequestT, OutcomeT]]:
        """The next batch: the first group's, up to the largest size; the rest of the group queues up again."""
        while self._groups:
            group_key = next(iter(self._groups))
            group = self._groups.pop(group_key)
            key, most = group[0].key, self._settings.max_rows
            if self._room is not None and key is not None and len(group) > 1:
                most = min(most, self._room.rows(key))
            batch: list[BatchTask[RequestT, OutcomeT]] = []
            rows = 0
            while group and (not batch or rows + group[0].rows <= most):
                task = group.popleft()
                self._waiting -= 1
                if task.done is not None:
                    batch.append(task)
                    rows += task.rows
            if group:
                self._groups[group_key] = group
            if batch:
                return batch
        return []

    def _next_with_room(self) -> list[BatchTask[RequestT, OutcomeT]] | None:
        """The next batch, with its memory reserved; None if other runs must end first."""
        while batch := self._next():
            key, rows = batch[0].key, sum([task.rows for task in batch])
            if self._room is None or self._room.is_small(key, rows):
                return batch
            try:
                self._reserved = self._room.reserve(key, rows)
            except NoRoom as full:
                for task in batch:
                    task.finish(full)
                continue
            if self._reserved is not None:
                return batch
            self._put_back(batch)
            return None
        return []

    def _release(self) -> None:
        reserved, self._reserved = self._reserved, None
        if self._room is not None and reserved is not None:
            self._room.release(reserved)

    def _return(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: Sequence[BatchTask[RequestT, OutcomeT]],
        is_slow: bool,  # noqa: FBT001 - for partial
        done: Future[None],
    ) -> None:
        self._has_timers = False
        self._pool.release(is_slow=is_slow)
        self._finish(loop, batch, done.exception())

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: Sequence[BatchTask[RequestT, OutcomeT]],
        error: BaseException | None,
    ) -> None:
        self._release()  # each answer counts by itself from here on, until the client has taken it
        if self._waiting:
            # Not at once: the responses are sent, and requests that arrived are read, before the next batch occupies
            # the loop.
            loop.call_soon(self._start, loop)
        else:
            self._is_running = False
        for task in batch:
            outcome = task.outcome if error is None else error
            if outcome is not None:
                task.finish(outcome)
