"""A server of echoes in this process."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import uvloop

from serving.http2.connection_settings import ConnectionSettings
from serving.http2.grpc_server import Http2GrpcServer
from serving.http2.server_call import CallLimiter, StreamMethod, UnaryMethod
from serving.status import Code, Failure
from serving.transport.limits import ConnectionLimiter
from serving.transport.sockets import Address, bind_address, port_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from serving.http2.server_call import Method, ServerCall

SETTINGS = ConnectionSettings(message_bytes=1 << 20, streams=100, idle_s=60.0, stall_s=30.0)
HELD_BYTES = 4 << 20


class EchoHandlers:
    """Answers with the message; waits before that as long as it is told; repeats it."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.deadlines: list[float | None] = []

    def echo(self, call: ServerCall, message: bytes) -> None:
        self.begun += 1
        self.deadlines.append(call.time_remaining())
        name = dict(call.metadata).get(b"x-name", b"")
        call.trailing = ((b"x-peer", call.identity.peer.encode()), (b"x-name", name))
        if message == b"fail":
            call.fail(Failure(Code.INTERNAL, "100 % nothing \u2013 at all"))
        elif message.startswith(b"grow"):
            call.reply(b"x" * int(message[4:]))
        elif message == b"wait":
            call.on_cancel = self._cancel
        else:
            call.reply(message)

    def _cancel(self) -> None:
        self.cancelled += 1

    async def repeat(self, call: ServerCall) -> None:
        while (message := await call.read()) is not None:
            if message == b"fail":
                raise RuntimeError("as asked")
            await call.write(message)
            await call.write(message)

    def methods(self, calls: int) -> dict[str, Method]:
        limiter = CallLimiter(calls)
        return {
            "/test.Echo/Echo": UnaryMethod(self.echo, limiter),
            "/test.Echo/Repeat": StreamMethod(self.repeat, limiter),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoServer:
    """A running server."""

    port: int
    handlers: EchoHandlers
    limiter: ConnectionLimiter
    held_bytes: int
    stop: Callable[[float], None]
    """Stops it, given the seconds that calls have left; returns when it has."""
    cpu_s: Callable[[], float]
    """The processor time of its event loop so far."""

    def holds_nothing(self) -> bool:
        """Whether no byte is counted any more."""
        is_all = self.limiter.hold_bytes(self.held_bytes)
        if is_all:
            self.limiter.release_bytes(self.held_bytes)
        return is_all


class OpenEcho(Protocol):
    """``with open_echo(streams=...) as server:`` runs a server while the block runs."""

    def __call__(
        self, *, calls: int = 4000, connections: int = 50, held_bytes: int = HELD_BYTES, **settings: Any
    ) -> AbstractContextManager[EchoServer]: ...


@pytest.fixture(scope="session")
def open_echo() -> OpenEcho:
    @contextmanager
    def opened(
        *, calls: int = 4000, connections: int = 50, held_bytes: int = HELD_BYTES, **settings: Any
    ) -> Iterator[EchoServer]:
        handlers, limiter = EchoHandlers(), ConnectionLimiter(max_connections=0, max_held_bytes=held_bytes)
        bound = bind_address(Address(port=0))
        port = port_of(bound)
        started, over = threading.Event(), threading.Event()
        running: dict[str, Any] = {}

        async def run() -> None:
            server = Http2GrpcServer(
                handlers.methods(calls), replace(SETTINGS, **settings), limiter, connections=connections
            )
            await server.listen(bound)
            running.update(loop=asyncio.get_running_loop(), server=server)
            started.set()
            await asyncio.to_thread(over.wait)
            await server.stop(0.0)

        def stop(grace_s: float) -> None:
            asyncio.run_coroutine_threadsafe(running["server"].stop(grace_s), running["loop"]).result(30)

        thread = threading.Thread(target=lambda: uvloop.run(run()))
        thread.start()
        assert started.wait(30)
        try:
            assert thread.ident is not None
            clock = partial(time.clock_gettime, time.pthread_getcpuclockid(thread.ident))
            yield EchoServer(
                port=port, handlers=handlers, limiter=limiter, held_bytes=held_bytes, stop=stop, cpu_s=clock
            )
        finally:
            over.set()
            thread.join()

    return opened


@pytest.fixture(scope="session")
def echo(open_echo: OpenEcho) -> Iterator[EchoServer]:
    """A server with nothing special about it."""
    with open_echo() as server:
        yield server


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition of the server's holds."""
    ends = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)
