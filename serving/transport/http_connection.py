"""HTTP/1.1 between a socket and the application: one instance is one connection.

httptools parses requests; uvicorn accepts connections and ends them. There is no ASGI in between, whose messages,
events and tasks would be made anew for every request.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, cast, final

import httptools

from serving.access.identity import identity_of
from serving.transport.http_request import HttpRequest, target_of
from serving.transport.http_response import FULL_TEXT, TOO_MANY, HttpResponse, too_large, write_error, write_head
from serving.transport.turns import TurnReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from uvicorn.server import ServerState

    from serving.access.origins import OriginPolicy
    from serving.transport.http_settings import HttpSettings
    from serving.transport.limits import ConnectionLimiter

#: Headers that name the server, or the page that sends the request; and the framing, which HTTP/1.0 does not have.
SOURCE_HEADERS = frozenset({b"host", b"origin", b"sec-fetch-site", b"transfer-encoding"})
CLOSE = ((b"connection", b"close"),)
NOT_HTTP = HttpResponse(400, b"Invalid HTTP request received.", b"text/plain; charset=utf-8", CLOSE)


def source_refusal(headers: Sequence[tuple[bytes, bytes]], version: str, origins: OriginPolicy) -> HttpResponse | None:
    """Refuse a request that names no Host or several, another server's, or that a page of another origin sends.

    Returns:
        The response; None if the request may be answered.
    """
    named = dict(headers)
    hosts = [value for name, value in headers if name == b"host"]
    is_old = version != "1.1"
    if len(hosts) > 1 or not (hosts or is_old) or (is_old and b"transfer-encoding" in named):
        return NOT_HTTP
    host = hosts[0] if hosts else b"localhost"  # programs that speak HTTP/1.0; browsers do not
    why = origins.refusal(host, named.get(b"origin", b""), named.get(b"sec-fetch-site", b""))
    return None if why is None else HttpResponse(403, write_error(why), headers=CLOSE)


#: How long a client may go on sending bytes that are not read before the connection is closed, so that it can read the
#: response.
LINGER_S = 2.0
#: Bound on the request line and headers together: a header is held until it is whole.
HEAD_BYTES = 64 << 10
#: A response up to this size fits into the buffer of a socket that has room, and is not counted while it waits there.
UNCOUNTED_BYTES = 64 << 10
#: Bound on the bytes on the wire for each byte of a body: one in a chunk of its own takes six.
FRAMING = 8
TOO_SLOW = HttpResponse(408, write_error("The request took too long to come."), headers=CLOSE)
FULL = HttpResponse(503, write_error(FULL_TEXT), headers=CLOSE)


class HttpApplication(Protocol):
    """Answers requests in the event loop of their connections."""

    @property
    def limiter(self) -> ConnectionLimiter:
        """Admits connections and counts the bytes of bodies."""

    @property
    def settings(self) -> HttpSettings:
        """Limits of a connection."""

    def answer(self, request: HttpRequest, reply: Callable[[HttpResponse], None]) -> None:
        """Answer one request: ``reply`` is called once with the response, now or later."""


@final
class HttpConnection(asyncio.Protocol):
    """One connection. Pipelined requests wait their turn: responses leave in the order of the requests."""

    def __init__(self, app: HttpApplication, *, server_state: ServerState, **_from_uvicorn: Any) -> None:
        self._answer = app.answer
        self._limiter = app.limiter
        self._timeouts = app.settings.timeouts
        self._max_body_bytes = app.settings.body_bytes
        self._max_client_requests = app.limiter.max_client_requests
        self._origins = app.settings.origins
        self._known_source: list[tuple[bytes, bytes]] | None = None
        self._cors = app.settings.cors_headers
        self._connections: set[Any] = server_state.connections
        self._loop = asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._reader = TurnReader(app.limiter, self._read)
        self._idle_timer: asyncio.TimerHandle | None = None
        self._request_timer: asyncio.TimerHandle | None = None
        self.last_activity_s = self._loop.time()
        # The request that is being read.
        self._is_reading = False
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._begun_s = 0.0
        self._has_head = False
        self._wire_bytes = 0  # of this request, framing included
        self._chunks: list[bytes] = []
        self._body_bytes = 0
        # Whole requests: the one that is being answered, and those that wait.
        self._is_busy = False
        self._answering_bytes = 0
        self._is_head = False
        self._waiting: deque[tuple[HttpRequest, bool]] = deque()
        self._refusal: HttpResponse | None = None  # sent after the other responses, as nothing more can be read
        self._keeps = True  # whether the connection stays open after the request that is being answered
        self._is_ending = False  # whether it is closed when all waiting requests are answered
        self._is_deaf = False  # whether bytes that come are ignored
        self._has_eof = False  # whether the client sends no more than what has come
        self._is_first = True  # whether no other request ended in the bytes that came last
        self._can_write = True
        self._unsent_bytes = 0
        self._held_unsent = 0
        self._checked_s = 0.0

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit a new connection."""
        # uvloop's transport has the methods of asyncio's without being a subclass.
        self._transport = cast("asyncio.Transport", transport)
        self._reader.connect(self._transport)
        self._connections.add(self)
        address = (transport.get_extra_info("peername") or ("",))[0]
        self._identity = identity_of(address, transport.get_extra_info("peercert"))
        self._client = self._limiter.enter(address)
        self.last_activity_s = self._loop.time()
        self._idle_timer = self._loop.call_later(self._timeouts.idle_s, self._check_idle)
        if not self._limiter.admit(self, self._connections):
            self._write(write_head(FULL, keep=False, more=self._cors) + FULL.body)
            self._close()

    def data_received(self, data: bytes) -> None:
        """Parse bytes."""
        if self._is_deaf:
            return
        self.last_activity_s = self._loop.time()
        self._reader.feed(data)

    def _read(self, data: bytes) -> None:
        """Read a piece of what has come."""
        size = len(data)
        self._is_first = True
        while data and not self._is_deaf:
            try:
                self._parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade(data[upgrade.args[0] :])
            except httptools.HttpParserError:
                self._refuse(NOT_HTTP)
        if self._has_eof and not self._reader.is_behind:
            self._end_reading()
        if not self._is_reading:
            return
        if self._request_timer is None:
            self._request_timer = self._loop.call_later(self._timeouts.request_s, self._check_request)
        if self._is_first:  # otherwise an unknown part of these bytes belongs to complete requests
            self._wire_bytes += size
        if self._wire_bytes > HEAD_BYTES + (FRAMING * self._body_bytes + HEAD_BYTES if self._has_head else 0):
            self._refuse(NOT_HTTP)

    def eof_received(self) -> bool:
        """The client sends no more; it may still read. True keeps the connection open for waiting responses."""
        self._has_eof = True
        if not self._reader.is_behind:
            self._end_reading()
        return self._is_busy or bool(self._waiting) or self._reader.is_behind

    def _end_reading(self) -> None:
        """All that the client has sent was read."""
        self._is_deaf = True
        self._is_reading = False
        self._is_ending = True
        if not (self._is_busy or self._waiting):
            self._close()

    def pause_writing(self) -> None:
        """The client does not read what it was sent."""
        self._can_write = False

    def resume_writing(self) -> None:
        """The client has read most of what it was sent."""
        self._can_write = True
        self._release_unsent()
        self._answer_next()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone. An answer that is being computed is completed and logged; draining waits for it."""
        for timer in (self._idle_timer, self._request_timer):
            if timer is not None:
                timer.cancel()
        self._reader.close()
        self._drop_body()
        self._release_unsent()
        self._limiter.release_bytes(sum(len(request.body) for request, _ in self._waiting))
        self._transport = None
        self._parser = None  # a reference cycle: the parser refers to this object
        self._waiting.clear()
        self._refusal = None
        if not self._is_busy:
            self._forget()

    def _forget(self) -> None:
        self._connections.discard(self)
        self._limiter.leave(self._client)

    # Called by the limiter.

    @property
    def is_idle(self) -> bool:
        """Whether no request waits for its response."""
        return not (self._is_busy or self._waiting)

    def evict(self) -> None:
        """Close the connection to make room for another."""
        self._connections.discard(self)
        self._close()

    # Called by uvicorn.

    def shutdown(self) -> None:
        """Answer the requests that were received, then close."""
        self._is_ending = True
        if not (self._is_busy or self._is_reading or self._waiting or self._reader.is_behind):
            self._close()

    # Called by the parser.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_reading = True
        self._begun_s = self.last_activity_s
        self._url = b""
        self._headers = []
        self._has_head = False
        self._wire_bytes = 0

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header. Trailers are ignored: they could replace what a proxy has set."""
        if self._has_head:
            return
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is complete: refuse a body that is too large, or let the client continue."""
        self._has_head = True
        if self._parser.should_upgrade():
            return
        source = []
        for name, value in self._headers:
            if name in SOURCE_HEADERS:
                source.append((name, value))
            elif name == b"content-length" and int(value) > self._max_body_bytes:
                self._refuse(too_large(self._max_body_bytes))
            elif name == b"expect" and value.lower() == b"100-continue" and not (self._is_busy or self._is_deaf):
                self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if source != self._known_source:  # that of the request before on this connection
            refusal = source_refusal(source, self._parser.get_http_version(), self._origins)
            if refusal is not None:
                self._refuse(refusal)
            else:
                self._known_source = source

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._is_deaf:
            return
        if self._body_bytes + len(body) > self._max_body_bytes:
            self._refuse(too_large(self._max_body_bytes))
        elif not self._limiter.hold_bytes(len(body)):
            self._refuse(FULL)
        else:
            self._body_bytes += len(body)
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        """A request is complete: answer it, or let it wait for those before it."""
        parser = self._parser
        if self._is_deaf or parser.should_upgrade():
            return
        self._is_reading = self._is_first = False
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        method, target = parser.get_method().decode("latin-1"), target_of(self._url)
        request = HttpRequest(method, target, self._headers, body, self._identity)
        self._chunks = []
        self._body_bytes = 0  # held until the request is answered
        keeps = parser.should_keep_alive()
        if self._is_busy or not self._can_write:
            self._waiting.append((request, keeps))
            self._reader.hold()  # no more requests wait than one piece brought
        else:
            self._begin(request, keeps=keeps)

    def _without_upgrade(self, rest: bytes) -> bytes:
        """Remove the offer of another protocol from a request. Returns the bytes of the request without the offer.

        A server may ignore the offer, but the parser stops at it and drops the body. Java's HTTP client offers h2c in
        its first request.
        """
        method = self._parser.get_method()
        if method == b"CONNECT":
            self._refuse(NOT_HTTP)
            return b""
        self._parser = httptools.HttpRequestParser(self)
        headers = b"".join(b"%b: %b\r\n" % pair for pair in self._headers if pair[0] not in {b"connection", b"upgrade"})
        return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, self._url, headers, rest)

    # Answering.

    def _begin(self, request: HttpRequest, *, keeps: bool) -> None:
        self._is_busy = True
        self._answering_bytes = len(request.body)
        self._is_head = request.method == "HEAD"
        self._keeps = keeps
        self._client.answering += 1
        if self._client.answering > self._max_client_requests and not request.target.startswith("/v2/health/"):
            self._reply(TOO_MANY)
        else:
            self._answer(request, self._reply)

    def _reply(self, response: HttpResponse) -> None:
        """Send a response, and begin with the next request."""
        self._is_busy = False
        self._limiter.release_bytes(self._answering_bytes)
        self.last_activity_s = self._loop.time()
        self._client.answering -= 1
        if self._transport is None:
            self._forget()
            return
        size = 0 if self._is_head else len(response.body)
        if size > UNCOUNTED_BYTES and not self._limiter.hold_bytes(size):
            response, size = FULL, 0
        has_more = bool(self._waiting) or self._refusal is not None or self._reader.is_behind
        keep = self._keeps and (has_more or not self._is_ending) and (b"connection", b"close") not in response.headers
        head = write_head(response, keep=keep, more=self._cors)
        if size > UNCOUNTED_BYTES:
            self._write(head)
            self._write(response.body)
            self._count_unsent(size)
        else:
            self._write(head + (b"" if self._is_head else response.body))
        if not keep:
            self._close()
        elif has_more:
            self._loop.call_soon(self._answer_next)  # not at once: pipelined requests would nest calls

    def _count_unsent(self, size: int) -> None:
        """Of a response that was held whole, count from now on what the client has not taken."""
        unsent = 0
        if self._transport is not None and not self._can_write:
            unsent = min(size, self._transport.get_write_buffer_size())
        self._held_unsent += unsent
        self._limiter.release_bytes(size - unsent)

    def _release_unsent(self) -> None:
        self._limiter.release_bytes(self._held_unsent)
        self._held_unsent = 0

    def _answer_next(self) -> None:
        if self._is_busy or not self._can_write or self._transport is None:
            return
        if self._waiting:
            request, keeps = self._waiting.popleft()
            if not self._waiting and not self._is_deaf:
                self._reader.go_on()
            self._begin(request, keeps=keeps)
        elif self._refusal is not None:
            self._send_refusal(self._refusal)

    def _refuse(self, response: HttpResponse) -> None:
        """Read no more; send the reason when the requests before are answered."""
        if self._is_deaf:
            return
        self._is_deaf = True
        self._reader.drop()
        self._drop_body()
        if self._is_busy or self._waiting:
            self._refusal = response
        else:
            self._send_refusal(response)

    def _send_refusal(self, response: HttpResponse) -> None:
        """Send a response and close, but not before the client has had time to read it.

        A connection that is closed with unread bytes is reset, and the client never sees the response.
        """
        self._refusal = None
        self._is_reading = False
        if self._transport is None:
            return
        self._write(write_head(response, keep=False, more=self._cors) + response.body)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._loop.call_later(LINGER_S, self._close)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _close(self) -> None:
        self._is_deaf = True
        if self._transport is not None:
            self._transport.close()
        self._reader.drop()

    def _drop_body(self) -> None:
        """Drop what was read of a request that will not be answered."""
        self._limiter.release_bytes(self._body_bytes)
        self._body_bytes = 0
        self._chunks = []

    # Timers.

    def _check_request(self) -> None:
        """Refuse a request that takes too long to come. Set only for one that did not come in one read."""
        self._request_timer = None
        if not self._is_reading or self._is_deaf:
            return
        timeouts = self._timeouts
        left_s = self._begun_s + timeouts.request_s + self._body_bytes / timeouts.bytes_per_s - self._loop.time()
        if left_s > 0:
            self._request_timer = self._loop.call_later(left_s, self._check_request)
        else:
            self._refuse(TOO_SLOW)

    def _check_idle(self) -> None:
        """Close an idle connection. One timer that checks at intervals is cheaper than one for every request."""
        transport = self._transport
        if transport is None:
            return
        timeouts = self._timeouts
        now, before = self._loop.time(), self._unsent_bytes
        self._unsent_bytes = unsent = transport.get_write_buffer_size()
        needed = (now - self._checked_s) * timeouts.bytes_per_s
        self._checked_s = now
        if self._is_busy or (before and not unsent) or (unsent and before - unsent >= needed):
            self.last_activity_s = now
        if now - self.last_activity_s < timeouts.idle_s:
            left_s = timeouts.idle_s - (now - self.last_activity_s)
            self._idle_timer = self._loop.call_later(left_s, self._check_idle)
        elif unsent:
            transport.abort()  # closing would still wait for the client to read
        else:
            self._close()
