"""Shares the event loop's time between connections: one that has sent much is read in turns with the others.

Without it a connection is read to the end of what has come, and whoever comes meanwhile, a probe of the server's health
among them, waits for the bursts of all others.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final, final

#: Seconds of processor time for what connections have sent, in one turn of the loop.
TURN_S: Final = 0.004
#: Bytes that are read at once: as many as take about a fifth of a turn.
LEAST_PIECE, MOST_PIECE = 1 << 10, 1 << 16
_FIRST_PIECE: Final = 1 << 13
_PIECE_S: Final = TURN_S / 5


@final
class Turns:
    """The turns of all connections of a server. Belongs to the event loop.

    Args:
        call_soon: Runs a function in the loop's next turn, after which the loop looks at its sockets.
        clock: Seconds of processor time of the loop's thread.
    """

    def __init__(
        self, call_soon: Callable[[Callable[[], None]], object], clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._call_soon = call_soon
        self.clock = clock
        self._spent_s = 0.0
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_scheduled = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more is read in this turn."""
        return self._spent_s >= TURN_S

    def spend(self, seconds: float) -> None:
        """Count the time that reading has taken."""
        self._spent_s += seconds
        self._schedule()

    def wait(self, go_on: Callable[[], None]) -> None:
        """Go on with a connection when it is its turn, after those that wait already."""
        self._waiting.append(go_on)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._call_soon(self._begin)

    def _begin(self) -> None:
        """Begin a turn with those that wait."""
        self._is_scheduled = False
        self._spent_s = 0.0
        while self._waiting and not self.is_over:
            self._waiting.popleft()()
        if self._waiting:
            self._schedule()


@final
class PieceSize:
    """How many bytes of a connection are read at once, by what the last ones cost."""

    def __init__(self) -> None:
        self.bytes = _FIRST_PIECE

    def measured(self, seconds: float, size: int) -> None:
        """A piece has taken so long. Only one of the full size says that more could be read."""
        if seconds > _PIECE_S:
            self.bytes = max(LEAST_PIECE, self.bytes // 2)
        elif 4 * seconds < _PIECE_S and size >= self.bytes:
            self.bytes = min(MOST_PIECE, 2 * self.bytes)
