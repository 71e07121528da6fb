"""The gRPC server: address, limits, services, and a graceful stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, final

import grpc
from grpc_reflection.v1alpha.reflection import SERVICE_NAME as REFLECTION_SERVICE

from monitoring.errors import CannotRun
from serving.grpc_api.call_handler import GrpcCallHandler
from serving.grpc_api.call_limiter import CallLimiter
from serving.grpc_api.descriptors import describe
from serving.grpc_api.health import HEALTH_SERVICE, HealthServicer
from serving.grpc_api.methods import make_services
from serving.grpc_api.reflection import DrainableReflection
from serving.http2.connection_settings import ConnectionSettings
from serving.http2.grpc_server import Http2GrpcServer
from serving.transport.limits import default_max_grpc_connections
from serving.transport.sockets import target_of

if TYPE_CHECKING:
    import socket
    import ssl
    from pathlib import Path

    from serving.grpc_api.methods import GrpcDependencies

Engine = Literal["library", "loop"]

MESSAGE_BYTES = 64 << 20
#: Twice the number of requests that may wait for a batch.
CALLS = 8192
STREAMS = 1024
IDLE_S = 1800.0
MESSAGE_S = 30.0
#: Calls of health, and those that are being refused, have room of their own.
RESERVED_CALLS, HEALTH_CALLS = 4096, 1024
#: gRPC's set of algorithms that has only the identity.
UNCOMPRESSED = 1
COMPRESSION_ALGORITHMS = "grpc.compression_enabled_algorithms_bitset"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcSettings:
    """What the gRPC interface allows."""

    message_bytes: int = MESSAGE_BYTES
    """Larger requests are refused with RESOURCE_EXHAUSTED; TensorFlow Serving takes 2 GiB."""
    calls: int = CALLS
    """The most calls at a time, streams of health and reflection among them; beyond it RESOURCE_EXHAUSTED."""
    streams: int = STREAMS
    """The most calls at a time on one connection; beyond it the client's library waits."""
    connections: int | None = None
    """The most connections; new ones are closed at once. None: `default_max_grpc_connections`."""
    idle_s: float = IDLE_S
    """Seconds after which a connection without a call is closed; clients open another with their next call."""
    message_s: float = MESSAGE_S
    """Seconds after which a call whose message has not come is refused."""
    compression: bool = False
    """Whether compressed messages are taken: how far one inflates is known only when it has."""
    credentials: grpc.ServerCredentials | None = field(default=None, repr=False)
    """Of gRPC's library; None serves without encryption."""
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    """The same of the loop."""
    arguments: tuple[tuple[str, int | str], ...] = ()
    """Further channel arguments of gRPC's library."""
    engine: Engine = "library"
    """What reads HTTP/2: gRPC's library; or this process's event loop, without compression."""


@final
class GrpcServer:
    """Serves gRPC in the event loop of the inference.

    Args:
        bound: A socket that is bound to the address.
        dependencies: What the handlers call.
        settings: Limits and credentials.
        is_shared: Whether other processes listen at the address.
        socket_path: A Unix socket to listen on, too.
    """

    def __init__(
        self,
        bound: socket.socket,
        dependencies: GrpcDependencies,
        settings: GrpcSettings | None = None,
        *,
        is_shared: bool = False,
        socket_path: Path | None = None,
    ) -> None:
        self._bound = bound
        self._dependencies = dependencies
        self._settings = settings or GrpcSettings()
        self._is_shared = is_shared
        self._socket_path = socket_path
        self._health = HealthServicer(dependencies.models, CallLimiter(HEALTH_CALLS, self._settings.message_s))
        self._reflection: DrainableReflection | None = None
        self._server: grpc.aio.Server | Http2GrpcServer | None = None

    async def start(self) -> None:
        """Listen. The bound socket is closed first: gRPC makes its own, this one only reserved the address.

        Raises:
            CannotRun: Another process has taken the address meanwhile.
        """
        if self._settings.engine == "loop":
            own = self._own_server()
            self._register(own)
            await own.listen(self._bound, self._socket_path)
            self._server = own
            return
        server = self._library_server()
        self._register(server)
        target = target_of(self._bound)
        self._bound.close()
        self._listen(server, target, "--grpc-port")
        if self._socket_path is not None:
            self._listen(server, f"unix:{self._socket_path}", "--grpc_socket_path")
        await server.start()
        self._server = server

    def _library_server(self) -> grpc.aio.Server:
        settings = self._settings
        return grpc.aio.server(
            maximum_concurrent_rpcs=settings.calls + RESERVED_CALLS,
            options=[
                ("grpc.max_receive_message_length", settings.message_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_concurrent_streams", settings.streams),
                ("grpc.max_allowed_incoming_connections", settings.connections or default_max_grpc_connections()),
                ("grpc.max_connection_idle_ms", round(1000 * settings.idle_s)),
                ("grpc.so_reuseport", int(self._is_shared)),
                *(() if settings.compression else ((COMPRESSION_ALGORITHMS, UNCOMPRESSED),)),
                *settings.arguments,
            ],
        )

    def _own_server(self) -> Http2GrpcServer:
        settings = self._settings
        one = ConnectionSettings(
            message_bytes=settings.message_bytes,
            streams=settings.streams,
            idle_s=settings.idle_s,
            stall_s=settings.message_s,
        )
        return Http2GrpcServer(
            one,
            self._dependencies.limiter,
            calls=settings.calls + RESERVED_CALLS,
            connections=settings.connections or default_max_grpc_connections(),
            tls=settings.tls,
        )

    def _register(self, server: Any) -> None:
        """Register all services."""
        services = make_services(self._dependencies, self._settings.message_bytes)
        calls = CallLimiter(self._settings.calls, self._settings.message_s)
        server.add_generic_rpc_handlers(
            (*GrpcCallHandler(self._dependencies, calls).handlers(services), self._health.handler())
        )
        names = (*services, HEALTH_SERVICE, REFLECTION_SERVICE)
        self._reflection = DrainableReflection(names, describe(services))
        self._reflection.add_to(server)

    def _listen(self, server: grpc.aio.Server, target: str, flag: str) -> None:
        try:
            credentials = self._settings.credentials
            if credentials is None:
                server.add_insecure_port(target)
            else:
                server.add_secure_port(target, credentials)
        except RuntimeError as error:
            raise CannotRun(
                f"The server cannot listen on {target}.",
                got=str(error),
                expected="an address that no process listens on",
                fix=f"Stop the other server, or pass another {flag}.",
            ) from error

    async def drain(self, timeout_s: float) -> None:
        """Accept no more calls, and answer the accepted ones for at most ``timeout_s`` seconds."""
        self._health.drain()
        if self._reflection is not None:
            self._reflection.drain()
        if self._server is not None:
            await self._server.stop(timeout_s)
