"""``grpc.health.v1``: whether the server is there, and whether to send it requests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, final

import grpc
from grpc_health.v1 import health_pb2

from serving.grpc_api.methods import MODEL_SERVICE, PREDICTION_SERVICE

if TYPE_CHECKING:
    from serving.models.versions import Models

HEALTH_SERVICE = "grpc.health.v1.Health"
LOOK_S = 1.0
# TensorFlow Serving knows its services by their short names, other servers by their full ones.
KNOWN = {"", PREDICTION_SERVICE, MODEL_SERVICE, "PredictionService", "ModelService"}


@final
class HealthServicer:
    """SERVING while every model has a version that answers and the server is not draining, as ``/v2/health/ready``."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._leaving = asyncio.Event()

    def drain(self) -> None:
        """Say NOT_SERVING from now on; whoever watches is told, and their calls end."""
        self._leaving.set()

    def service(self) -> grpc.GenericRpcHandler:
        """What a gRPC server is given."""
        request, response = health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse
        both = {"request_deserializer": request.FromString, "response_serializer": response.SerializeToString}
        handlers = {
            "Check": grpc.unary_unary_rpc_method_handler(self._check, **both),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch, **both),
        }
        return grpc.method_handlers_generic_handler(HEALTH_SERVICE, handlers)

    def _now(self) -> int:
        states = health_pb2.HealthCheckResponse
        ready = self._models.is_ready and not self._leaving.is_set()
        return int(states.SERVING if ready else states.NOT_SERVING)

    async def _check(self, request: Any, context: Any) -> Any:
        if request.service not in KNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"No such service: {request.service}")
        return health_pb2.HealthCheckResponse(status=self._now())

    async def _watch(self, request: Any, context: Any) -> None:
        told = None
        while True:
            known = request.service in KNOWN
            status = self._now() if known else health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
            if status != told:
                await context.write(health_pb2.HealthCheckResponse(status=status))
                told = status
            if self._leaving.is_set():
                return
            try:
                await asyncio.wait_for(self._leaving.wait(), LOOK_S)
            except TimeoutError:
                continue
