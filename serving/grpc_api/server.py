"""The gRPC server: its limits, its services, and a graceful stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from google.protobuf import descriptor_pb2, descriptor_pool, text_format
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_reflection.v1alpha import reflection_pb2

from serving.grpc_api.call_handler import GrpcCallHandler
from serving.grpc_api.methods import MODEL_SERVICE, PREDICTION_SERVICE, make_services
from serving.grpc_api.v2_messages import V2_SERVICE
from serving.http2.connection_settings import ConnectionSettings
from serving.http2.grpc_server import Http2GrpcServer
from serving.http2.server_call import CallLimiter, StreamMethod, UnaryMethod
from serving.status import Code, Failure
from serving.transport.limits import default_max_grpc_connections

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Mapping, Sequence

    from google.protobuf.descriptor_pool import DescriptorPool

    from serving.grpc_api.methods import GrpcDependencies, GrpcMethod
    from serving.http2.server_call import Method, ServerCall
    from serving.models.versions import Models

#: Both versions have the same messages under other names, so that their bytes are the same.
REFLECTION_SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
#: Streams at a time, half of them of one client, and the seconds that one may be without a request.
STREAMS, IDLE_S = 64, 30.0


@final
class ReflectionServicer:
    """Describes services until it is drained."""

    def __init__(self, names: Sequence[str], pool: DescriptorPool) -> None:
        self._names = sorted(names)
        self._pool = pool
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """End every stream when the requests in it are answered."""
        self._draining.set()

    def methods(self) -> dict[str, Method]:
        """What handles its calls, by path."""
        streams = CallLimiter(STREAMS)
        return {
            f"/{service}/ServerReflectionInfo": StreamMethod(self._answer_all, streams)
            for service in REFLECTION_SERVICES
        }

    async def _answer_all(self, call: ServerCall) -> None:
        draining = asyncio.ensure_future(self._draining.wait())
        try:
            while True:
                reading = asyncio.ensure_future(call.read())
                await asyncio.wait((reading, draining), timeout=IDLE_S, return_when=asyncio.FIRST_COMPLETED)
                if not reading.done():
                    reading.cancel()
                    return
                message = reading.result()
                if message is None:
                    return
                await call.write(self._answer(message))
        finally:
            draining.cancel()

    def _answer(self, message: bytes) -> bytes:
        try:
            request = reflection_pb2.ServerReflectionRequest.FromString(message)
        except DecodeError as error:
            raise Failure(Code.INTERNAL, "The request is not a ServerReflectionRequest message.") from error
        response = reflection_pb2.ServerReflectionResponse(valid_host=request.host, original_request=request)
        try:
            self._fill(response, request)
        except KeyError:
            response.error_response.error_code = int(Code.NOT_FOUND)
            response.error_response.error_message = "There is no such symbol or file."
        return bytes(response.SerializeToString())

    def _fill(self, response: Any, request: Any) -> None:
        """Fill a response with what is asked for. Raises `KeyError` if it is not there."""
        kind, pool = request.WhichOneof("message_request"), self._pool
        if kind == "list_services":
            for name in self._names:
                response.list_services_response.service.add(name=name)
        elif kind == "file_by_filename":
            _add_files(response, pool.FindFileByName(request.file_by_filename))
        elif kind == "file_containing_symbol":
            _add_files(response, pool.FindFileContainingSymbol(request.file_containing_symbol))
        elif kind == "file_containing_extension":
            wanted = request.file_containing_extension
            extended = pool.FindMessageTypeByName(wanted.containing_type)
            extension: Any = pool.FindExtensionByNumber(extended, wanted.extension_number)
            _add_files(response, extension.file)
        elif kind == "all_extension_numbers_of_type":
            name = request.all_extension_numbers_of_type
            extensions = pool.FindAllExtensions(pool.FindMessageTypeByName(name))
            numbers = response.all_extension_numbers_response
            numbers.base_type_name = name
            numbers.extension_number.extend(sorted(extension.number for extension in extensions))
        else:
            response.error_response.error_code = int(Code.INVALID_ARGUMENT)
            response.error_response.error_message = "The request asks for nothing."


def _add_files(response: Any, file: Any) -> None:
    """Add a file of descriptors, and those that it imports."""
    files: dict[str, bytes] = {}
    _collect(file, files)
    response.file_descriptor_response.file_descriptor_proto.extend(files.values())


def _collect(file: Any, files: dict[str, bytes]) -> None:
    if file.name not in files:
        files[file.name] = file.serialized_pb
        for imported in file.dependencies:
            _collect(imported, files)


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


# They are made here because those of ``tensorflow-serving-api`` cannot be imported: their form was dropped by
# protobuf 4. (The messages and stubs of that package can.)
def describe(services: Mapping[str, Sequence[GrpcMethod]]) -> descriptor_pool.DescriptorPool:
    """Describe services, with their messages and the services of health and reflection.

    Returns:
        A pool of its own, in which reflection looks them up by name.
    """
    pool = descriptor_pool.DescriptorPool()
    added: set[str] = set()
    for descriptor in (health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR):
        _add(pool, descriptor, added)
    pool.AddSerializedFile(_reflection_v1())
    for full_name, methods in services.items():
        package, _, name = full_name.rpartition(".")
        file = descriptor_pb2.FileDescriptorProto(
            name=f"pitfalls/{package.replace('.', '/')}/{name}.proto", package=package, syntax="proto3"
        )
        messages = [kind.DESCRIPTOR.file for method in methods for kind in (method.request, method.response)]
        for message in messages:
            _add(pool, message, added)
        file.dependency.extend(sorted({message.name for message in messages}))
        service = file.service.add(name=name)
        for method in methods:
            service.method.add(
                name=method.name,
                input_type=f".{method.request.DESCRIPTOR.full_name}",
                output_type=f".{method.response.DESCRIPTOR.full_name}",
            )
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def _reflection_v1() -> bytes:
    """The file of reflection's version 1: that of v1alpha under another name."""
    text = text_format.MessageToString(
        descriptor_pb2.FileDescriptorProto.FromString(reflection_pb2.DESCRIPTOR.serialized_pb)
    )
    renamed = text.replace("v1alpha", "v1")
    return text_format.Parse(renamed, descriptor_pb2.FileDescriptorProto()).SerializeToString()


