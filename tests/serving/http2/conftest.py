"""A server of echoes in this process, and a client that writes its frames by hand."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

import grpc
import pytest
import uvloop

from serving.http2 import frames
from serving.http2.connection_settings import ConnectionSettings
from serving.http2.frames import frame, literal
from serving.http2.grpc_server import Http2GrpcServer
from serving.transport.limits import ConnectionLimiter
from serving.transport.sockets import Address, bind_address, port_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractContextManager

SETTINGS = ConnectionSettings(message_bytes=1 << 20, streams=100, idle_s=60.0, stall_s=30.0)
SERVICE = "test.Echo"
HEADERS = (
    b"\x83\x86"
    + literal(b":path", b"/test.Echo/Echo")
    + literal(b"content-type", b"application/grpc")
    + literal(b"te", b"trailers")
)


class EchoHandlers:
    """Answers with the message; waits before that as long as it is told; repeats it."""

    def __init__(self) -> None:
        self.cancelled = 0
        self.deadlines: list[float | None] = []

    async def echo(self, _: Any, context: Any) -> bytes:
        message = await context.read()
        self.deadlines.append(context.time_remaining())
        if message is grpc.aio.EOF:
            await context.abort(grpc.StatusCode.INTERNAL, "100 % nothing \u2013 at all")
        metadata = dict(context.invocation_metadata())
        context.set_trailing_metadata((("x-peer", context.peer()), ("x-name", metadata.get("x-name", ""))))
        if message == b"fail":
            raise RuntimeError("as asked")
        if message.startswith(b"grow"):
            return b"x" * int(message[4:])
        if message == b"wait":
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        return bytes(message)

    async def repeat(self, requests: AsyncIterator[bytes], _: Any) -> AsyncIterator[bytes]:
        async for message in requests:
            yield message
            yield message

    def generic(self) -> grpc.GenericRpcHandler:
        handlers = {
            "Echo": grpc.stream_unary_rpc_method_handler(self.echo),
            "Repeat": grpc.stream_stream_rpc_method_handler(self.repeat),
        }
        return grpc.method_handlers_generic_handler(SERVICE, handlers)


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoServer:
    """A running server."""

    port: int
    handlers: EchoHandlers
    limiter: ConnectionLimiter
    stop: Any
    """Stops it, given the seconds that calls have left; returns when it has."""


class OpenEcho(Protocol):
    """``with open_echo(streams=...) as server:`` runs a server while the block runs."""

    def __call__(
        self, *, calls: int = 1000, connections: int = 50, **settings: Any
    ) -> AbstractContextManager[EchoServer]: ...


@pytest.fixture(scope="session")
def open_echo() -> OpenEcho:
    @contextmanager
    def opened(*, calls: int = 1000, connections: int = 50, **settings: Any) -> Iterator[EchoServer]:
        handlers, limiter = EchoHandlers(), ConnectionLimiter(max_connections=0, max_held_bytes=4 << 20)
        bound = bind_address(Address(port=0))
        port = port_of(bound)
        started, over = threading.Event(), threading.Event()
        found: dict[str, Any] = {}

        async def run() -> None:
            server = Http2GrpcServer(replace(SETTINGS, **settings), limiter, calls=calls, connections=connections)
            server.add_generic_rpc_handlers((handlers.generic(),))
            await server.listen(bound)
            found.update(loop=asyncio.get_running_loop(), server=server)
            started.set()
            await asyncio.to_thread(over.wait)
            await server.stop(0.0)

        def stop(grace_s: float) -> None:
            asyncio.run_coroutine_threadsafe(found["server"].stop(grace_s), found["loop"]).result(30)

        thread = threading.Thread(target=lambda: uvloop.run(run()))
        thread.start()
        assert started.wait(30)
        try:
            yield EchoServer(port=port, handlers=handlers, limiter=limiter, stop=stop)
        finally:
            over.set()
            thread.join()

    return opened


@pytest.fixture(scope="session")
def echo(open_echo: OpenEcho) -> Iterator[EchoServer]:
    """A server with nothing special about it."""
    with open_echo() as server:
        yield server


class RawClient:
    """A connection whose every frame is written by hand."""

    def __init__(self, port: int, *, preface: bytes = frames.PREFACE + frame(frames.SETTINGS, 0, 0)) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._rest = b""
        self.socket.sendall(preface)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        """Send frames; those that the server does not take any more are lost."""
        try:
            self.socket.sendall(b"".join(parts))
        except (BrokenPipeError, ConnectionResetError):
            return

    def frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Kind, flags, stream and payload of each frame that comes, until the server closes."""
        while True:
            while len(self._rest) >= frames.HEAD_BYTES:
                high, low, kind, flags, number = frames.HEAD.unpack_from(self._rest)
                end = frames.HEAD_BYTES + (high << 8 | low)
                if len(self._rest) < end:
                    break
                payload, self._rest = self._rest[frames.HEAD_BYTES : end], self._rest[end:]
                yield kind, flags, number, payload
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                return
            if not data:
                return
            self._rest += data

    def until(self, kind: int, *, flag: int = 0, stream: int | None = None) -> bytes:
        """The payload of the next frame of a kind; the frames before it are dropped."""
        for found, flags, number, payload in self.frames():
            if found == kind and flags & flag == flag and stream in {None, number}:
                return payload
        raise AssertionError(f"the server closed before a frame of kind {kind}")

    def goaway(self) -> int:
        """The code with which the server ends the connection."""
        code: int = struct.unpack(">II", self.until(frames.GOAWAY)[:8])[1]
        return code


def call(stream: int, message: bytes = b"hello", *, headers: bytes = HEADERS) -> bytes:
    """The frames of a call."""
    data = struct.pack(">?I", False, len(message)) + message
    return frame(frames.HEADERS, frames.END_HEADERS, stream, headers) + frame(
        frames.DATA, frames.END_STREAM, stream, data
    )


def wait_for(condition: Any) -> None:
    """Wait until a condition of the server's holds."""
    ends = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)
