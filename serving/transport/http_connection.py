"""HTTP/1.1 between the sockets and the interface: one instance is one connection.

httptools parses, uvicorn accepts connections and ends them; between the two stands no ASGI, whose
messages, events and tasks would be made anew for every request.
"""

from __future__ import annotations

import asyncio
import http
import re
from collections import deque
from typing import TYPE_CHECKING, Any, cast, final

import httptools

from serving.transport.bounded_cache import bounded_cache
from serving.transport.http_request import HttpRequest
from serving.transport.http_response import HttpResponse, too_large, write_error

if TYPE_CHECKING:
    from uvicorn.server import ServerState

    from serving.transport.http_application import HttpApplication

#: How long a client may go on sending what will not be read before the connection is cut, so that it sees the answer.
LINGER_S = 2.0
#: Request line and headers together. A header is held until it is whole, so there must be an end to it.
HEAD_BYTES = 64 << 10
#: What each byte of a body may cost on the wire: one in chunks of its own takes six.
FRAMING = 8
WHOLE_URL = re.compile(r"https?://[^/?]*", re.IGNORECASE)
CORS = (
    b"access-control-allow-origin: *\r\n"
    b"access-control-allow-methods: POST, GET\r\n"
    b"access-control-allow-headers: Content-Type\r\n"
)
CLOSE = ((b"connection", b"close"),)
NO_HTTP = HttpResponse(400, b"Invalid HTTP request received.", b"text/plain; charset=utf-8", CLOSE)
TOO_SLOW = HttpResponse(408, write_error("The request took too long to come."), headers=CLOSE)
NO_ROOM = HttpResponse(503, write_error("The server has as many connections or bodies as it can hold."), headers=CLOSE)
STATUS_LINES = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in http.HTTPStatus} | {
    499: b"HTTP/1.1 499 Client Closed Request\r\n"
}


