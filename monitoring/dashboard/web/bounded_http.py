"""HTTP/1.1 of uvicorn with bounds that hold before anybody is known: connections, heads, and the time of a request."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

#: Connections, at most: fewer than the files that a process may open. A further one takes the place of an idle one.
MOST_CONNECTIONS: Final = 500

#: Bytes of a head.
MOST_HEAD_BYTES: Final = 65_536

#: Seconds for a head, and for a body with as many bytes a second as `LEAST_RATE` beside it.
REQUEST_SECONDS: Final = 10.0
LEAST_RATE: Final = 16_384

#: Counts the moments at which connections fall idle: the loop's clock, of whole milliseconds, has ties.
_MOMENTS: Final = itertools.count()

#: What h11 has of a request that has come whole, or of which no more comes.
_WHOLE: Final = (h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR)


class BoundedHttp(H11Protocol):
    """A connection; uvicorn makes one for each."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._since = 0.0
        self._idle_since = 0
        self._received = 0

    @property
    def is_idle(self) -> bool:
        """Whether no answer is being made for it."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def idle_since(self) -> float:
        """The moment at which it fell idle: the lower, the longer ago."""
        return self._idle_since

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, in the place of the one that has been idle longest where there are too many."""
        super().connection_made(transport)
        self._expect()
        if len(self.connections) > MOST_CONNECTIONS:
            idle = [other for other in self.connections if isinstance(other, BoundedHttp) and other.is_idle]
            min(idle, key=BoundedHttp.idle_since).transport.abort()  # this one is idle, too

    def data_received(self, data: bytes) -> None:
        """Take a part of a request, whose rest is to come in time."""
        if self.conn.their_state is h11.IDLE:
            if self._deadline is None:
                self._expect()
            if self._is_too_long(data):
                self.send_400_response("The head of the request is too long.")
                return
        self._received += len(data)
        super().data_received(data)
        if self.conn.their_state in _WHOLE:
            self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request, as long as uvicorn has it."""
        self._since, self._idle_since = self.loop.time(), next(_MOMENTS)
        super().on_response_complete()

    def _is_too_long(self, data: bytes) -> bool:
        """Whether a head is, of which this is a part: `h11` looks only at those that have not come whole."""
        waiting, _ = self.conn.trailing_data
        end = (waiting + data).find(b"\r\n\r\n")
        return (len(waiting) + len(data) if end < 0 else end) > MOST_HEAD_BYTES

    def _expect(self) -> None:
        """Give a request its time."""
        self._since, self._idle_since, self._received = self.loop.time(), next(_MOMENTS), 0
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._look)

    def _look(self) -> None:
        """Close the connection if its request is late; a body may take longer than a head."""
        has_body = self.conn.their_state is h11.SEND_BODY
        more = self._since + REQUEST_SECONDS + has_body * self._received / LEAST_RATE - self.loop.time()
        if more > 0:
            self._deadline = self.loop.call_later(max(more, 0.1), self._look)
        else:
            self._forget()
            self.transport.abort()

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
