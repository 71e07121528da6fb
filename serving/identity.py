"""Request ids for callers who bring none: UUID version 7, in the order they were made."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTER_BITS = 12
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
        self._drawn: list[bytes] = []
        self._last = 0

    def new(self) -> str:
        """The next id: 36 characters."""
        now = (self._clock_ns() // 1_000_000) << COUNTER_BITS
        self._last = max(now, self._last + 1)
        milliseconds, counter = self._last >> COUNTER_BITS, self._last & ((1 << COUNTER_BITS) - 1)
        noise = int.from_bytes(self._noise()) & ((1 << 62) - 1)
        text = f"{milliseconds:012x}7{counter:03x}{(0b10 << 62) | noise:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _noise(self) -> bytes:
        """Random bytes for one id, drawn for many at once: each draw is a system call."""
        if not self._drawn:
            drawn = self._random(NOISE_BYTES * IDS_A_DRAW)
            self._drawn = [drawn[at : at + NOISE_BYTES] for at in range(0, len(drawn), NOISE_BYTES)]
        return self._drawn.pop()