@final
class HttpConnection(asyncio.Protocol):
    """One connection. Requests that a client sends ahead wait their turn: answers leave in the requests' order."""

    def __init__(self, app: HttpApplication, *, server_state: ServerState, **_from_uvicorn: Any) -> None:
        self._answer = app.answer
        self._crowd = app.crowd
        self._patience = app.settings.patience
        self._limit = app.settings.body_bytes
        self._cors = CORS if app.settings.cors else b""
        self._open: set[Any] = server_state.connections
        self._loop = asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._late: asyncio.TimerHandle | None = None
        self.heard = self._loop.time()
        # The request that is being read.
        self._reading = False
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._begun = 0.0
        self._has_head = False
        self._wire_bytes = 0  # what came of it, framing included
        self._chunks: list[bytes] = []
        self._body_bytes = 0
        # Whole requests: the one that is being answered, and those behind it.
        self._busy = False
        self._answering_bytes = 0
        self._is_head = False
        self._waiting: deque[tuple[HttpRequest, bool]] = deque()
        self._last: HttpResponse | None = None  # to be sent when the others are, because nothing more can be read
        self._keeps = True  # whether the request that is being answered leaves the connection open
        self._ending = False  # whether it is closed when all that waits is answered
        self._deaf = False
        self._is_first = True  # whether no other request ended in the bytes that came last
        self._can_write = True
        self._unsent = 0
        self._looked = 0.0

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        # uvloop's transport offers what asyncio's does without being one.
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(self)
        self.heard = self._loop.time()
        self._idle = self._loop.call_later(self._patience.idle_s, self._look_for_life)
        if not self._crowd.admit(self, self._open):
            self._write(self._head(NO_ROOM, keep=False) + NO_ROOM.body)
            self._close()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._deaf:
            return
        self.heard = self._loop.time()
        for begin in range(0, len(data), HEAD_BYTES):  # in pieces, so that what is counted wrongly is at most one
            self._read(data[begin : begin + HEAD_BYTES])
        if self._reading and self._late is None:
            self._late = self._loop.call_later(self._patience.request_s, self._look_for_end)

    def _read(self, data: bytes) -> None:
        size = len(data)
        self._is_first = True
        while data and not self._deaf:
            try:
                self._parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade(data[upgrade.args[0] :])
            except httptools.HttpParserError:
                self._refuse(NO_HTTP)
        if not self._reading:
            return
        if self._is_first:  # otherwise an unknown part of these bytes belongs to requests that are whole
            self._wire_bytes += size
        if self._wire_bytes > HEAD_BYTES + (FRAMING * self._body_bytes + HEAD_BYTES if self._has_head else 0):
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
        for timer in (self._idle, self._late):
            if timer is not None:
                timer.cancel()
        self._let_go_of_body()
        self._crowd.release(sum(len(request.body) for request, _ in self._waiting))
        self._transport = None
        self._parser = None  # it refers to this object, and would keep it
        self._waiting.clear()
        self._last = None
        if not self._busy:
            self._open.discard(self)

    # What the crowd asks.

    @property
    def is_idle(self) -> bool:
        """Whether no answer is owed to the client."""
        return not (self._busy or self._waiting)

    def give_way(self) -> None:
        """Close, because others need the room."""
        self._open.discard(self)
        self._close()

    # What uvicorn calls.

    def shutdown(self) -> None:
        """Answer what is here, then close."""
        self._end()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._reading = True
        self._begun = self.heard
        self._url = b""
        self._headers = []
        self._has_head = False
        self._wire_bytes = 0

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The body follows, if it may."""
        self._has_head = True
        if self._parser.should_upgrade():
            return
        for name, value in self._headers:
            if name == b"content-length" and int(value) > self._limit:
                self._refuse(too_large(self._limit))
            elif name == b"expect" and value.lower() == b"100-continue" and not (self._busy or self._deaf):
                self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._deaf:
            return
        if self._body_bytes + len(body) > self._limit:
            self._refuse(too_large(self._limit))
        elif not self._crowd.hold(len(body)):
            self._refuse(NO_ROOM)
        else:
            self._body_bytes += len(body)
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        parser = self._parser
        if self._deaf or parser.should_upgrade():
            return
        self._reading = self._is_first = False
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        request = HttpRequest(parser.get_method().decode("latin-1"), target_of(self._url), self._headers, body)
        self._chunks = []
        self._body_bytes = 0  # held until it is answered
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

    def _begin(self, request: HttpRequest, *, keeps: bool) -> None:
        self._busy = True
        self._answering_bytes = len(request.body)
        self._is_head = request.method == "HEAD"
        self._keeps = keeps
        self._answer(request, self._reply)

    def _reply(self, response: HttpResponse) -> None:
        """Send an answer, and begin with the next request."""
        self._busy = False
        self._crowd.release(self._answering_bytes)
        self.heard = self._loop.time()
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

    def _head(self, response: HttpResponse, *, keep: bool) -> bytes:
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

    def _refuse(self, response: HttpResponse) -> None:
        """Read no more; say why when what came before is answered."""
        if self._deaf:
            return
        self._deaf = True
        self._let_go_of_body()
        if self._busy or self._waiting:
            self._last = response
        else:
            self._send_last(response)

    def _send_last(self, response: HttpResponse) -> None:
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

    def _let_go_of_body(self) -> None:
        """Forget what was read of a request that will not be answered."""
        self._crowd.release(self._body_bytes)
        self._body_bytes = 0
        self._chunks = []

    def _look_for_end(self) -> None:
        """Refuse a request that takes too long to come. Set only for one that did not come in one read."""
        self._late = None
        if not self._reading or self._deaf:
            return
        patience = self._patience
        left_s = self._begun + patience.request_s + self._body_bytes / patience.bytes_per_s - self._loop.time()
        if left_s > 0:
            self._late = self._loop.call_later(left_s, self._look_for_end)
        else:
            self._refuse(TOO_SLOW)

    def _look_for_life(self) -> None:
        """Close an idle connection. One timer that looks now and then, not one set anew with every request."""
        transport = self._transport
        if transport is None:
            return
        patience = self._patience
        now, before = self._loop.time(), self._unsent
        self._unsent = transport.get_write_buffer_size()
        needed = (now - self._looked) * patience.bytes_per_s
        self._looked = now
        if self._busy or (before and not self._unsent) or (self._unsent and before - self._unsent >= needed):
            self.heard = now
        if now - self.heard < patience.idle_s:
            self._idle = self._loop.call_later(patience.idle_s - (now - self.heard), self._look_for_life)
        elif self._unsent:
            transport.abort()  # closed, it would still wait for the client to read
        else:
            self._close()


@bounded_cache
def target_of(url: bytes) -> str:
    """Path and query of a request line's target, which may also be a whole URL.

    >>> target_of(b"/v1/models/m?a=1#top"), target_of(b"http://host:80/v1"), target_of(b"*")
    ('/v1/models/m?a=1', '/v1', '*')
    """
    target = url.decode("latin-1").partition("#")[0]
    whole = WHOLE_URL.match(target)
    return target if whole is None else target[whole.end() :] or "/"
