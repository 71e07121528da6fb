"""How many frames that only cost a client may send: what makes floods of resets, pings and settings end."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from serving.http2.frames import ConnectionFault, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

#: Frames at once, and in a second after that: about what nghttp2 allows of resets.
FRAMES, FRAMES_PER_S = 1000, 100
#: An answered call allows further frames: its window updates, pings, and a reset.
FRAMES_PER_CALL = 8


@final
class FrameBudget:
    """Counts the frames of one connection.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = float(FRAMES)
        self._filled_s = clock()

    def spend(self, frames: int = 1) -> None:
        """Count frames.

        Raises:
            ConnectionFault: They are too many.
        """
        self._left -= frames
        if self._left < 0:
            now = self._clock()
            self._left = min(FRAMES, self._left + (now - self._filled_s) * FRAMES_PER_S)
            self._filled_s = now
            if self._left < 0:
                raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that ask for nothing")

    def earn(self, frames: int = FRAMES_PER_CALL) -> None:
        """Allow further frames."""
        self._left = min(FRAMES, self._left + frames)
