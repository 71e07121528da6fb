"""The address a server listens on: taken before anything slow is loaded, so that a clash is told at once."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

from monitoring.errors import CannotRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Host and port; port 0 takes one that is free."""

    host: str = "127.0.0.1"
    port: int = 8501
    flag: str = "--rest-port"
    """What the command line calls the port, for whoever has to pass another."""


def take_address(address: Address, *, is_shared: bool = False) -> socket.socket:
    """A socket bound to the address, not yet listening: until it does, clients are refused.

    A shared one may be bound by other processes of this user too (``SO_REUSEPORT``); the kernel spreads connections
    over those that listen.

    Raises:
        CannotRun: the port is in use, or the host is none of this machine's, or the port is not ours to take.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise _refused(address, error.strerror or "unknown host") from error
    taken = socket.socket(family, kind, protocol)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        taken.bind(place)
    except OSError as error:
        taken.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotRun(
                f"port {address.port} is in use.",
                got=f"{address.host}:{address.port}",
                expected="a port that nobody listens on",
                fix=f"Stop the other server, or pass another {address.flag} (0 takes a free one).",
            ) from error
        raise _refused(address, error.strerror or str(error)) from error
    return taken


def port_of(taken: socket.socket) -> int:
    """The port that a socket is bound to."""
    return int(taken.getsockname()[1])


def url_of(taken: socket.socket) -> str:
    """How clients on this machine reach the socket: ``http://HOST:PORT``."""
    host, port = taken.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def target_of(taken: socket.socket) -> str:
    """How gRPC clients on this machine name the socket's address: ``HOST:PORT``."""
    return url_of(taken).removeprefix("http://")


def _refused(address: Address, reason: str) -> CannotRun:
    return CannotRun(
        "This address cannot be listened on.",
        got=f"{address.host}:{address.port} ({reason})",
        expected="an address of this machine and a port that may be taken",
        fix=f"Pass another --host or {address.flag}.",
    )
