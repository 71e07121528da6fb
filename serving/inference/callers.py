"""Who asks, and id and event time of the request: the headers ``X-Request-Id`` and ``X-Event-Time``, and a token."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from itertools import count
from typing import final

from monitoring.traffic.format.rows import OWN_IDS
from serving.access.identity import NOBODY, Identity
from serving.capture.capture import Caller
from serving.inference.timestamps import EventTimeRange, parse_time_us
from serving.status import InvalidArgument

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


REQUEST_ID_HEADER = b"x-request-id"
EVENT_TIME_HEADER = b"x-event-time"
ANSWER_ID_HEADER = b"x-answer-id"
VERSION_HEADER = b"x-model-version"
TOKEN_HEADER = b"authorization"
CALLER_HEADERS = frozenset({REQUEST_ID_HEADER, EVENT_TIME_HEADER, TOKEN_HEADER})
REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")


@final
class CallerReader:
    """Reads the callers of requests. Belongs to the event loop.

    Args:
        event_times: Which event times count; None for any.
        principal_of: The name of the holder of a token, given the header that has it; empty for an invalid one.
    """

    def __init__(
        self,
        ids: RequestIds | None = None,
        event_times: EventTimeRange | None = None,
        principal_of: Callable[[bytes], str] | None = None,
    ) -> None:
        self._ids = ids or RequestIds()
        self._answer_ids = AnswerIds()
        self._event_times = event_times
        self._principal_of = principal_of

    def read(
        self,
        headers: Iterable[tuple[bytes, bytes]],
        *,
        arrived_us: int,
        identity: Identity = NOBODY,
        id_of_body: str = "",
    ) -> Caller:
        """Read the caller of a request.

        Args:
            arrived_us: When it arrived, in microseconds since 1970; the event time without ``X-Event-Time``.
            id_of_body: Its id without ``X-Request-Id``; empty for a new one.

        Raises:
            InvalidArgument: The id is not 1 to 128 visible ASCII characters, is like one of the server's own, or the
                time is not one (see `parse_time_us`).
        """
        request_id = id_of_body
        event_time_us: int | None = arrived_us
        for name, value in headers:
            if name not in CALLER_HEADERS:  # most: one comparison for each
                continue
            if name == REQUEST_ID_HEADER:
                if not REQUEST_ID.fullmatch(value):
                    raise InvalidArgument("X-Request-Id must be 1 to 128 visible ASCII characters without spaces.")
                request_id = value.decode("ascii")
            elif name == EVENT_TIME_HEADER:
                event_time_us = parse_time_us(value.decode("latin-1").strip())
            elif name == TOKEN_HEADER and self._principal_of is not None:
                principal = self._principal_of(value)
                identity = Identity(principal, identity.peer) if principal else identity
        if event_time_us is None:
            raise InvalidArgument(
                "X-Event-Time must be ISO 8601 with an offset, such as 2013-04-01T05:15:00Z, or seconds since 1970."
            )
        if not request_id:
            request_id, answer_id = self._ids.new(), ""
        elif request_id.startswith(OWN_IDS):
            raise InvalidArgument(f"A request's id must not begin with {OWN_IDS}, as ids of this server's do.")
        else:
            answer_id = self._answer_ids.new()
        is_own_clock = event_time_us == arrived_us
        is_in_range = is_own_clock or self._event_times is None or self._event_times.holds(event_time_us, arrived_us)
        return Caller(request_id, event_time_us, arrived_us, identity, answer_id, is_in_range)


def version_header(caller: Caller, version: int) -> tuple[tuple[bytes, bytes], ...]:
    """The header of a response that names the version that answered, where requests are split between two."""
    return ((VERSION_HEADER, str(version).encode()),) if caller.unit else ()


def id_headers(caller: Caller) -> tuple[tuple[bytes, bytes], ...]:
    """The headers of a response that name its request, and the answer itself where the request was named by its client.

    >>> id_headers(Caller("order-1", 0, 0, answer_id="pitfalls-2"))
    ((b'x-request-id', b'order-1'), (b'x-answer-id', b'pitfalls-2'))
    """
    request = (REQUEST_ID_HEADER, caller.request_id.encode())
    return (request, (ANSWER_ID_HEADER, caller.answer_id.encode())) if caller.answer_id else (request,)
