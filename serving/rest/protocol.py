"""HTTP/1.1 between the sockets and the interface: one instance is one connection.

httptools parses, uvicorn accepts connections and ends them; between the two stands no ASGI, whose
messages, events and tasks would be made anew for every request.
"""

from __future__ import annotations

import asyncio
import http
import re
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast, final

import httptools

from serving.rest.app import too_large
from serving.rest.requests import Request
from serving.rest.responses import Response

if TYPE_CHECKING:
    from uvicorn.server import ServerState

    from serving.rest.app import RestApp

#: A connection that waits for nothing of ours and moves no byte is closed after so long, also within a request.
IDLE_S = 75.0
#: How long a client may go on sending what will not be read before the connection is cut, so that it sees the answer.
LINGER_S = 2.0
#: Request line and headers together. A header is held until it is whole, so there must be an end to it.
HEAD_BYTES = 64 << 10
WHOLE_URL = re.compile(r"https?://[^/?]*", re.IGNORECASE)
CORS = (
    b"access-control-allow-origin: *\r\n"
    b"access-control-allow-methods: POST, GET\r\n"
    b"access-control-allow-headers: Content-Type\r\n"
)
NO_HTTP = Response(400, b"Invalid HTTP request received.", b"text/plain; charset=utf-8", ((b"connection", b"close"),))
STATUS_LINES = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in http.HTTPStatus} | {
    499: b"HTTP/1.1 499 Client Closed Request\r\n"
}


