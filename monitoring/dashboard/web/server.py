"""Serving the dashboard with uvicorn, on one address, until it is stopped; in this thread or beside it."""

from __future__ import annotations

import asyncio
import errno
import itertools
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Final

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from monitoring.config.addresses import is_loopback
from monitoring.dashboard.access.access import Access, WrongTokens, host_names
from monitoring.dashboard.access.tokens import TokenFile
from monitoring.errors import BadInput, CannotRun
from monitoring.private_file import check_private

#: Connections, at most: fewer than the files that a process may open. A further one takes the place of an idle one.
MOST_CONNECTIONS: Final = 500

#: Bytes of a head.
MOST_HEAD_BYTES: Final = 65_536

#: Seconds for a head, and for a body with as many bytes a second as `LEAST_RATE` beside it.
REQUEST_SECONDS: Final = 10.0
LEAST_RATE: Final = 16_384

#: Counts the moments at which connections fall idle: the loop's clock, of whole milliseconds, has ties.
_MOMENTS: Final = itertools.count()

#: What h11 has of a request that has come whole, or of which no more comes.
_WHOLE: Final = (h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR)


class BoundedHttp(H11Protocol):
    """A connection; uvicorn makes one for each."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._since = 0.0
        self._idle_since = 0
        self._received = 0

    @property
    def is_idle(self) -> bool:
        """Whether no answer is being made for it."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def idle_since(self) -> float:
        """The moment at which it fell idle: the lower, the longer ago."""
        return self._idle_since

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, in the place of the one that has been idle longest where there are too many."""
        super().connection_made(transport)
        self._expect()
        if len(self.connections) > MOST_CONNECTIONS:
            idle = [other for other in self.connections if isinstance(other, BoundedHttp) and other.is_idle]
            min(idle, key=BoundedHttp.idle_since).transport.abort()  # this one is idle, too

    def data_received(self, data: bytes) -> None:
        """Take a part of a request, whose rest is to come in time."""
        if self.conn.their_state is h11.IDLE:
            if self._deadline is None:
                self._expect()
            if self._is_too_long(data):
                self.send_400_response("The head of the request is too long.")
                return
        self._received += len(data)
        super().data_received(data)
        if self.conn.their_state in _WHOLE:
            self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request, as long as uvicorn has it."""
        self._since, self._idle_since = self.loop.time(), next(_MOMENTS)
        super().on_response_complete()

    def _is_too_long(self, data: bytes) -> bool:
        """Whether a head is, of which this is a part: `h11` looks only at those that have not come whole."""
        waiting, _ = self.conn.trailing_data
        end = (waiting + data).find(b"\r\n\r\n")
        return (len(waiting) + len(data) if end < 0 else end) > MOST_HEAD_BYTES

    def _expect(self) -> None:
        """Give a request its time."""
        self._since, self._idle_since, self._received = self.loop.time(), next(_MOMENTS), 0
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._look)

    def _look(self) -> None:
        """Close the connection if its request is late; a body may take longer than a head."""
        has_body = self.conn.their_state is h11.SEND_BODY
        more = self._since + REQUEST_SECONDS + has_body * self._received / LEAST_RATE - self.loop.time()
        if more > 0:
            self._deadline = self.loop.call_later(max(more, 0.1), self._look)
        else:
            self._forget()
            self.transport.abort()

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


#: Seconds for open pages to end when the server stops.
DRAIN_SECONDS = 2

#: Connections that wait to be taken, as uvicorn has it.
BACKLOG = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """A certificate, with those of its issuers behind it, and its key, as PEM files."""

    certificate: Path
    key: Path


def tls_of(certificate: Path | None, key: Path | None) -> Tls | None:
    """With what the dashboard speaks TLS. Returns both; None without either."""
    return None if certificate is None and key is None else _checked(certificate, key)


def _checked(certificate: Path | None, key: Path | None) -> Tls:
    if certificate is None or key is None:
        raise _bad_tls(f"{certificate or key} alone", "Give --tls-certificate and --tls-key.")
    check_private(key, lambda reason, fix: _bad_tls(f"{key}: {reason}", fix))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _bad_tls(f"{certificate} and {key}: {reason}", "") from None
    return Tls(certificate=certificate, key=key)


def _bad_tls(got: str, fix: str) -> BadInput:
    return BadInput(
        "The dashboard cannot speak TLS.",
        got=got,
        expected="PEM files of a certificate and of its key without a passphrase, the key of mode 0600",
        fix=fix or "Correct the files.",
    )


def access_of(
    host: str,
    token_file: Path | None,
    allowed_hosts: tuple[str, ...] = (),
    report: Callable[[str], None] = lambda _: None,
) -> Access:
    """Who may ask a dashboard that listens on an address."""
    if token_file is None and not is_loopback(host):
        raise BadInput(
            "Beyond this machine the dashboard needs a token.",
            got=f"--host {host} without --token-file",
            expected="a loopback address, or a token",
            fix="Give --token-file FILE, or leave --host out.",
        )
    return Access(
        names=host_names(host, allowed_hosts),
        tokens=None if token_file is None else TokenFile(token_file, report).tokens,
        wrong_tokens=WrongTokens(report),
    )


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)  # whoever connects before the server runs waits for it
    except OSError as error:
        listening.close()
        is_taken = error.errno == errno.EADDRINUSE
        raise CannotRun(
            "The dashboard cannot listen there.",
            got=f"{host} port {port} ({error.strerror or error})",
            expected="an address of this machine, and a free port",
            fix="Choose another one with --port." if is_taken else "Choose another one with --host or --port.",
        ) from error
    return listening


def address_of(listening: socket.socket, tls: Tls | None = None) -> str:
    """The address of a dashboard, for a browser."""
    host, port = listening.getsockname()[:2]
    scheme = "http" if tls is None else "https"
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"


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


def serve(app: ASGIApp, listening: socket.socket, tls: Tls | None = None) -> None:
    """Serve until SIGINT or SIGTERM. Blocks."""
    DashboardServer(_config(app, tls)).run(sockets=[listening])


@contextmanager
def serving(app: ASGIApp, listening: socket.socket, tls: Tls | None = None) -> Iterator[None]:
    """Serve in a thread of its own while the context lasts; signals are left to others."""
    server = uvicorn.Server(_config(app, tls))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, name="dashboard")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _config(app: ASGIApp, tls: Tls | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedHttp,
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        ws="none",
        log_level="error",  # a request that is no HTTP is no matter of the log
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        ssl_certfile=None if tls is None else tls.certificate,
        ssl_keyfile=None if tls is None else tls.key,
    )
