"""Request ids for callers who bring none: UUID version 7, in the order they were made."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTER_BITS = 12
COUNTER_MASK = (1 << COUNTER_BITS) - 1
NOISE_MASK = (1 << 62) - 1
NOISE_BYTES = 8
IDS_A_DRAW = 256


@final
class RequestIds:
    """Makes UUIDv7 text, each greater than the last one made here. Not thread-safe: it belongs to the event loop.

    48 bits of Unix milliseconds, a counter of 12 bits within the millisecond (RFC 9562, section 6.2, method 1; it
    borrows from the next millisecond when it runs over), and 62 random bits, which keep processes apart.

    >>> made = RequestIds(clock_ns=lambda: 1_645_557_742_000_000_000, random=lambda size: bytes(size))
    >>> made.new(), made.new()
    ('017f22e2-79b0-7000-8000-000000000000', '017f22e2-79b0-7001-8000-000000000000')
    """

    def __init__(
        self, *, clock_ns: Callable[[], int] = time.time_ns, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._clock_ns = clock_ns
        self._random = random
        self._drawn: list[str] = []
        self._last = 0
        self._milliseconds = -1
        self._opening = ""

    def new(self) -> str:
        """The next id: 36 characters."""
        now = (self._clock_ns() // 1_000_000) << COUNTER_BITS
        self._last = max(now, self._last + 1)
        milliseconds = self._last >> COUNTER_BITS
        if milliseconds != self._milliseconds:
            self._milliseconds = milliseconds
            text = f"{milliseconds:012x}"
            self._opening = f"{text[:8]}-{text[8:]}-7"
        if not self._drawn:
            self._drawn = self._draw()
        return f"{self._opening}{self._last & COUNTER_MASK:03x}-{self._drawn.pop()}"

    def _draw(self) -> list[str]:
        """The random ends of many ids at once: each draw is a system call."""
        drawn = self._random(NOISE_BYTES * IDS_A_DRAW)
        noises = (int.from_bytes(drawn[at : at + NOISE_BYTES]) for at in range(0, len(drawn), NOISE_BYTES))
        texts = (f"{(0b10 << 62) | (noise & NOISE_MASK):016x}" for noise in noises)
        return [f"{text[:4]}-{text[4:]}" for text in texts]
