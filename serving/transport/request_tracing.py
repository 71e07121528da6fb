"""A span for each HTTP request and gRPC call, in the trace of its caller."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from monitoring.tracing import TRACER
from serving.status import Code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from serving.transport.http_request import HttpRequest
    from serving.transport.http_response import HttpResponse

    Reply = Callable[[HttpResponse], None]

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
