"""Requests into batches: what arrives while a batch runs forms the next one.

There is no timer to tune: an idle server starts at once, a busy one fills the next batch for exactly as long as the
last one takes. Requests join only where their key is the same (version, signature, element types, inner shapes), in
the order they came, and never beyond the largest batch size.

A batch that is known to be quick runs in the event loop itself. Handing it to a thread and its answers back costs
two wake-ups and a fight over the interpreter.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Generic, TypeVar, final

from serving.status import Code, Failure, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from concurrent.futures import Future

Request = TypeVar("Request")
Answer = TypeVar("Answer")

# Durations are remembered by key and size; a client can make ever new keys (shapes), so there is an end to it.
DURATIONS_KEPT = 1024
UNKNOWN = (float("inf"), float("inf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """How large a batch may be, how many requests may wait for theirs, and which batches run in the event loop."""

    max_rows: int = 1024
    """Rows that are joined at most. A single larger request runs alone, whole."""
    refuse_larger: bool = False
    """Refuse a request of more rows instead, as TensorFlow Serving does when its batching is on."""
    max_waiting: int = 4096
    """Requests waiting beyond this are refused (UNAVAILABLE), so that a flood costs an answer and not the memory."""
    quick_s: float = 0.002
    """A batch runs in the event loop if one of the last two of its key and about its size took no longer. 0: none does.

    Of the last two, because on a busy machine a batch is now and then interrupted for longer than it takes."""


@final
class BatchTask(Generic[Request, Answer]):
    """One request on its way through a batch."""

    __slots__ = ("_claiming", "_taken", "_timer", "answer", "done", "key", "request", "rows", "timeout_s")

    def __init__(
        self,
        request: Request,
        key: Hashable,
        rows: int,
        claiming: threading.Lock,
        done: Callable[[Answer | BaseException], None],
        timeout_s: float | None,
    ) -> None:
        self.request = request
        self.key = key
        self.rows = rows
        self.timeout_s = timeout_s
        self.answer: Answer | Failure | None = None
        self.done: Callable[[Answer | BaseException], None] | None = done
        """Told the outcome; None once it has been, or when nobody waits any more."""
        self._timer: asyncio.TimerHandle | None = None
        self._claiming = claiming
        self._taken = False

    def claim(self) -> bool:
        """True for the first caller: either the answer goes out or the deadline does, never both.

        Whoever is about to log the answer claims it first, so that a logged answer is one that leaves.
        """
        with self._claiming:
            first, self._taken = not self._taken, True
        return first

    def settle(self, outcome: Answer | BaseException) -> None:
        """Tell the outcome, once; in the event loop."""
        done, self.done = self.done, None
        if self._timer is not None:
            self._timer.cancel()
        if done is not None:
            done(outcome)

    def start_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on the deadline can end the wait."""
        if self.timeout_s is not None and self._timer is None:
            self._timer = loop.call_later(self.timeout_s, self._give_up, self.timeout_s)

    def _give_up(self, timeout_s: float) -> None:
        if self.done is not None and self.claim():
            self.settle(Failure(Code.DEADLINE_EXCEEDED, late(timeout_s)))


def late(timeout_s: float) -> str:
    """What a caller is told whose deadline passed.

    >>> late(0.25)
    'No answer within 250 ms: the deadline passed.'
    """
    return f"No answer within {timeout_s * 1000:.0f} ms: the deadline passed."