@final
class RestProtocol(asyncio.Protocol):
    """One connection. Requests that a client sends ahead wait their turn: answers leave in the requests' order."""

    def __init__(self, app: RestApp, *, server_state: ServerState, **_from_uvicorn: Any) -> None:
        self._answer = app.answer
        self._limit = app.settings.body_bytes
        self._cors = CORS if app.settings.cors else b""
        self._open: set[Any] = server_state.connections
        self._loop = asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._heard = 0.0
        # The request that is being read.
        self._reading = False
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes: int | None = None  # None: the head is whole
        self._chunks: list[bytes] = []
        self._body_bytes = 0
        # Whole requests: the one that is being answered, and those behind it.
        self._busy = False
        self._is_head = False
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._last: Response | None = None  # to be sent when the others are, because nothing more can be read
        self._keeps = True  # whether the request that is being answered leaves the connection open
        self._ending = False  # whether it is closed when all that waits is answered
        self._deaf = False
        self._can_write = True
        self._unsent = 0

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        # uvloop's transport offers what asyncio's does without being one.
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(self)
        self._heard = self._loop.time()
        self._idle = self._loop.call_later(IDLE_S, self._look_for_life)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._deaf:
            return
        self._heard = self._loop.time()
        size = len(data)
        while data:
            try:
                self._parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade(data[upgrade.args[0] :])
            except httptools.HttpParserError:
                self._refuse(NO_HTTP)
                data = b""
        if self._head_bytes is not None:
            self._head_bytes += size
            if self._head_bytes > HEAD_BYTES:
                self._refuse(NO_HTTP)

    def eof_received(self) -> bool:
        """The client says no more; it may still listen."""
        self._deaf = True
        self._reading = False
        self._ending = True
        return self._busy or bool(self._waiting)

    def pause_writing(self) -> None:
        """The client does not read what it was sent."""
        self._can_write = False

    def resume_writing(self) -> None:
        """The client has read most of it."""
        self._can_write = True
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone. An answer that is being made is made, and logged; the drain waits for it."""
        if self._idle is not None:
            self._idle.cancel()
        self._transport = None
        self._parser = None  # it refers to this object, and would keep it
        self._waiting.clear()
        self._last = None
        if not self._busy:
            self._open.discard(self)

    # What uvicorn calls.

    def shutdown(self) -> None:
        """Answer what is here, then close."""
        self._end()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._reading = True
        self._url = b""
        self._headers = []
        self._head_bytes = 0
        self._chunks = []
        self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The body follows, if it may."""
        self._head_bytes = None
        if self._parser.should_upgrade():
            return
        for name, value in self._headers:
            if name == b"content-length" and int(value) > self._limit:
                self._refuse(too_large(self._limit))
            elif name == b"expect" and value.lower() == b"100-continue" and not (self._busy or self._deaf):
                self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body_bytes += len(body)
        if self._body_bytes > self._limit:
            self._refuse(too_large(self._limit))
        elif not self._deaf:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        parser = self._parser
        if self._deaf or parser.should_upgrade():
            return
        self._reading = False
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        request = Request(parser.get_method().decode("latin-1"), target_of(self._url), self._headers, body)
        self._chunks = []
        keeps = parser.should_keep_alive()
        if self._busy or not self._can_write:
            self._waiting.append((request, keeps))
            if self._transport is not None and not self._transport.is_closing():
                self._transport.pause_reading()  # what one read brought is all that waits
        else:
            self._begin(request, keeps=keeps)

    def _without_upgrade(self, rest: bytes) -> bytes:
        """The request whose client offers another protocol, without the offer, and what came after its head.

        An offer may be ignored, but the parser stops at it and drops the body. Java's own client makes one (h2c) with
        its first request.
        """
        method = self._parser.get_method()
        if method == b"CONNECT":
            self._refuse(NO_HTTP)
            return b""
        self._parser = httptools.HttpRequestParser(self)
        kept = b"".join(b"%b: %b\r\n" % pair for pair in self._headers if pair[0] not in {b"connection", b"upgrade"})
        return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, self._url, kept, rest)

    # Answering.

    def _begin(self, request: Request, *, keeps: bool) -> None:
        self._busy = True
        self._is_head = request.method == "HEAD"
        self._keeps = keeps
        self._answer(request, self._reply)

    def _reply(self, response: Response) -> None:
        """Send an answer, and begin with the next request."""
        self._busy = False
        self._heard = self._loop.time()
        if self._transport is None:
            self._open.discard(self)
            return
        rest = bool(self._waiting) or self._last is not None
        keep = self._keeps and (rest or not self._ending) and (b"connection", b"close") not in response.headers
        self._write(self._head(response, keep=keep) + (b"" if self._is_head else response.body))
        if not keep:
            self._close()
        elif rest:
            self._loop.call_soon(self._go_on)  # not at once: a client that sends ahead would build a tower of calls

    def _head(self, response: Response, *, keep: bool) -> bytes:
        head = b"%bcontent-type: %b\r\ncontent-length: %d\r\n" % (
            STATUS_LINES[response.status],
            response.content_type,
            len(response.body),
        )
        for name, value in response.headers:
            if name != b"connection":
                head += b"%b: %b\r\n" % (name, value)
        head += self._cors
        return head + (b"\r\n" if keep else b"connection: close\r\n\r\n")

    def _go_on(self) -> None:
        if self._busy or not self._can_write or self._transport is None:
            return
        if self._waiting:
            request, keeps = self._waiting.popleft()
            if not self._waiting and not self._deaf:
                self._transport.resume_reading()
            self._begin(request, keeps=keeps)
        elif self._last is not None:
            self._send_last(self._last)

    def _refuse(self, response: Response) -> None:
        """Read no more; say why when what came before is answered."""
        if self._deaf:
            return
        self._deaf = True
        if self._busy or self._waiting:
            self._last = response
        else:
            self._send_last(response)

    def _send_last(self, response: Response) -> None:
        """Send an answer and hang up, but not before the client has had time to read it.

        Closed with bytes unread, the connection would be reset, and the client would never see the answer.
        """
        self._last = None
        self._reading = False
        if self._transport is None:
            return
        self._write(self._head(response, keep=False) + response.body)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._loop.call_later(LINGER_S, self._close)

    def _end(self) -> None:
        """Close when what is here is answered."""
        self._ending = True
        if not (self._busy or self._reading or self._waiting):
            self._close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _close(self) -> None:
        self._deaf = True
        if self._transport is not None:
            self._transport.close()

    def _look_for_life(self) -> None:
        """Close an idle connection. One timer that looks now and then, not one set anew with every request."""
        transport = self._transport
        if transport is None:
            return
        now, before = self._loop.time(), self._unsent
        self._unsent = transport.get_write_buffer_size()
        if self._busy or self._unsent < before:
            self._heard = now
        if now - self._heard < IDLE_S:
            self._idle = self._loop.call_later(IDLE_S - (now - self._heard), self._look_for_life)
        elif self._unsent:
            transport.abort()  # closed, it would still wait for the client to read
        else:
            self._close()


@lru_cache(maxsize=1024)
def target_of(url: bytes) -> str:
    """Path and query of a request line's target, which may also be a whole URL.

    >>> target_of(b"/v1/models/m?a=1#top"), target_of(b"http://host:80/v1"), target_of(b"*")
    ('/v1/models/m?a=1', '/v1', '*')
    """
    target = url.decode("latin-1").partition("#")[0]
    whole = WHOLE_URL.match(target)
    return target if whole is None else target[whole.end() :] or "/"
