"""Turns: of requests that read the traffic one is answered at a time, and the others wait without a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.exceptions import HTTPException

#: Requests that wait, at most.
MOST_WAITING: Final = 20

_BUSY = (
    "The dashboard is busy.\n"
    "Many requests for rows, or for answers and labels, wait for their turn. Ask again in a moment."
)


class Turns:
    """Lets requests in one after another. Belongs to one event loop."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a turn.

        Raises:
            HTTPException: 503, as too many wait already.
        """
        if self._waiting >= MOST_WAITING:
            raise HTTPException(503, _BUSY)
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1