@final
class Batcher(Generic[Request, Answer]):
    """Runs ``work`` on batches of tickets, one batch at a time, for requests that come from one event loop.

    ``work`` is given tickets of one key and must leave in each ticket's ``answer`` an answer or a `Failure`; a ticket
    it cannot `claim` has been given up and needs none. What it raises fails the whole batch. It runs in a thread of the
    batcher's, or in the event loop (see `BatchSettings.quick_s`). ``clock`` counts seconds.
    """

    def __init__(
        self,
        work: Callable[[Sequence[BatchTask[Request, Answer]]], None],
        settings: BatchSettings | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._work = work
        self._settings = settings or BatchSettings()
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self._claiming = threading.Lock()
        self._groups: dict[Hashable, deque[BatchTask[Request, Answer]]] = {}
        self._durations: dict[tuple[Hashable, int], tuple[float, float]] = {}
        self._waiting = 0
        self._running = False
        self._in_thread = False

    async def submit(self, request: Request, *, key: Hashable, rows: int, timeout_s: float | None) -> Answer:
        """Wait for the answer; arguments and errors as in `put`, and what the model said is raised, too."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def done(outcome: Answer | BaseException) -> None:
            if future.done():
                return
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        ticket = self.put(request, key=key, rows=rows, timeout_s=timeout_s, done=done)
        try:
            return await future
        except asyncio.CancelledError:
            ticket.claim()  # nobody waits: an answer that is on its way is not to be logged
            raise
        finally:
            ticket.done = None  # whoever waited may have been cancelled: then the request need not run

    def put(
        self,
        request: Request,
        *,
        key: Hashable,
        rows: int,
        timeout_s: float | None,
        done: Callable[[Answer | BaseException], None],
    ) -> BatchTask[Request, Answer]:
        """Queue a request; ``done`` is called in the event loop, later, with the answer or with what went wrong.

        ``key`` None runs the request alone. The deadline of ``timeout_s`` seconds ends in DEADLINE_EXCEEDED.

        Raises:
            Failure: UNAVAILABLE if too many wait; INVALID_ARGUMENT for too large a request; DEADLINE_EXCEEDED if there
                is no time at all.
        """
        settings = self._settings
        if settings.refuse_larger and rows > settings.max_rows:
            limit = settings.max_rows
            raise invalid(f"Task size {rows} is larger than maximum input batch size {limit}")
        if timeout_s is not None and timeout_s <= 0:
            raise Failure(Code.DEADLINE_EXCEEDED, late(timeout_s))
        if self._waiting >= settings.max_waiting:
            raise Failure(Code.UNAVAILABLE, "The batch scheduling queue to which this task was submitted is full")
        ticket: BatchTask[Request, Answer] = BatchTask(request, key, rows, self._claiming, done, timeout_s)
        group = object() if key is None else key
        self._groups.setdefault(group, deque()).append(ticket)
        self._waiting += 1
        loop = asyncio.get_running_loop()
        if self._in_thread:
            ticket.start_timer(loop)
        if not self._running:
            # Not at once: requests that the loop reads in the same round join the first batch too.
            self._running = True
            loop.call_soon(self._start, loop)
        return ticket

    @property
    def waiting(self) -> int:
        """Requests that no batch has taken yet, those whose caller gave up among them."""
        return self._waiting

    def close(self) -> None:
        """End the thread, after the batch that is running."""
        self._thread.shutdown(wait=True)

    def _is_quick(self, key: Hashable, rows: int) -> bool:
        """Whether one of the last two batches of this key and about this size (the same power of two) was quick."""
        durations = self._durations.get((key, rows.bit_length()))
        return durations is not None and min(durations) <= self._settings.quick_s

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = self._next()
        self._running = bool(batch)
        if not batch:
            return
        if self._is_quick(batch[0].key, sum([ticket.rows for ticket in batch])):
            try:
                self._timed(batch)
            finally:  # whatever happens, every request is told and the next batch starts
                self._finish(loop, batch, sys.exception())
            return
        # No timer of the loop can overtake what runs in the loop, so it has none.
        self._in_thread = True
        for ticket in chain(batch, *self._groups.values()):
            ticket.start_timer(loop)
        running = self._thread.submit(self._timed, batch)
        running.add_done_callback(lambda done: loop.call_soon_threadsafe(self._back, loop, batch, done))

    def _timed(self, batch: Sequence[BatchTask[Request, Answer]]) -> None:
        begin = self._clock()
        self._work(batch)
        key = batch[0].key
        if key is not None:
            if len(self._durations) >= DURATIONS_KEPT:
                self._durations.clear()
            place = (key, sum([ticket.rows for ticket in batch]).bit_length())
            last = self._durations.get(place, UNKNOWN)
            self._durations[place] = (last[1], self._clock() - begin)

    def _next(self) -> list[BatchTask[Request, Answer]]:
        """The next batch: the group whose turn it is, up to the largest size; what is left of it queues up again."""
        while self._groups:
            key = next(iter(self._groups))
            group = self._groups.pop(key)
            batch: list[BatchTask[Request, Answer]] = []
            rows = 0
            while group and (not batch or rows + group[0].rows <= self._settings.max_rows):
                ticket = group.popleft()
                self._waiting -= 1
                if ticket.done is not None:
                    batch.append(ticket)
                    rows += ticket.rows
            if group:
                self._groups[key] = group
            if batch:
                return batch
        return []

    def _back(
        self, loop: asyncio.AbstractEventLoop, batch: Sequence[BatchTask[Request, Answer]], done: Future[None]
    ) -> None:
        self._in_thread = False
        self._finish(loop, batch, done.exception())

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: Sequence[BatchTask[Request, Answer]],
        error: BaseException | None,
    ) -> None:
        if self._waiting:
            # Not at once: the answers go out, and what has arrived meanwhile is read, before the next batch takes the
            # loop.
            loop.call_soon(self._start, loop)
        else:
            self._running = False
        for ticket in batch:
            outcome = ticket.answer if error is None else error
            if outcome is not None:
                ticket.settle(outcome)
