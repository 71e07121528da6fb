"""A gRPC server in the event loop, without gRPC's library: the part of ``grpc.aio.Server`` that is used here."""

from __future__ import annotations

import asyncio
import logging
import struct
from dataclasses import replace
from inspect import isasyncgen
from typing import TYPE_CHECKING, Any, NamedTuple, final

from serving.http2.call_context import CallAborted, CallContext
from serving.http2.call_head import CallHead, Metadata, read_head
from serving.http2.connection import Http2Connection
from serving.http2.frames import literal
from serving.status import Code
from serving.transport.bounded_cache import bounded_cache

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from serving.http2.connection_settings import ConnectionSettings
    from serving.http2.header_tables import Header
    from serving.http2.stream import CallStream
    from serving.transport.limits import ConnectionLimiter

#: Status 200 and the type of gRPC's answers, in numbers of the static table.
FIRST_HEADERS = b"\x88\x0f\x10\x10application/grpc"
NOT_GRPC_HEADERS = b"\x08\x03415"
STATUS_OK = literal(b"grpc-status", b"0")
PREFIX = struct.Struct(">?I")
BACKLOG = 2048
FULL = "The server holds as many requests as it can."
_logger = logging.getLogger(__name__)


class CallDetails(NamedTuple):
    """What gRPC's handlers are asked for a method with."""

    method: str
    invocation_metadata: Metadata


