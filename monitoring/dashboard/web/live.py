"""Live updates: one look at the stores every few seconds, however many pages are open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

#: Seconds between two looks, and between two signs of life on a silent connection.
LOOK_SECONDS: Final = 5.0
ALIVE_SECONDS: Final = 25.0


class Changes:
    """Tells every open page when something in the stores has changed.

    Args:
        look: Returns a text that changes with the stores; called in a thread.
        seconds: How often it is called while a page is open.
    """

    def __init__(self, look: Callable[[], str], seconds: float = LOOK_SECONDS) -> None:
        self._look = look
        self._seconds = seconds
        self._changed = asyncio.Condition()
        self._number = 0
        self._open = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def watched(self) -> bool:
        """Whether a page is open, and the stores are looked at."""
        return self._task is not None

    async def events(self, alive: float = ALIVE_SECONDS) -> AsyncIterator[str]:
        """Events for one page, until it is closed.

        Args:
            alive: Seconds after which a silent connection gets a comment.

        Yields:
            Server-sent events: ``changed``, or a comment.
        """
        self._open += 1
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        number = self._number
        try:
            yield "retry: 5000\n\n"
            while True:
                if await self._next(number, alive):
                    number = self._number
                    yield f"event: changed\ndata: {number}\n\n"
                else:
                    yield ": alive\n\n"
        finally:
            self._open -= 1
            if not self._open and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _next(self, number: int, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self._number != number)
        except TimeoutError:
            return False
        return True

    async def _watch(self) -> None:
        before = await asyncio.to_thread(self._look)
        while True:
            await asyncio.sleep(self._seconds)
            now = await asyncio.to_thread(self._look)
            if now != before:
                before = now
                async with self._changed:
                    self._number += 1
                    self._changed.notify_all()
