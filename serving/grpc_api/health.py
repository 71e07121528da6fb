"""``grpc.health.v1``: whether the server is ready for requests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, final

import grpc
from grpc_health.v1 import health_pb2

from serving.grpc_api.call_limiter import FULL, peer_of
from serving.grpc_api.methods import MODEL_SERVICE, PREDICTION_SERVICE
from serving.grpc_api.v2_messages import V2_SERVICE

if TYPE_CHECKING:
    from serving.grpc_api.call_limiter import CallLimiter
    from serving.models.versions import Models

HEALTH_SERVICE = "grpc.health.v1.Health"
POLL_S = 1.0
# TensorFlow Serving accepts the short names of its services, other servers the full ones.
KNOWN = {"", V2_SERVICE, PREDICTION_SERVICE, MODEL_SERVICE, "PredictionService", "ModelService"}


@final
class HealthServicer:
    """SERVING while every model has an available version and the server is not draining, as ``/v2/health/ready``."""

    def __init__(self, models: Models, calls: CallLimiter) -> None:
        self._calls = calls
        self._models = models
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """Answer NOT_SERVING from now on; watching clients are notified, and their calls end."""
        self._draining.set()

    def handler(self) -> grpc.GenericRpcHandler:
        """The handler to register with a gRPC server."""
        request, response = health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse
        both = {"request_deserializer": request.FromString, "response_serializer": response.SerializeToString}
        handlers = {
            "Check": grpc.stream_unary_rpc_method_handler(self._check, **both),
            "Watch": grpc.stream_stream_rpc_method_handler(self._watch, **both),
        }
        return grpc.method_handlers_generic_handler(HEALTH_SERVICE, handlers)

    def _status(self) -> int:
        states = health_pb2.HealthCheckResponse
        is_ready = self._models.is_ready and not self._draining.is_set()
        return int(states.SERVING if is_ready else states.NOT_SERVING)

    async def _check(self, _: Any, context: Any) -> Any:
        peer = peer_of(context)
        with self._calls.counted(peer) as may_be_answered:
            request = await self._read(context, peer, may_be_answered=may_be_answered)
        if request.service not in KNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"No such service: {request.service}")
        return health_pb2.HealthCheckResponse(status=self._status())

    async def _watch(self, _: Any, context: Any) -> None:
        peer = peer_of(context)
        with self._calls.counted(peer) as may_be_answered:
            await self._report(await self._read(context, peer, may_be_answered=may_be_answered), context)

    async def _read(self, context: Any, peer: str, *, may_be_answered: bool) -> Any:
        if not may_be_answered:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, FULL)  # raises
        return await self._calls.read(context, peer)

    async def _report(self, request: Any, context: Any) -> None:
        sent = None
        while True:
            known = request.service in KNOWN
            status = self._status() if known else health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
            if status != sent:
                await context.write(health_pb2.HealthCheckResponse(status=status))
                sent = status
            if self._draining.is_set():
                return
            try:
                await asyncio.wait_for(self._draining.wait(), POLL_S)
            except TimeoutError:
                continue
