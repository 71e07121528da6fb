"""Handles one gRPC call, bytes in and bytes out: its caller, deadline, metrics and status."""

from __future__ import annotations

import asyncio
import logging
import time
from operator import attrgetter
from typing import TYPE_CHECKING, Any, final

from serving.access.tokens import Scope
from serving.grpc_api.call import GrpcCall
from serving.http2.server_call import UnaryMethod
from serving.inference.callers import TOKEN_HEADER, CallerReader, id_headers
from serving.inference.timestamps import wall_clock_us
from serving.inference_v2.infer_requests import check_id
from serving.status import Code, Failure
from serving.transport.request_tracing import begin_call_span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from serving.grpc_api.methods import GrpcDependencies, GrpcMethod, Services
    from serving.http2.server_call import CallLimiter, Method, ServerCall

# An error message is sent in a header, and headers are small; TensorFlow Serving cuts it at the same length.
MESSAGE_LENGTH = 1024
_logger = logging.getLogger(__name__)


@final
class GrpcCallHandler:
    """Handles the calls of all services. Belongs to the event loop."""

    def __init__(
        self, dependencies: GrpcDependencies, calls: CallLimiter, *, clock_us: Callable[[], int] = wall_clock_us
    ) -> None:
        self._dependencies = dependencies
        self._calls = calls
        self._callers = CallerReader(event_times=dependencies.event_times, principal_of=dependencies.guard.name_of)
        self._clock_us = clock_us

    def methods(self, services: Services) -> dict[str, Method]:
        """What handles the calls of all methods, by path. It parses messages itself, and so words the errors."""
        return {
            f"/{service}/{method.name}": UnaryMethod(self._start_of(service, method), self._calls)
            for service, methods in services.items()
            for method in methods
        }

    def _start_of(self, service: str, method: GrpcMethod) -> Callable[[ServerCall, bytes], None]:
        read, read_model = reader_of(method.request), model_reader_of(method.request)
        has_id = "id" in method.request.DESCRIPTOR.fields_by_name

        def start(call: ServerCall, message: bytes) -> None:
            begun = _BegunCall(self, method, call, begin_call_span(service, method.name, text_metadata(call)))
            try:
                who = self._check(method, call)
                request = read(message)
                begun.model = read_model(request)
                call.on_cancel = begun.cancel
                grpc_call = self._call(call, who, check_id(request.id) if has_id else "")
                begun.stop = method.start(request, grpc_call, begun.done)
            except (Failure, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
                begun.done(error)

        return start

    def _check(self, method: GrpcMethod, call: ServerCall) -> str:
        """Check the caller's credential: a token in the metadata, or a certificate."""
        if method.scope is None:
            return ""
        guard, policy = self._dependencies.guard, self._dependencies.reload_policy
        is_reload = method.scope is Scope.RELOAD
        if is_reload and policy is None:
            return ""  # refused whatever the credential
        if is_reload and policy is not None and policy.takes_certificates and call.identity.principal:
            return "certificate"
        token = next((value for name, value in call.metadata if name == TOKEN_HEADER), b"")
        return guard.check(method.scope, token)

    def _call(self, call: ServerCall, who: str, id_of_body: str) -> GrpcCall:
        caller = self._callers.read(
            call.metadata, arrived_us=self._clock_us(), identity=call.identity, id_of_body=id_of_body
        )
        call.trailing = id_headers(caller)
        left_s = call.time_remaining()
        if left_s is not None and left_s <= 0:
            raise Failure(Code.DEADLINE_EXCEEDED, "The deadline had passed when the request arrived.")
        return GrpcCall(caller, left_s, who, call.hold, call.metadata)

    def count(self, method: GrpcMethod, model: str, code: Code, started_s: float) -> None:
        """Count a call in the metrics."""
        if method.is_counted:
            self._dependencies.metrics.count(
                model=model if self._dependencies.models.knows(model) else "",
                verb=method.name,
                status=code.name,
                latency_us=(time.perf_counter() - started_s) * 1e6,
                entrypoint="GRPC",
            )

    def fail(self, call: ServerCall, failure: Failure) -> None:
        """Answer a call with an error, a wrong token only after a while."""
        failure = Failure(failure.code, cut(failure.message))
        if failure.code is Code.UNAUTHENTICATED:
            asyncio.get_running_loop().call_later(self._dependencies.guard.delay_s, call.fail, failure)
        else:
            call.fail(failure)


@final
class _BegunCall:
    """One call until it is answered, fails, or nobody waits for it any more."""

    __slots__ = ("_call", "_end_span", "_handler", "_method", "_started_s", "model", "stop")

    def __init__(
        self, handler: GrpcCallHandler, method: GrpcMethod, call: ServerCall, end_span: Callable[[Code], None]
    ) -> None:
        self._handler = handler
        self._method = method
        self._call = call
        self._end_span = end_span
        self._started_s = time.perf_counter()
        self.model = ""
        self.stop: Callable[[], object] | None = None

    def done(self, outcome: Any) -> None:
        call = self._call
        call.on_cancel = None
        if isinstance(outcome, BaseException):
            failure = outcome if isinstance(outcome, Failure) else self._defect(outcome)
            self._count(failure.code)
            self._handler.fail(call, failure)
            return
        # Counted first: a client that has an answer finds it in the metrics.
        self._count(Code.OK)
        call.reply(outcome if isinstance(outcome, bytes) else bytes(outcome.SerializeToString()))

    def cancel(self) -> None:
        left_s = self._call.time_remaining()
        self._count(Code.DEADLINE_EXCEEDED if left_s is not None and left_s <= 0 else Code.CANCELLED)
        if self.stop is not None:
            self.stop()

    def _defect(self, error: BaseException) -> Failure:
        """The client gets TensorFlow Serving's code for it, the operator the traceback."""
        _logger.error("A request to %s failed by a defect of the server.", self.model, exc_info=error)
        return Failure(Code.INTERNAL, f"Internal error: {type(error).__name__}")

    def _count(self, code: Code) -> None:
        self._end_span(code)
        self._handler.count(self._method, self.model, code, self._started_s)


def reader_of(kind: Any) -> Callable[[bytes], Any]:
    """What parses a request's message.

    Returns:
        A function of its bytes, which raises `Failure` with INTERNAL, as gRPC has it, for those of no such message.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - loaded with the messages

    parse = kind.FromString

    def read(body: bytes) -> Any:
        try:
            return parse(body)
        except DecodeError as error:
            raise Failure(Code.INTERNAL, f"The request is not a {kind.DESCRIPTOR.full_name} message.") from error

    return read


def model_reader_of(kind: Any) -> Callable[[Any], str]:
    """What finds the name of the model in a request, for the metrics; it gives an empty text if there is none."""
    fields = kind.DESCRIPTOR.fields_by_name
    if "model_name" in fields:
        return attrgetter("model_name")
    if "model_spec" in fields:
        return attrgetter("model_spec.name")
    if "tasks" in fields:
        return lambda request: str(request.tasks[0].model_spec.name) if request.tasks else ""
    return lambda _: ""


def text_metadata(call: ServerCall) -> Iterator[tuple[str, str]]:
    """The metadata of a call as text."""
    for name, value in call.metadata:
        yield name.decode("latin-1"), value.decode("latin-1")


def cut(text: str) -> str:
    """Cut an error message to the length that a header may have."""
    return text if len(text) <= MESSAGE_LENGTH else text[:MESSAGE_LENGTH] + "...TRUNCATED"
