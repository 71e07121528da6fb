"""The server's own ids: of requests without one, UUIDs of version 7, ascending; and of answers to those with one."""

from __future__ import annotations

import os
import time
from itertools import count
from typing import TYPE_CHECKING, final

from monitoring.traffic.format.rows import OWN_IDS

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTER_BITS = 12
COUNTER_MASK = (1 << COUNTER_BITS) - 1
RANDOM_BYTES = 8
#: Each byte with the variant's two bits, 10, for its highest ones.
WITH_VARIANT = bytes(0b10 << 6 | byte & 0b111111 for byte in range(256))
IDS_PER_DRAW = 256


@final
class RequestIds:
    """Makes UUIDv7 text, each greater than the one before. Not thread-safe: it belongs to the event loop.

    48 bits of Unix milliseconds, a counter of 12 bits within the millisecond (RFC 9562, section 6.2, method 1; it
    borrows from the next millisecond when it overflows), and 62 random bits, so that ids of processes do not collide.

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
        self._prefix = ""

    def new(self) -> str:
        """The next id: 36 characters."""
        now = (self._clock_ns() // 1_000_000) << COUNTER_BITS
        self._last = last = max(now, self._last + 1)
        milliseconds = last >> COUNTER_BITS
        if milliseconds != self._milliseconds:
            self._milliseconds = milliseconds
            text = f"{milliseconds:012x}"
            self._prefix = f"{text[:8]}-{text[8:]}-7"
        if not self._drawn:
            self._drawn = self._draw()
        return f"{self._prefix}{last & COUNTER_MASK:03x}-{self._drawn.pop()}"

    def _draw(self) -> list[str]:
        """The random parts of many ids at once: each draw is a system call."""
        drawn = bytearray(self._random(RANDOM_BYTES * IDS_PER_DRAW))
        drawn[::RANDOM_BYTES] = drawn[::RANDOM_BYTES].translate(WITH_VARIANT)
        text, size = drawn.hex(), 2 * RANDOM_BYTES
        return [f"{text[at : at + 4]}-{text[at + 4 : at + size]}" for at in range(0, len(text), size)]


@final
class AnswerIds:
    """Makes ids of answers whose requests were named by their clients. Belongs to the event loop.

    A random part that is this object's own, and a counter: no request can have such an id, so that none needs to be
    hard to guess, and a UUID would cost ten times as much.

    >>> made = AnswerIds(random=bytes)
    >>> made.new(), made.new()
    ('pitfalls-0000000000000000-0', 'pitfalls-0000000000000000-1')
    """

    def __init__(self, *, random: Callable[[int], bytes] = os.urandom) -> None:
        self._prefix = f"{OWN_IDS}{random(RANDOM_BYTES).hex()}-"
        self._numbers = count()

    def new(self) -> str:
        """The next id, at most 45 characters."""
        return f"{self._prefix}{next(self._numbers):x}"
