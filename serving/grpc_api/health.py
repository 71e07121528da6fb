"""``grpc.health.v1``: whether the server is ready for requests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, final

from google.protobuf.message import DecodeError
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from serving.grpc_api.methods import MODEL_SERVICE, PREDICTION_SERVICE
from serving.grpc_api.v2_messages import V2_SERVICE
from serving.http2.server_call import StreamMethod, UnaryMethod
from serving.status import Code, Failure

if TYPE_CHECKING:
    from serving.http2.call_limiter import CallLimiter
    from serving.http2.server_call import Method, ServerCall
    from serving.models.versions import Models

HEALTH_SERVICE = "grpc.health.v1.Health"
POLL_S = 1.0
# TensorFlow Serving accepts the short names of its services, other servers the full ones.
SERVICES = {"", V2_SERVICE, PREDICTION_SERVICE, MODEL_SERVICE, "PredictionService", "ModelService"}


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

    def methods(self) -> dict[str, Method]:
        """What handles its calls, by path."""
        return {
            f"/{HEALTH_SERVICE}/Check": UnaryMethod(self._check, self._calls),
            f"/{HEALTH_SERVICE}/Watch": StreamMethod(self._watch, self._calls),
        }

    def _status(self) -> int:
        is_ready = self._models.is_ready and not self._draining.is_set()
        return int(HealthCheckResponse.SERVING if is_ready else HealthCheckResponse.NOT_SERVING)

    def _check(self, call: ServerCall, message: bytes) -> None:
        try:
            service = _service_in(message)
        except Failure as failure:
            call.fail(failure)
            return
        if service in SERVICES:
            call.reply(HealthCheckResponse(status=self._status()).SerializeToString())
        else:
            call.fail(Failure(Code.NOT_FOUND, f"No such service: {service}"))

    async def _watch(self, call: ServerCall) -> None:
        message = await call.read()
        if message is None:
            raise Failure(Code.INTERNAL, "The call has no message.")
        is_service = _service_in(message) in SERVICES
        sent = None
        while True:
            status = self._status() if is_service else HealthCheckResponse.SERVICE_UNKNOWN
            if status != sent:
                await call.write(HealthCheckResponse(status=status).SerializeToString())
                sent = status
            if self._draining.is_set():
                return
            try:
                await asyncio.wait_for(self._draining.wait(), POLL_S)
            except TimeoutError:
                continue


def _service_in(message: bytes) -> str:
    try:
        return str(HealthCheckRequest.FromString(message).service)
    except DecodeError as error:
        raise Failure(Code.INTERNAL, "The request is not a grpc.health.v1.HealthCheckRequest message.") from error
