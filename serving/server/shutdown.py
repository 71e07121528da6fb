"""The server's own loop: both interfaces begin together, and end when what was accepted is answered."""

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
    from collections.abc import Callable, Iterator

    from serving.grpc_api.server import GrpcServer
    from serving.server.http_app import HttpApp

SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Draining is bounded by itself; what comes after it (the last batch, the log's conversion) may take so much longer.
AFTER_DRAIN_S = 60.0


@final
class DrainingServer(uvicorn.Server):
    """uvicorn, with signals of our own: its own would raise them again when it has stopped, and so never exit 0."""

    def __init__(
        self,
        app: HttpApp,
        drain_s: float,
        on_started: Callable[[], None],
        *,
        on_hangup: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app.answer,
                # uvicorn calls whatever it is given with what a protocol needs, though it asks for a class.
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
        self._drain_s = drain_s
        self._on_started = on_started
        self._on_hangup = on_hangup
        self._leaving = asyncio.Event()

    async def run_until_told(self, taken: socket.socket | None, beside: GrpcServer | None = None) -> None:
        """Serve on the socket until a signal comes, then until the accepted requests are answered."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._told, number)
        if self._on_hangup is not None:
            loop.add_signal_handler(signal.SIGHUP, self._on_hangup)
        await self.serve_both(taken, beside)

    async def serve_both(self, taken: socket.socket | None, beside: GrpcServer | None) -> None:
        """Serve REST on the socket and gRPC beside it, where there is one; both begin and end together."""
        sockets = [] if taken is None else [taken]
        if beside is None:
            await self.serve(sockets=sockets)
            return
        await beside.start()
        draining = asyncio.create_task(self._drain(beside))
        try:
            await self.serve(sockets=sockets)
        finally:
            self._leaving.set()
            await draining

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `run_until_told`."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets=sockets)
        self._on_started()

    def leave(self) -> None:
        """Begin to drain, as a signal does; in the event loop only."""
        if self.should_exit:
            return
        self._app.drain()
        self.should_exit = True
        self._leaving.set()
        watchdog = threading.Timer(self._drain_s + AFTER_DRAIN_S, os._exit, (CannotRun.exit_code,))
        watchdog.daemon = True
        watchdog.start()

    async def _drain(self, beside: GrpcServer) -> None:
        await self._leaving.wait()
        await beside.drain(self._drain_s)

    def _told(self, number: int) -> None:
        if self.should_exit:
            os._exit(128 + number)
        self.leave()
