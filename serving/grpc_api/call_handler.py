"""Handles one gRPC call, bytes in and bytes out: its caller, deadline, metrics and status."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, NamedTuple, final

import grpc

from serving.access.tokens import Scope
from serving.grpc_api.call import GrpcCall
from serving.grpc_api.call_limiter import FULL, CallLimiter, peer_of
from serving.grpc_api.peer_identity import peer_identity
from serving.inference.callers import EVENT_TIME_HEADER, REQUEST_ID_HEADER, TOKEN_HEADER, CallerReader, id_headers
from serving.inference.timestamps import wall_clock_us
from serving.inference_v2.parameters import check_id
from serving.status import Code, Failure
from serving.transport.request_tracing import begin_call_span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from serving.grpc_api.methods import GrpcDependencies, GrpcMethod, Services

# An error message is sent in a header, and headers are small; TensorFlow Serving cuts it at the same length.
MESSAGE_LENGTH = 1024
STATUS_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
HEADERS = {name.decode(): name for name in (REQUEST_ID_HEADER, EVENT_TIME_HEADER, TOKEN_HEADER)}
_logger = logging.getLogger(__name__)


class BegunCall(NamedTuple):
    """When a call began, and what ends its span."""

    started_s: float
    end_span: Callable[[Code], None]


@final
class GrpcCallHandler:
    """Handles the calls of all services. Belongs to the event loop."""

    def __init__(
        self,
        dependencies: GrpcDependencies,
        calls: CallLimiter,
        *,
        clock_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        self._dependencies = dependencies
        self._calls = calls
        self._callers = CallerReader(event_times=dependencies.event_times, principal_of=dependencies.guard.name_of)
        self._clock_us = clock_us

    def handlers(self, services: Services) -> Iterator[grpc.GenericRpcHandler]:
        """The handlers to register with a gRPC server. They parse messages themselves, and so word the errors.

        Yields:
            One handler for each service.
        """
        for name, methods in services.items():
            answers = {
                method.name: grpc.stream_unary_rpc_method_handler(self._handler(name, method)) for method in methods
            }
            yield grpc.method_handlers_generic_handler(name, answers)

    def _handler(self, service: str, method: GrpcMethod) -> Callable[[Any, Any], Awaitable[bytes]]:
        """What handles a method's calls: as a stream of requests, so that the wait for the only one can be bounded."""
        limiter, calls = self._dependencies.limiter, self._calls

        async def handle(_: Any, context: Any) -> bytes:
            peer = peer_of(context)
            with calls.counted(peer) as may_be_answered:
                if not may_be_answered:
                    await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, FULL)  # raises
                body = await calls.read(context, peer)
                if not limiter.hold_bytes(len(body)):
                    await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, FULL)  # raises
                begun = BegunCall(time.perf_counter(), begin_call_span(service, method.name, text_metadata(context)))
                try:
                    return await self._respond(method, body, context, begun)
                finally:
                    limiter.release_bytes(len(body))

        return handle

    async def _respond(self, method: GrpcMethod, body: bytes, context: Any, begun: BegunCall) -> bytes:
        """Answer one call, and count it."""
        model = ""
        try:
            who = self._check(method, context)
            request = read_message(method.request, body)
            model = model_of(request)
            outcome: bytes | Failure = await self._answer(method, request, context, who)
        except Failure as failure:
            outcome = failure
        except asyncio.CancelledError:
            left_s = context.time_remaining()
            is_late = left_s is not None and left_s <= 0
            self._count(method, model, Code.DEADLINE_EXCEEDED if is_late else Code.CANCELLED, begun)
            raise
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            # A defect: the client gets TensorFlow Serving's code for it, the operator the traceback.
            _logger.exception("A request to %s failed by a defect of the server.", model)
            outcome = Failure(Code.INTERNAL, f"Internal error: {type(error).__name__}")
        # Counted first: a client that has an answer finds it in the metrics.
        self._count(method, model, outcome.code if isinstance(outcome, Failure) else Code.OK, begun)
        if isinstance(outcome, Failure):
            if outcome.code is Code.UNAUTHENTICATED:
                await asyncio.sleep(self._dependencies.guard.delay_s)
            await context.abort(STATUS_CODES[outcome.code], cut(outcome.message))  # raises
            return b""
        return outcome

    def _check(self, method: GrpcMethod, context: Any) -> str:
        """Check the caller's credential: a token in the metadata, or a certificate.

        Returns:
            The name of its holder.
        """
        if method.scope is None:
            return ""
        guard, policy = self._dependencies.guard, self._dependencies.reload_policy
        is_reload = method.scope is Scope.RELOAD
        if is_reload and policy is None:
            return ""  # refused whatever the credential
        if is_reload and policy is not None and policy.takes_certificates and context.peer_identities():
            return "certificate"
        metadata = context.invocation_metadata() or ()
        given = next((value for name, value in metadata if name == "authorization"), "")
        return guard.check(method.scope, given.encode("latin-1", "replace") if isinstance(given, str) else given)

    async def _answer(self, method: GrpcMethod, request: Any, context: Any, who: str) -> bytes:
        headers = headers_of(context.invocation_metadata())
        caller = self._callers.read(
            headers, arrived_us=self._clock_us(), identity=peer_identity(context), id_of_body=id_of(request)
        )
        context.set_trailing_metadata(tuple((name.decode(), value.decode()) for name, value in id_headers(caller)))
        left_s = context.time_remaining()
        if left_s is not None and left_s <= 0:
            raise Failure(Code.DEADLINE_EXCEEDED, "The deadline had passed when the request arrived.")
        response = await method.answer(request, GrpcCall(caller, left_s, who))
        return response if isinstance(response, bytes) else bytes(response.SerializeToString())

    def _count(self, method: GrpcMethod, model: str, code: Code, begun: BegunCall) -> None:
        begun.end_span(code)
        if method.is_counted:
            self._dependencies.metrics.count(
                model=model if self._dependencies.models.knows(model) else "",
                verb=method.name,
                status=code.name,
                latency_us=(time.perf_counter() - begun.started_s) * 1e6,
                entrypoint="GRPC",
            )


