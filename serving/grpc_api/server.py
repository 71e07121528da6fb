"""The gRPC server itself: an address, limits, its services, and a good end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import grpc
from grpc_reflection.v1alpha.reflection import SERVICE_NAME as REFLECTION_SERVICE

from monitoring.errors import CannotRun
from serving.grpc_api.calls import GrpcCallHandler
from serving.grpc_api.descriptors import describe
from serving.grpc_api.health import HEALTH_SERVICE, HealthServicer
from serving.grpc_api.methods import make_services
from serving.grpc_api.reflection import DrainableReflection
from serving.transport.limits import room_for_grpc
from serving.transport.sockets import target_of

if TYPE_CHECKING:
    import socket

    from serving.grpc_api.methods import GrpcDependencies

MESSAGE_BYTES = 64 << 20
#: Twice as many as may wait for a batch.
CALLS = 8192
STREAMS = 1024
IDLE_S = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcSettings:
    """What the gRPC interface allows."""

    message_bytes: int = MESSAGE_BYTES
    """Larger requests are refused with RESOURCE_EXHAUSTED; TensorFlow Serving takes 2 GiB."""
    calls: int = CALLS
    """Calls that are being answered at once, streams of the health and of reflection among them; beyond it
    RESOURCE_EXHAUSTED."""
    streams: int = STREAMS
    """Calls at once on one connection; beyond it the client's own library waits."""
    connections: int | None = None
    """Beyond it new ones are closed at once. None: `room_for_grpc`."""
    idle_s: float = IDLE_S
    """A connection without a call is closed after so long; clients open another with their next call."""
    credentials: grpc.ServerCredentials | None = field(default=None, repr=False)
    """None serves without encryption."""
    arguments: tuple[tuple[str, int | str], ...] = ()
    """Channel arguments of gRPC's own, the server's limits apart."""


@final
class GrpcServer:
    """Listens where ``taken`` is bound, in the event loop of the inference."""

    def __init__(
        self,
        taken: socket.socket,
        rooms: GrpcDependencies,
        settings: GrpcSettings | None = None,
        *,
        is_shared: bool = False,
    ) -> None:
        self._taken = taken
        self._rooms = rooms
        self._settings = settings or GrpcSettings()
        self._is_shared = is_shared
        self._health = HealthServicer(rooms.models)
        self._reflecting: DrainableReflection | None = None
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Listen. The socket is closed first: gRPC makes its own, so this one only kept the place.

        Raises:
            CannotRun: somebody else was quicker.
        """
        limit = self._settings.message_bytes
        server = grpc.aio.server(
            maximum_concurrent_rpcs=self._settings.calls,
            options=[
                ("grpc.max_receive_message_length", limit),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_concurrent_streams", self._settings.streams),
                ("grpc.max_allowed_incoming_connections", self._settings.connections or room_for_grpc()),
                ("grpc.max_connection_idle_ms", round(1000 * self._settings.idle_s)),
                ("grpc.so_reuseport", int(self._is_shared)),
                *self._settings.arguments,
            ],
        )
        services = make_services(self._rooms, limit)
        server.add_generic_rpc_handlers((*GrpcCallHandler(self._rooms).handlers(services), self._health.service()))
        describe(services)
        self._reflecting = DrainableReflection((*services, HEALTH_SERVICE, REFLECTION_SERVICE))
        self._reflecting.add_to(server)
        place = target_of(self._taken)
        self._taken.close()
        try:
            credentials = self._settings.credentials
            if credentials is None:
                server.add_insecure_port(place)
            else:
                server.add_secure_port(place, credentials)
        except RuntimeError as error:
            raise CannotRun(
                f"{place} cannot be listened on.",
                got=str(error),
                expected="an address that nobody listens on",
                fix="Stop the other server, or pass another --grpc-port.",
            ) from error
        await server.start()
        self._server = server

    async def drain(self, patience_s: float) -> None:
        """Accept nothing more, answer what was accepted, at most for ``patience_s`` seconds."""
        self._health.drain()
        if self._reflecting is not None:
            self._reflecting.drain()
        if self._server is not None:
            await self._server.stop(patience_s)
