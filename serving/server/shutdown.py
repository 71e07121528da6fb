"""The server's event loop: both interfaces start together, and stop when the accepted requests are answered."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, cast, final

import uvicorn

from monitoring.errors import CannotRun
from serving.transport.http_connection import HttpConnection

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator

    from serving.grpc_api.server import GrpcServer
    from serving.server.http_app import HttpApp

SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: Draining has its own bound; what follows it (the last batch, the log's conversion) may take this long in addition.
AFTER_DRAIN_S = 60.0


@contextmanager
def hangups_held() -> Iterator[None]:
    """Hold a SIGHUP that comes while the block runs until `DrainingServer` has its handler; ignore later ones."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


@final
class DrainingServer(uvicorn.Server):
    """uvicorn with signal handlers of its own: uvicorn's raise the signal again after the stop, and so never exit 0.

    Args:
        drain_s: How long a stopping server goes on answering accepted requests, in seconds.
        tls: Encrypts HTTP; None for none.
    """

    def __init__(
        self,
        app: HttpApp,
        drain_s: float,
        on_started: Callable[[], None],
        *,
        on_hangup: Callable[[], None] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app.answer,
                # uvicorn calls the factory with a protocol's arguments, though its annotation asks for a class.
                http=cast("type[asyncio.Protocol]", partial(HttpConnection, app)),
                interface="asgi3",
                ws="none",
                lifespan="off",
                proxy_headers=False,
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=max(1, round(drain_s)),
            )
        )
        self._app = app
        self._tls = tls
        self._drain_s = drain_s
        self._on_started = on_started
        self._on_hangup = on_hangup
        self._stopping = asyncio.Event()

    async def run_until_signal(self, bound: socket.socket | None, grpc_server: GrpcServer | None = None) -> None:
        """Serve until SIGTERM or SIGINT, then until the accepted requests are answered."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._on_signal, number)
        if self._on_hangup is not None:
            loop.add_signal_handler(signal.SIGHUP, self._on_hangup)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        await self.serve_both(bound, grpc_server)

    async def serve_both(self, bound: socket.socket | None, grpc_server: GrpcServer | None) -> None:
        """Serve HTTP on the bound socket and gRPC next to it; None leaves one out. Both start and stop together."""
        sockets = [] if bound is None else [bound]
        if grpc_server is None:
            await self.serve(sockets=sockets)
            return
        await grpc_server.start()
        draining = asyncio.create_task(self._drain(grpc_server))
        try:
            await self.serve(sockets=sockets)
        finally:
            self._stopping.set()
            await draining

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `run_until_signal`."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and call ``on_started``."""
        self.config.ssl = self._tls
        await super().startup(sockets=sockets)
        self._on_started()

    def stop(self) -> None:
        """Begin to drain, as a signal does; in the event loop only."""
        if self.should_exit:
            return
        self._app.drain()
        self.should_exit = True
        self._stopping.set()
        watchdog = threading.Timer(self._drain_s + AFTER_DRAIN_S, os._exit, (CannotRun.exit_code,))
        watchdog.daemon = True
        watchdog.start()

    async def _drain(self, grpc_server: GrpcServer) -> None:
        await self._stopping.wait()
        await grpc_server.drain(self._drain_s)

    def _on_signal(self, number: int) -> None:
        if self.should_exit:
            os._exit(128 + number)
        self.stop()