def read_message(kind: Any, body: bytes) -> Any:
    """Parse a request.

    Args:
        kind: The class of the message.
        body: Its bytes.

    Returns:
        The message.

    Raises:
        Failure: INTERNAL, as gRPC has it for bytes that are not such a message.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - loaded with the messages

    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise Failure(Code.INTERNAL, f"The request is not a {kind.DESCRIPTOR.full_name} message.") from error


def model_of(request: Any) -> str:
    """The name of the model in a request, for the metrics; empty if there is none."""
    if hasattr(request, "model_name"):
        return str(request.model_name)
    spec = request.model_spec if hasattr(request, "model_spec") else None
    if spec is None and getattr(request, "tasks", None):
        spec = request.tasks[0].model_spec
    return "" if spec is None else str(spec.name)


def id_of(request: Any) -> str:
    """The id within a request, which counts where its metadata has none. Raises `InvalidArgument`."""
    return check_id(request.id) if hasattr(request, "id") else ""


def text_metadata(context: Any) -> Iterator[tuple[str, str]]:
    """The metadata of a call whose values are text.

    Yields:
        Names and values.
    """
    for name, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            yield name, value


def headers_of(metadata: Iterable[tuple[str, str | bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """The request's id, event time and token in its metadata.

    Yields:
        Their names and values, as of HTTP headers.
    """
    for name, value in metadata or ():
        if name in HEADERS:
            yield HEADERS[name], value.encode("latin-1", "replace") if isinstance(value, str) else value


def cut(text: str) -> str:
    """Cut an error message to the length that a header may have."""
    return text if len(text) <= MESSAGE_LENGTH else text[:MESSAGE_LENGTH] + "...TRUNCATED"
