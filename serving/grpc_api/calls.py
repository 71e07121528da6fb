"""One gRPC call: bytes in, bytes out. Who calls, until when, what is counted, and how a failure is told."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, final

import grpc

from serving.grpc_api.call import GrpcCall
from serving.inference.callers import EVENT_TIME_HEADER, REQUEST_ID_HEADER, read_caller
from serving.inference.inference import wall_clock_us
from serving.inference.request_ids import RequestIds
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from serving.grpc_api.methods import GrpcDependencies, GrpcMethod, Services

# An error's text travels in a header, and headers are small; TensorFlow Serving cuts it at the same length.
TEXT_LENGTH = 1024
NO_ROOM = "The server holds as many requests as it can."
STATUS_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
OUR_HEADERS = {name.decode(): name for name in (REQUEST_ID_HEADER, EVENT_TIME_HEADER)}
_logger = logging.getLogger(__name__)


@final
class GrpcCallHandler:
    """Answers calls of both services. Belongs to the event loop."""

    def __init__(
        self, rooms: GrpcDependencies, *, ids: RequestIds | None = None, clock_us: Callable[[], int] = wall_clock_us
    ) -> None:
        self._rooms = rooms
        self._ids = ids or RequestIds()
        self._clock_us = clock_us

    def handlers(self, services: Services) -> Iterator[grpc.GenericRpcHandler]:
        """What a gRPC server is given. Messages come and go as bytes: reading them is ours, errors included."""
        for name, methods in services.items():
            answers = {method.name: grpc.unary_unary_rpc_method_handler(self._handler(method)) for method in methods}
            yield grpc.method_handlers_generic_handler(name, answers)

    def _handler(self, method: GrpcMethod) -> Callable[[bytes, Any], Awaitable[bytes]]:
        crowd = self._rooms.crowd

        async def handle(body: bytes, context: Any) -> bytes:
            if not crowd.hold(len(body)):
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, NO_ROOM)  # raises
            try:
                return await answer(body, context)
            finally:
                crowd.release(len(body))

        async def answer(body: bytes, context: Any) -> bytes:
            started = time.perf_counter()
            model = ""
            try:
                request = read_message(method.request, body)
                model = model_of(request)
                outcome: bytes | Failure = await self._answer(method, request, context)
            except Failure as failure:
                outcome = failure
            except asyncio.CancelledError:
                left_s = context.time_remaining()
                is_late = left_s is not None and left_s <= 0
                self._count(method, model, Code.DEADLINE_EXCEEDED if is_late else Code.CANCELLED, started)
                raise
            except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
                # A defect of ours: the client gets TensorFlow Serving's code for it, the operator the traceback.
                _logger.exception("A request to %s failed by a defect of the server.", model)
                outcome = Failure(Code.INTERNAL, f"Internal error: {type(error).__name__}")
            # Counted first: whoever has had an answer finds it in the metrics.
            self._count(method, model, outcome.code if isinstance(outcome, Failure) else Code.OK, started)
            if isinstance(outcome, Failure):
                await context.abort(STATUS_CODES[outcome.code], cut(outcome.message))  # raises
                return b""
            return outcome

        return handle

    async def _answer(self, method: GrpcMethod, request: Any, context: Any) -> bytes:
        caller = read_caller(
            headers_of(context.invocation_metadata()), new_id=self._ids.new, arrived_us=self._clock_us()
        )
        context.set_trailing_metadata(((REQUEST_ID_HEADER.decode(), caller.request_id),))
        left_s = context.time_remaining()
        if left_s is not None and left_s <= 0:
            raise Failure(Code.DEADLINE_EXCEEDED, "The deadline had passed when the request came.")
        response = await method.answer(request, GrpcCall(caller, left_s))
        return response if isinstance(response, bytes) else bytes(response.SerializeToString())

    def _count(self, method: GrpcMethod, model: str, code: Code, started: float) -> None:
        if method.is_counted:
            self._rooms.metrics.count(
                model=model if self._rooms.models.knows(model) else "",
                verb=method.name,
                status=code.name,
                latency_us=(time.perf_counter() - started) * 1e6,
                entrypoint="GRPC",
            )


def read_message(kind: Any, body: bytes) -> Any:
    """The message in a request's bytes. Raises `Failure`: INTERNAL, as gRPC says for bytes that are no message."""
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - beside the messages it belongs to

    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise Failure(Code.INTERNAL, f"The request is no {kind.DESCRIPTOR.full_name} message.") from error


def model_of(request: Any) -> str:
    """The model that a request is about, for the metrics."""
    spec = request.model_spec if hasattr(request, "model_spec") else None
    if spec is None and getattr(request, "tasks", None):
        spec = request.tasks[0].model_spec
    return "" if spec is None else str(spec.name)


def headers_of(metadata: Iterable[tuple[str, str | bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """The request's own id and time, as the headers that they are in HTTP; gRPC's metadata is in lower case."""
    for name, value in metadata or ():
        if name in OUR_HEADERS:
            yield OUR_HEADERS[name], value.encode("latin-1", "replace") if isinstance(value, str) else value


def cut(text: str) -> str:
    """An error's text, no longer than may travel."""
    return text if len(text) <= TEXT_LENGTH else text[:TEXT_LENGTH] + "...TRUNCATED"
