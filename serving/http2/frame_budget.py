"""How many frames that bring nothing a client may send: what slows floods of resets, pings and settings down."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Callable

#: Frames at once, and further ones for each call that a connection may have: all of them may be reset at a deadline.
FRAMES, FRAMES_PER_STREAM = 1000, 2
#: An answered call allows further frames: its window updates, pings, and a reset.
FRAMES_PER_CALL = 8


@final
class FrameBudget:
    """Counts the frames of one connection. One that has sent too many is read no faster than they are allowed.

    In the long run a connection may send as many such frames a second as it may have calls at a time, so that clients
    whose calls all miss deadlines of a second are never slowed down.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float], streams: int) -> None:
        self._clock = clock
        self._frames_per_s = max(1, streams)
        self._most = self._left = float(FRAMES + FRAMES_PER_STREAM * streams)
        self._filled_s = clock()

    def spend(self, frames: float = 1.0) -> None:
        """Count frames."""
        self._left -= frames

    def refill(self, frames: float = FRAMES_PER_CALL) -> None:
        """Allow further frames."""
        self._left = min(self._most, self._left + frames)

    def debt_s(self) -> float:
        """Seconds until what was read is paid for; 0 where the client has sent no more than it may."""
        if self._left >= 0:
            return 0.0
        now = self._clock()
        self.refill((now - self._filled_s) * self._frames_per_s)
        self._filled_s = now
        return max(0.0, -self._left / self._frames_per_s)
