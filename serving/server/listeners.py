"""The listening sockets of a server: bound before TensorFlow is loaded, so that a port in use is reported at once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from monitoring.errors import CannotRun
from serving.server.settings import ServerInfo
from serving.transport.sockets import bind_address, target_of, url_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from serving.server.settings import GrpcListener, ServeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """The sockets of both interfaces, bound and not listening yet; closed when the ``with`` block ends."""

    http: socket.socket | None
    """None without an HTTP interface."""
    grpc: socket.socket | None
    """None without a gRPC interface."""
    is_encrypted: bool = False
    """Whether HTTP is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for one in (self.http, self.grpc):
            if one is not None:
                one.close()

    def info(self, models: Mapping[str, tuple[int, ...]]) -> ServerInfo:
        """What a server with these sockets and available versions reports when it is ready."""
        return ServerInfo(
            url=None if self.http is None else url_of(self.http, is_encrypted=self.is_encrypted),
            grpc=None if self.grpc is None else target_of(self.grpc),
            models=models,
            pid=os.getpid(),
        )


def bind_listeners(settings: ServeSettings, report: Callable[[str], None], *, is_shared: bool) -> Listeners:
    """Bind the sockets of HTTP and gRPC.

    Args:
        settings: The addresses.
        report: Called with a sentence if gRPC, not being required, is left out because its port is in use.
        is_shared: Whether other processes of this user may bind the same addresses.

    Returns:
        The sockets, not listening yet.

    Raises:
        CannotRun: An address cannot be bound.
    """
    http = None if settings.address is None else bind_address(settings.address, is_shared=is_shared)
    try:
        grpc = _bind_grpc(settings.grpc, report, is_shared=is_shared)
        return Listeners(http=http, grpc=grpc, is_encrypted=settings.tls is not None)
    except CannotRun:
        if http is not None:
            http.close()
        raise


def _bind_grpc(
    listener: GrpcListener | None, report: Callable[[str], None], *, is_shared: bool
) -> socket.socket | None:
    if listener is None:
        return None
    address = listener.address
    try:
        return bind_address(address, is_shared=is_shared)
    except CannotRun:
        if listener.is_required:
            raise
        report(f"No gRPC: port {address.port} cannot be bound. To use another port, pass {address.flag}.")
        return None
