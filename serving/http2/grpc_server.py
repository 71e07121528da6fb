"""A gRPC server in the event loop: takes connections, and finds what handles each call."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, final
from weakref import WeakValueDictionary

from serving.http2.call_head import HeadReader
from serving.http2.connection import Http2Connection
from serving.http2.connection_state import FrameBudget
from serving.http2.messages import ENCODINGS
from serving.http2.server_call import ACCEPTED_ENCODINGS, IDENTITY, NOT_GRPC, StreamMethod, UnaryMethod
from serving.status import Code, Failure, NoRoom

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Mapping

    from serving.http2.connection_settings import ConnectionSettings
    from serving.http2.server_call import Method, ServerCall
    from serving.transport.limits import ConnectionLimiter

BACKLOG = 2048
#: Connections of one address that may reset all their calls at once, as those of a proxy do whose clients are gone.
CONNECTIONS_PER_BUDGET = 4
_logger = logging.getLogger(__name__)


@final
class Http2GrpcServer:
    """Answers gRPC calls over HTTP/2.

    Args:
        limiter: Counts the bytes that wait.
        tls: Encrypts connections, and offers HTTP/2 to clients (ALPN); None for none.
    """

    def __init__(
        self,
        methods: Mapping[str, Method],
        settings: ConnectionSettings,
        limiter: ConnectionLimiter,
        *,
        connections: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.settings = settings
        self.limiter = limiter
        self.read_head = HeadReader(methods).read
        self._max_connections = connections
        self._encryption: dict[str, Any] = {}
        if tls is not None:
            self._encryption = {"ssl": tls, "ssl_handshake_timeout": settings.stall_s}
        self._connections: set[Http2Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._listeners: list[asyncio.Server] = []
        self._budgets: WeakValueDictionary[str, FrameBudget] = WeakValueDictionary()

    async def listen(self, bound: socket.socket, unix: socket.socket | None = None) -> None:
        """Take connections at a bound socket, and at a Unix socket."""
        loop = asyncio.get_running_loop()
        self._listeners.append(
            await loop.create_server(lambda: Http2Connection(self), sock=bound, backlog=BACKLOG, **self._encryption)
        )
        if unix is not None:
            self._listeners.append(
                await loop.create_unix_server(lambda: Http2Connection(self), sock=unix, **self._encryption)
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

    def opened(self, connection: Http2Connection) -> bool:
        """Count a new connection; False if there are too many."""
        self._connections.add(connection)
        self._idle.clear()
        return len(self._connections) <= self._max_connections

    def budget_of(self, address: str) -> FrameBudget:
        """The budget of an address: of as many frames as some connections of it may send."""
        budget = self._budgets.get(address)
        if budget is None:
            streams = CONNECTIONS_PER_BUDGET * self.settings.streams
            budget = self._budgets[address] = FrameBudget(asyncio.get_running_loop().time, streams)
        return budget

    def closed(self, connection: Http2Connection) -> None:
        """Forget a connection."""
        self._connections.discard(connection)
        if not self._connections:
            self._idle.set()

    def begin(self, call: ServerCall) -> None:
        """Begin a call, or refuse it."""
        head = call.head
        if head.fault:
            call.refuse(NOT_GRPC)
        elif head.method is None:
            call.fail(Failure(Code.UNIMPLEMENTED, "Method not found!"))
        elif head.encoding != IDENTITY and head.encoding not in ENCODINGS:
            call.trailing = ACCEPTED_ENCODINGS
            call.fail(Failure(Code.UNIMPLEMENTED, f"Messages compressed by {head.encoding!r:.40} are not taken."))
        elif not head.method.limiter.enter(call.identity.peer):
            call.fail(NoRoom())
        else:
            call.on_close = self._leave
            if head.timeout_s is not None:
                call.timers.append(asyncio.get_running_loop().call_later(head.timeout_s, _expire, call))
            if isinstance(head.method, StreamMethod):
                self._run(head.method, call)

    def wait(self, call: ServerCall) -> None:
        """Bound the time in which a call's message may come, and the number of such calls."""
        method = call.head.method
        if call.is_started or not isinstance(method, UnaryMethod):
            return
        if not method.limiter.begin_waiting(call.identity.peer):
            call.fail(NoRoom())
            return
        call.is_waiting = True
        call.timers.append(asyncio.get_running_loop().call_later(self.settings.stall_s, _give_up, call))

    def proceed(self, call: ServerCall) -> None:
        """Go on with a call whose message has come, or will not come."""
        method = call.head.method
        if call.is_started or not isinstance(method, UnaryMethod):
            return
        call.is_started = True
        if call.is_waiting:
            call.is_waiting = False
            method.limiter.end_waiting(call.identity.peer)
        if call.fault is not None:
            call.fail(call.fault)
        elif call.has_message:
            method.start(call, call.take_message())
        else:
            why = "The call's message is cut off." if call.is_within_message else "The call has no message."
            call.fail(Failure(Code.INTERNAL, why))

    def _run(self, method: StreamMethod, call: ServerCall) -> None:
        task = asyncio.get_running_loop().create_task(method.run(call))
        self._tasks.add(task)  # the loop holds tasks weakly
        call.on_cancel = task.cancel
        task.add_done_callback(partial(self._end_stream, call))

    def _end_stream(self, call: ServerCall, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Failure):
            _logger.error("A call of %s failed by a defect.", call.head.path, exc_info=error)
            error = Failure(Code.UNKNOWN, f"Unexpected {type(error).__name__}")
        if not call.is_closed:
            call.end(error)

    @staticmethod
    def _leave(call: ServerCall) -> None:
        method = call.head.method
        if method is not None:
            method.limiter.leave(call.identity.peer)
            if call.is_waiting:
                method.limiter.end_waiting(call.identity.peer)


def _expire(call: ServerCall) -> None:
    """End a call whose caller's deadline has passed."""
    _end_early(call, "Deadline Exceeded")


def _give_up(call: ServerCall) -> None:
    """End a call whose message has not come."""
    if call.is_waiting:
        _end_early(call, "The request took too long to come.")


def _end_early(call: ServerCall, why: str) -> None:
    on_cancel = call.on_cancel
    call.stop(Failure(Code.DEADLINE_EXCEEDED, why))
    if on_cancel is not None:
        on_cancel()
