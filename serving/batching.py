"""Requests into batches: what arrives while a batch runs forms the next one.

There is no timer to tune: an idle server starts at once, a busy one fills the next batch for exactly as long as the
last one takes. Requests join only where their key is the same (version, signature, element types, inner shapes), in
the order they came, and never beyond the largest batch size.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, final

from serving.status import Code, Failure, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from concurrent.futures import Future

Request = TypeVar("Request")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """How large a batch may be, and how many requests may wait for theirs."""

    max_rows: int = 1024
    """Rows that are joined at most. A single larger request runs alone, whole."""
    refuse_larger: bool = False
    """Refuse a request of more rows instead, as TensorFlow Serving does when its batching is on."""
    max_waiting: int = 4096
    """Requests waiting beyond this are refused (UNAVAILABLE), so that a flood costs an answer and not the memory."""


@final
class Ticket(Generic[Request, Answer]):
    """One request on its way through a batch."""

    __slots__ = ("_claiming", "_taken", "answer", "future", "key", "request", "rows", "timer")

    def __init__(self, request: Request, key: Hashable, rows: int, claiming: threading.Lock) -> None:
        self.request = request
        self.key = key
        self.rows = rows
        self.answer: Answer | Failure | None = None
        self.future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.timer: asyncio.TimerHandle | None = None
        self._claiming = claiming
        self._taken = False

    def claim(self) -> bool:
        """True for the first caller: either the answer goes out or the deadline does, never both.

        Whoever is about to log the answer claims it first, so that a logged answer is one that leaves.
        """
        with self._claiming:
            first, self._taken = not self._taken, True
        return first


@final
class Batcher(Generic[Request, Answer]):
    """Runs ``work`` on batches of tickets in one thread of its own, for requests that come from one event loop.

    ``work`` is given tickets of one key and must leave in each ticket's ``answer`` an answer or a `Failure`; a ticket
    it cannot `claim` has been given up and needs none. What it raises fails the whole batch.
    """

    def __init__(
        self, work: Callable[[Sequence[Ticket[Request, Answer]]], None], settings: BatchSettings | None = None
    ) -> None:
        self._work = work
        self._settings = settings or BatchSettings()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self._claiming = threading.Lock()
        self._groups: dict[Hashable, deque[Ticket[Request, Answer]]] = {}
        self._waiting = 0
        self._running = False

    async def submit(self, request: Request, *, key: Hashable, rows: int, timeout_s: float | None) -> Answer:
        """Wait for the answer. ``key`` None runs the request alone.

        Raises:
            Failure: what the model said; UNAVAILABLE if too many wait; DEADLINE_EXCEEDED after ``timeout_s`` seconds.
        """
        settings = self._settings
        if settings.refuse_larger and rows > settings.max_rows:
            limit = settings.max_rows
            raise invalid(f"Task size {rows} is larger than maximum input batch size {limit}")
        if self._waiting >= settings.max_waiting:
            raise Failure(Code.UNAVAILABLE, "The batch scheduling queue to which this task was submitted is full")
        ticket: Ticket[Request, Answer] = Ticket(request, key, rows, self._claiming)
        group = object() if key is None else key
        self._groups.setdefault(group, deque()).append(ticket)
        self._waiting += 1
        loop = asyncio.get_running_loop()
        if timeout_s is not None:
            ticket.timer = loop.call_later(timeout_s, _give_up, ticket, timeout_s)
        if not self._running:
            # Not at once: requests that the loop reads in the same round join the first batch too.
            self._running = True
            loop.call_soon(self._start, loop)
        try:
            return await ticket.future
        finally:
            if ticket.timer is not None:
                ticket.timer.cancel()

    def close(self) -> None:
        """End the thread, after the batch that is running."""
        self._thread.shutdown(wait=True)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = self._next()
        self._running = bool(batch)
        if batch:
            running = self._thread.submit(self._work, batch)
            running.add_done_callback(lambda done: loop.call_soon_threadsafe(self._finish, loop, batch, done))

    def _next(self) -> list[Ticket[Request, Answer]]:
        """The next batch: the group whose turn it is, up to the largest size; what is left of it queues up again."""
        while self._groups:
            key = next(iter(self._groups))
            group = self._groups.pop(key)
            batch: list[Ticket[Request, Answer]] = []
            rows = 0
            while group and (not batch or rows + group[0].rows <= self._settings.max_rows):
                ticket = group.popleft()
                self._waiting -= 1
                if not ticket.future.done():
                    batch.append(ticket)
                    rows += ticket.rows
            if group:
                self._groups[key] = group
            if batch:
                return batch
        return []

    def _finish(
        self, loop: asyncio.AbstractEventLoop, batch: Sequence[Ticket[Request, Answer]], done: Future[None]
    ) -> None:
        error = done.exception()
        for ticket in batch:
            if ticket.future.done():
                continue
            if error is not None:
                ticket.future.set_exception(error)
            elif isinstance(ticket.answer, Failure):
                ticket.future.set_exception(ticket.answer)
            elif ticket.answer is not None:
                ticket.future.set_result(ticket.answer)
        self._start(loop)


def _give_up(ticket: Ticket[Request, Answer], timeout_s: float) -> None:
    if not ticket.future.done() and ticket.claim():
        ticket.future.set_exception(
            Failure(Code.DEADLINE_EXCEEDED, f"No answer within {timeout_s * 1000:.0f} ms: the deadline passed.")
        )
