"""The gRPC server: its limits, its services, and a graceful stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from serving.grpc_api.call_handler import GrpcCallHandler
from serving.grpc_api.descriptors import describe
from serving.grpc_api.health import HEALTH_SERVICE, HealthServicer
from serving.grpc_api.methods import make_services
from serving.grpc_api.reflection import REFLECTION_SERVICES, ReflectionServicer
from serving.http2.call_limiter import CallLimiter
from serving.http2.connection_settings import ConnectionSettings
from serving.http2.grpc_server import Http2GrpcServer
from serving.transport.limits import default_max_grpc_connections

if TYPE_CHECKING:
    import socket
    import ssl
    from pathlib import Path

    from serving.grpc_api.methods import GrpcDependencies

#: Twice the number of requests that may wait for a batch.
CALLS = 8192
#: Calls of health have room of their own.
HEALTH_CALLS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcSettings:
    """What the gRPC interface allows."""

    calls: int = CALLS
    """The most calls at a time, half of them of one client; beyond it RESOURCE_EXHAUSTED."""
    connections: int | None = None
    """The most connections; new ones are closed at once. None: `default_max_grpc_connections`."""
    connection: ConnectionSettings = field(default_factory=ConnectionSettings)
    """What one connection may do."""
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    """Encrypts connections; None serves without encryption."""


@final
class GrpcServer:
    """Serves gRPC in the event loop of the inference."""

    def __init__(
        self,
        bound: socket.socket,
        dependencies: GrpcDependencies,
        settings: GrpcSettings | None = None,
        *,
        socket_path: Path | None = None,
    ) -> None:
        self._bound = bound
        self._socket_path = socket_path
        settings = settings or GrpcSettings()
        services = make_services(dependencies, settings.connection.message_bytes)
        self._health = HealthServicer(dependencies.models, CallLimiter(HEALTH_CALLS))
        names = (*services, HEALTH_SERVICE, *REFLECTION_SERVICES)
        self._reflection = ReflectionServicer(names, describe(services))
        calls = GrpcCallHandler(dependencies, CallLimiter(settings.calls))
        self._server = Http2GrpcServer(
            calls.methods(services) | self._health.methods() | self._reflection.methods(),
            settings.connection,
            dependencies.limiter,
            connections=settings.connections or default_max_grpc_connections(),
            tls=settings.tls,
        )

    async def start(self) -> None:
        """Listen."""
        await self._server.listen(self._bound, self._socket_path)

    async def drain(self, timeout_s: float) -> None:
        """Accept no more calls, and answer the accepted ones for at most ``timeout_s`` seconds."""
        self._health.drain()
        self._reflection.drain()
        await self._server.stop(timeout_s)
