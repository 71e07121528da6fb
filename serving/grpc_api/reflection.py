"""Server reflection: which services there are, and their messages, for clients that have no stubs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, final

from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha import reflection_pb2

from serving.http2.call_limiter import CallLimiter
from serving.http2.server_call import StreamMethod
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.descriptor_pool import DescriptorPool

    from serving.http2.server_call import Method, ServerCall

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
