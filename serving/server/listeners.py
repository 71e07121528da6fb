"""The listening sockets of a server: bound before TensorFlow is loaded, so that a port in use is reported at once."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Self

from monitoring.errors import CannotRun
from serving.server.settings import GrpcListener, ServerInfo, ServeSettings
from serving.transport.sockets import (
    Address,
    bind_address,
    check_unshared,
    claim_address,
    free_socket_path,
    target_of,
    url_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """The sockets of both interfaces, bound and not listening yet; closed when the ``with`` block ends."""

    http: socket.socket | None
    """None without an HTTP interface."""
    grpc: socket.socket | None
    """None without a gRPC interface."""
    grpc_unix: socket.socket | None = None
    """A Unix socket of the gRPC interface."""
    is_encrypted: bool = False
    """Whether HTTP is."""
    claims: tuple[socket.socket, ...] = ()
    """Keep other servers from sharing the addresses."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for resource in (self.http, self.grpc, self.grpc_unix, *self.claims):
            if resource is not None:
                resource.close()

    def info(self, models: Mapping[str, tuple[int, ...]]) -> ServerInfo:
        """What a server with these sockets and available versions reports when it is ready."""
        return ServerInfo(
            url=None if self.http is None else url_of(self.http, is_encrypted=self.is_encrypted),
            grpc=None if self.grpc is None else target_of(self.grpc),
            models=models,
            pid=os.getpid(),
        )


def bind_listeners(settings: ServeSettings, report: Callable[[str], None], *, is_shared: bool) -> Listeners:
    """Bind the sockets of HTTP and gRPC."""
    return _bind(settings, report, lambda address: Bound(bind_address(address, is_shared=is_shared)))


def bind_first_listeners(settings: ServeSettings, report: Callable[[str], None]) -> Listeners:
    """As `bind_listeners`, for the first of several processes: no other server may have or share the addresses."""
    return _bind(settings, report, _bind_first)


class Bound(NamedTuple):
    """A bound socket, and what keeps other servers from sharing its address."""

    socket: socket.socket
    claim: socket.socket | None = None


def _bind_first(address: Address) -> Bound:
    check_unshared(address)
    bound = bind_address(address, is_shared=True)
    try:
        return Bound(bound, claim_address(bound, address))
    except CannotRun:
        bound.close()
        raise


def _bind(settings: ServeSettings, report: Callable[[str], None], bind: Callable[[Address], Bound]) -> Listeners:
    http = None if settings.address is None else bind(settings.address)
    try:
        grpc = _bind_grpc(settings.grpc, report, bind)
    except CannotRun:
        for listener in http or ():
            if listener is not None:
                listener.close()
        raise
    both = [listener for listener in (http, grpc) if listener is not None]
    return Listeners(
        http=None if http is None else http.socket,
        grpc=None if grpc is None else grpc.socket,
        grpc_unix=None if grpc is None else _bind_unix(settings.grpc),
        is_encrypted=settings.tls is not None,
        claims=tuple(listener.claim for listener in both if listener.claim is not None),
    )


def _bind_unix(listener: GrpcListener | None) -> socket.socket | None:
    if listener is None or listener.socket_path is None:
        return None
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(listener.socket_path))
    return bound


def _bind_grpc(
    listener: GrpcListener | None, report: Callable[[str], None], bind: Callable[[Address], Bound]
) -> Bound | None:
    if listener is None:
        return None
    address = listener.address
    if listener.socket_path is not None:
        free_socket_path(listener.socket_path)
    try:
        return bind(address)
    except CannotRun:
        if listener.is_required:
            raise
        report(f"No gRPC: port {address.port} cannot be bound. To use another port, pass {address.flag}.")
        return None
