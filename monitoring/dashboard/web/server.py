"""Serving the dashboard with uvicorn, on one address, until it is stopped; in this thread or beside it."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread

import uvicorn
from starlette.types import ASGIApp

from monitoring.dashboard.view.access import Access, Role, host_names, is_loopback
from monitoring.errors import BadInput, CannotRun

#: Seconds for open pages to end when the server stops.
DRAIN_SECONDS = 2

#: Connections that wait to be taken, as uvicorn has it.
BACKLOG = 2048


def access_of(
    host: str, token: str | None, allowed_hosts: tuple[str, ...] = (), readers: Mapping[str, Role] | None = None
) -> Access:
    """Who may ask a dashboard that listens on an address.

    Args:
        host: The address.
        token: The token, if there is one.
        allowed_hosts: Further names by which browsers reach it.
        readers: Tokens that may not act, each with what it may do.

    Returns:
        Who may ask.

    Raises:
        BadInput: The address is reached by other machines, and there is no token.
    """
    if token is None and not is_loopback(host):
        raise BadInput(
            "Beyond this machine the dashboard needs a token.",
            got=f"--host {host} without --token-file",
            expected="a loopback address, or a token",
            fix="Give --token-file FILE, or leave --host out.",
        )
    return Access(names=host_names(host, allowed_hosts), token=token, readers=readers or {})


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: A name or an address.
        port: The port; 0 for a free one.

    Returns:
        The socket.

    Raises:
        CannotRun: The address cannot be used, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)  # whoever connects before the server runs waits for it
    except OSError as error:
        listening.close()
        taken = error.errno == errno.EADDRINUSE
        raise CannotRun(
            "The dashboard cannot listen there.",
            got=f"{host} port {port} ({error.strerror or error})",
            expected="an address of this machine, and a free port",
            fix="Choose another one with --port." if taken else "Choose another one with --host or --port.",
        ) from error
    return listening


def address_of(listening: socket.socket) -> str:
    """The address of a dashboard, for a browser."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class DashboardServer(uvicorn.Server):
    """uvicorn's server, for which a signal to stop is an order and no error: it returns when it has stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM; a second one stops at once."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM. Blocks.

    Args:
        app: The application.
        listening: The socket, as `bind` gives it.
    """
    DashboardServer(_config(app)).run(sockets=[listening])


@contextmanager
def serving(app: ASGIApp, listening: socket.socket) -> Iterator[None]:
    """Serve in a thread of its own while the context lasts; signals are left to others.

    Args:
        app: The application.
        listening: The socket, as `bind` gives it.

    Yields:
        Nothing.
    """
    server = uvicorn.Server(_config(app))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, name="dashboard")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=DRAIN_SECONDS
    )