def _add(pool: descriptor_pool.DescriptorPool, file: Any, added: set[str]) -> None:
    """Add a file of messages, after those that it imports."""
    if file.name not in added:
        added.add(file.name)
        for imported in file.dependencies:
            _add(pool, imported, added)
        pool.AddSerializedFile(file.serialized_pb)


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
        unix: socket.socket | None = None,
    ) -> None:
        self._bound = bound
        self._unix = unix
        settings = settings or GrpcSettings()
        services = make_services(dependencies, settings.connection.message_bytes)
        self._health = HealthServicer(dependencies.models, CallLimiter(HEALTH_CALLS))
        names = (*services, HEALTH_SERVICE, *REFLECTION_SERVICES)
        self._reflection = ReflectionServicer(names, describe(services))
        calls = GrpcCallHandler(dependencies, CallLimiter(settings.calls))
        self._server = Http2GrpcServer(
            calls.methods(services) | self._health.methods() | self._reflection.methods(),
            settings.connection,
            dependencies.inference.limiter,
            connections=settings.connections or default_max_grpc_connections(),
            tls=settings.tls,
        )

    async def start(self) -> None:
        """Listen."""
        await self._server.listen(self._bound, self._unix)

    async def drain(self, timeout_s: float) -> None:
        """Accept no more calls, and answer the accepted ones for at most ``timeout_s`` seconds."""
        self._health.drain()
        self._reflection.drain()
        await self._server.stop(timeout_s)