@final
class Http2GrpcServer:
    """Answers gRPC calls over HTTP/2.

    Args:
        settings: Limits of one connection.
        limiter: Counts the bytes of messages.
        calls: The most calls at a time.
        connections: The most connections.
        tls: Encrypts connections, and offers HTTP/2 to clients (ALPN); None for none.
    """

    def __init__(
        self,
        settings: ConnectionSettings,
        limiter: ConnectionLimiter,
        *,
        calls: int,
        connections: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.settings = settings
        self.hold, self.release = limiter.hold_bytes, limiter.release_bytes
        self._calls = calls
        self._max_connections = connections
        self._encryption: dict[str, Any] = {}
        if tls is not None:
            self._encryption = {"ssl": tls, "ssl_handshake_timeout": settings.stall_s}
        self._handlers: list[Any] = []
        self._connections: set[Http2Connection] = set()
        self._contexts: dict[asyncio.Task[bytes | None], tuple[Http2Connection, CallContext]] = {}
        self._idle = asyncio.Event()
        self._listeners: list[asyncio.Server] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        """Register handlers, as with ``grpc.aio.Server``; those of streams of requests only."""
        self._handlers += handlers

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """What generated code calls beside `add_generic_rpc_handlers`, with the same handlers."""

    async def listen(self, bound: socket.socket, socket_path: Path | None = None) -> None:
        """Take connections at a bound socket, and at a Unix socket."""
        loop = asyncio.get_running_loop()
        self._listeners.append(
            await loop.create_server(lambda: Http2Connection(self), sock=bound, backlog=BACKLOG, **self._encryption)
        )
        if socket_path is not None:
            self._listeners.append(
                await loop.create_unix_server(lambda: Http2Connection(self), str(socket_path), **self._encryption)
            )

    async def stop(self, grace_s: float) -> None:
        """Take no more calls, and answer those that there are for at most ``grace_s`` seconds."""
        for listener in self._listeners:
            listener.close()
        for connection in list(self._connections):
            connection.drain()
        if self._connections:
            try:
                await asyncio.wait_for(self._idle.wait(), grace_s)
            except TimeoutError:
                for connection in list(self._connections):
                    connection.abort()

    # Called by connections.

    def read_head(self, headers: tuple[Header, ...]) -> CallHead:
        """Read the headers of a call, and find what handles it."""
        head = read_head(headers)
        details = CallDetails(head.path, head.metadata)
        found = (handler.service(details) for handler in self._handlers)
        return replace(head, handler=next((one for one in found if one is not None), None))

    def opened(self, connection: Http2Connection) -> bool:
        """Count a new connection; False if there are too many."""
        self._connections.add(connection)
        self._idle.clear()
        return len(self._connections) <= self._max_connections

    def closed(self, connection: Http2Connection) -> None:
        """Forget a connection."""
        self._connections.discard(connection)
        if not self._connections:
            self._idle.set()

    def begin(self, connection: Http2Connection, stream: CallStream) -> None:
        """Begin to handle a call."""
        head = stream.head
        if head.fault:
            connection.send(stream, b"", None, NOT_GRPC_HEADERS)
            return
        refusal = self._refusal(head)
        if refusal is not None:
            connection.send(stream, b"", None, FIRST_HEADERS + error_headers(*refusal))
            return
        loop = asyncio.get_running_loop()
        context = CallContext(stream, connection.peer, connection.principal, loop.time, self._send)
        if head.handler.response_streaming:
            stream.task = loop.create_task(_stream(head.handler, context))
        else:
            stream.task = loop.create_task(head.handler.stream_unary(context, context))
        self._contexts[stream.task] = (connection, context)
        stream.task.add_done_callback(self._answer)
        if head.timeout_s is not None:
            stream.timer = loop.call_later(head.timeout_s, self._expire, connection, context)

    def _refusal(self, head: CallHead) -> tuple[Code, str] | None:
        """Why a call is not handled."""
        if head.handler is None:
            return Code.UNIMPLEMENTED, "Method not found!"
        if head.is_compressed:
            return Code.UNIMPLEMENTED, "Compressed messages are not taken."
        return (Code.RESOURCE_EXHAUSTED, FULL) if len(self._contexts) >= self._calls else None

    def _send(self, context: CallContext, message: bytes) -> None:
        connection, _ = self._contexts[context.stream.task]  # type: ignore[index]  # a handler runs in its task
        head = b"" if context.stream.has_begun_answer else FIRST_HEADERS
        context.stream.has_begun_answer = True
        connection.send(context.stream, head, PREFIX.pack(False, len(message)) + message, None)  # noqa: FBT003

    def _expire(self, connection: Http2Connection, context: CallContext) -> None:
        """End a call whose caller's deadline has passed."""
        stream, task = context.stream, context.stream.task
        if not stream.is_closed and task is not None and not task.done():
            self._finish(connection, context, Code.DEADLINE_EXCEEDED, "Deadline Exceeded")
            task.cancel()

    def _answer(self, task: asyncio.Task[Any]) -> None:
        """Send what a handler has returned or raised."""
        connection, context = self._contexts.pop(task)
        if task.cancelled():
            self._finish(connection, context, Code.CANCELLED, "The call was cancelled.")
            return
        error = task.exception()
        if isinstance(error, CallAborted):
            self._finish(connection, context, error.code, error.message)
        elif error is not None:
            _logger.error("A call of %s failed by a defect.", context.stream.head.path, exc_info=error)
            self._finish(connection, context, Code.UNKNOWN, f"Unexpected {type(error).__name__}")
        elif context.stream.head.handler.response_streaming:
            self._finish(connection, context, Code.OK, "")
        else:
            message = context.written(task.result())
            trailers = STATUS_OK + b"".join([_header(*pair) for pair in context.trailing])
            body = PREFIX.pack(False, len(message)) + message  # noqa: FBT003
            connection.send(context.stream, FIRST_HEADERS, body, trailers)

    @staticmethod
    def _finish(connection: Http2Connection, context: CallContext, code: int, message: str) -> None:
        head = b"" if context.stream.has_begun_answer else FIRST_HEADERS
        trailers = b"".join([_header(*pair) for pair in context.trailing])
        connection.send(context.stream, b"", None, head + error_headers(code, message) + trailers)


async def _stream(handler: Any, context: CallContext) -> None:
    """Run a handler of a stream of answers: a coroutine that writes them, or a generator of them."""
    answers = handler.stream_stream(context, context)
    if isasyncgen(answers):
        async for answer in answers:
            await context.write(answer)
    else:
        await answers


def error_headers(code: int, message: str) -> bytes:
    """Write a status; its message as gRPC has it: printable ASCII, other bytes as %XX."""
    if code == Code.OK:
        return STATUS_OK
    text = "".join(chr(one) if 32 <= one < 127 and one != 37 else f"%{one:02X}" for one in message.encode())
    return literal(b"grpc-status", str(int(code)).encode()) + literal(b"grpc-message", text.encode())


def _header(name: str, value: str | bytes) -> bytes:
    return _name(name) + literal(b"", value if isinstance(value, bytes) else value.encode("latin-1"))[2:]


@bounded_cache
def _name(name: str) -> bytes:
    return literal(name.encode(), b"")[:-1]
