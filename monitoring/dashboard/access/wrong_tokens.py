"""Wrong tokens: they are answered late and one after another, so that guesses are slow, and each is reported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from monitoring.watches.descriptions import printable

#: Seconds from one answer to a wrong token to the next.
DELAY_S: Final = 1.0

#: Wrong tokens that wait for their answer, at most; a further one is refused at once.
MOST_WAITING: Final = 10


class WrongTokens:
    """Answers wrong tokens. Belongs to one event loop.

    Args:
        report: Called with a sentence for each that was answered.
        delay_s: Seconds from one answer to the next.
    """

    def __init__(self, report: Callable[[str], None] = lambda _: None, delay_s: float = DELAY_S) -> None:
        self._report = report
        self._delay_s = delay_s
        self._turn = asyncio.Lock()
        self._waiting = 0
        self.count = 0
        """How many there were, those that were refused at once included."""

    async def answered(self, peer: str, path: str) -> bool:
        """Wait until a wrong token may be answered.

        Args:
            path: What was asked for.

        Returns:
            Whether it is to be answered; False at once if too many wait already.
        """
        self.count += 1
        if self._waiting >= MOST_WAITING:
            return False
        self._waiting += 1
        try:
            async with self._turn:
                await asyncio.sleep(self._delay_s)
                so_far = f"{self.count:,} since the start"
                self._report(f"The dashboard got a wrong token from {peer} for {printable(path, 100)}: {so_far}.")
        finally:
            self._waiting -= 1
        return True
