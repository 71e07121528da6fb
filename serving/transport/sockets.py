"""Addresses that a server listens on, and sockets bound to them."""

from __future__ import annotations

import errno
import socket
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from monitoring.errors import CannotRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Host and port; port 0 takes one that is free."""

    host: str = "127.0.0.1"
    port: int = 8501
    flag: str = "--rest-port"
    """The port's name on the command line, for error messages."""


def bind_address(address: Address, *, is_shared: bool = False) -> socket.socket:
    """Bind a socket. It does not listen yet; until it does, connections are refused.

    Args:
        is_shared: Whether other processes of this user may bind the address, too (``SO_REUSEPORT``). The kernel
            spreads connections over the sockets that listen.
    """
    try:
        family, kind, protocol, _, name = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        _refuse(address, error.strerror or "unknown host", error)
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind(name)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            _refuse_port(address, error)
        _refuse(address, error.strerror or str(error), error)
    return bound


def check_unshared(address: Address) -> None:
    """Check that nobody listens on an address, sharing it or not."""
    if address.port:
        bind_address(address).close()


def claim_address(bound: socket.socket, address: Address) -> socket.socket | None:
    """Claim a shared address for the processes of one server, from its start to the end of its last process.

    Sockets that share an address and do not listen, yet or any more, do not see each other. The claim is a name that
    Linux takes once in each network namespace, as a port. It ends with the last process that has the socket.

    Returns:
        What holds the claim; None where the system has no such names.

    Raises:
        CannotRun: Another server has claimed it.
    """
    if sys.platform != "linux":
        return None
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0pitfalls-serve {target_of(bound)}")
    except OSError as error:
        claim.close()
        _refuse_port(address, error, "another server with --workers has it, which may be starting or stopping")
    return claim


def free_socket_path(path: Path) -> None:
    """Make room for a Unix socket: remove one that a server has left behind."""
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        if is_socket and probe.connect_ex(str(path)) == errno.ECONNREFUSED:
            path.unlink()
            return
    raise CannotRun(
        "The Unix socket is in use.",
        got=f"{path} ({'a socket on which a server listens' if is_socket else 'a file that is no socket'})",
        expected="a path without a file, in a folder that may be written to",
        fix="Stop the other server, or pass another --grpc_socket_path.",
    )


def port_of(bound: socket.socket) -> int:
    """The port of a bound socket."""
    return int(bound.getsockname()[1])


def url_of(bound: socket.socket, *, is_encrypted: bool = False) -> str:
    """The URL of a bound socket: ``http://HOST:PORT``, or ``https://HOST:PORT``."""
    return f"http{'s' if is_encrypted else ''}://{target_of(bound)}"


def target_of(bound: socket.socket) -> str:
    """The gRPC target of a bound socket: ``HOST:PORT``."""
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _refuse_port(address: Address, error: OSError, why: str = "") -> NoReturn:
    raise CannotRun(
        f"port {address.port} is in use.",
        got=f"{address.host}:{address.port}" + (f" ({why})" if why else ""),
        expected="a port that no process listens on",
        fix=f"Stop the other server, or pass another {address.flag} (0 takes a free one).",
    ) from error


def _refuse(address: Address, reason: str, error: OSError) -> NoReturn:
    raise CannotRun(
        "The server cannot listen on this address.",
        got=f"{address.host}:{address.port} ({reason})",
        expected="an address of this machine and a port that may be taken",
        fix=f"Pass another --host or {address.flag}.",
    ) from error
