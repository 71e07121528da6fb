"""A span for each HTTP request and gRPC call, in the trace of its caller."""

from __future__ import annotations

import logging
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitoring.tracing import TRACER
from serving.status import Code, Failure
from serving.transport.http_response import HttpResponse, error_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from serving.metrics.metrics import ServerMetrics
    from serving.models.versions import Models
    from serving.transport.http_request import HttpRequest
    from serving.transport.http_response import HttpResponse

    Done = Callable[[HttpResponse | BaseException], None]
    Reply = Callable[[HttpResponse], None]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMetrics:
    """Counts requests by model and status, and measures their latency."""

    models: Models
    metrics: ServerMetrics

    def measure(
        self, start: Callable[[Done], None], *, model: str, verb: str, reply: Callable[[HttpResponse], None]
    ) -> None:
        """Answer a request and count its outcome. `verb`: of the metrics' label ``API``."""
        started = time.perf_counter()

        def done(outcome: HttpResponse | BaseException) -> None:
            if isinstance(outcome, HttpResponse):
                status, response = "OK", outcome
            else:
                failure = outcome if isinstance(outcome, Failure) else _internal_error(model, outcome)
                status, response = failure.code.name, error_response(failure)
            model_label = model if self.models.knows(model) else ""
            elapsed_us = (time.perf_counter() - started) * 1e6
            self.metrics.count(model=model_label, verb=verb, status=status, latency_us=elapsed_us)
            reply(response)

        try:
            start(done)
        except (Failure, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            done(error)


def _internal_error(model: str, error: BaseException) -> Failure:
    """The client gets TensorFlow Serving's code for a defect, the operator the traceback."""
    _logger.error("A request to %s failed by a defect of the server.", model, exc_info=error)
    return Failure(Code.INTERNAL, f"Internal error: {type(error).__name__}")


#: Status codes from here on are the server's own errors.
SERVER_ERRORS = 500
#: What a span's name may have of the path: names are few, whatever clients ask for.
PREFIXES = frozenset({"/v1", "/v2", "/monitor"})
CONTEXT_HEADERS = ("traceparent", "tracestate")
#: Codes of gRPC that OpenTelemetry's conventions take for errors of a server.
ERROR_CODES = frozenset(
    {Code.UNKNOWN, Code.DEADLINE_EXCEEDED, Code.UNIMPLEMENTED, Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS}
)


def traced(request: HttpRequest, reply: Reply) -> Reply:
    """Begin the span of a request, as a child of the span that its ``traceparent`` header names (W3C Trace Context).

    Attributes are those of OpenTelemetry's HTTP conventions; the path is without its query. Cost: a look-up where this
    process exports no traces; otherwise some tens of microseconds.
    """
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return reply
    from opentelemetry.propagate import extract  # noqa: PLC0415 - loaded with opentelemetry.trace by what exports

    carrier = {name: request.header(name.encode()).decode("latin-1") for name in CONTEXT_HEADERS}
    path = request.target.partition("?")[0]
    prefix = path[: path.find("/", 1)]
    begun = trace.get_tracer(TRACER).start_span(
        f"{request.method} {prefix}" if prefix in PREFIXES else request.method,
        context=extract({name: value for name, value in carrier.items() if value}),
        kind=trace.SpanKind.SERVER,
        attributes={"http.request.method": request.method, "url.path": path},
    )

    def ended(response: HttpResponse) -> None:
        begun.set_attribute("http.response.status_code", response.status)
        if response.status >= SERVER_ERRORS:
            begun.set_status(trace.StatusCode.ERROR)
        begun.end()
        reply(response)

    return ended


def begin_call_span(service: str, method: str, metadata: Iterable[tuple[str, str]]) -> Callable[[Code], None]:
    """Begin the span of a gRPC call, as a child of the span that its metadata name, as `traced` does with headers."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return _end_nothing
    from opentelemetry.propagate import extract  # noqa: PLC0415 - loaded with opentelemetry.trace by what exports

    begun = trace.get_tracer(TRACER).start_span(
        f"{service}/{method}",
        context=extract({name: value for name, value in metadata if name in CONTEXT_HEADERS}),
        kind=trace.SpanKind.SERVER,
        attributes={"rpc.system": "grpc", "rpc.service": service, "rpc.method": method},
    )

    def end(code: Code) -> None:
        begun.set_attribute("rpc.grpc.status_code", int(code))
        if code in ERROR_CODES:
            begun.set_status(trace.StatusCode.ERROR)
        begun.end()

    return end


def _end_nothing(_: Code) -> None:
    pass
