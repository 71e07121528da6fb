"""Traces: spans of OpenTelemetry, where this process exports them; elsewhere they cost a look-up.

The libraries are an extra (``pip install pitfalls-tf[otel]``), imported only if the environment names a collector. A
program that has set up OpenTelemetry itself gets the spans in its own traces.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Standard variables of OpenTelemetry that name the collector.
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
TRACER = "pitfalls_tf"
#: How long the end of a process waits for a collector that does not take the last spans.
FLUSH_SECONDS = 5.0


@contextmanager
def span(name: str, **attributes: str | float | bool) -> Iterator[None]:
    """A span of the current trace, around a block; an exception is recorded in it.

    >>> with span("read", rows=3):
    ...     pass
    """
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        yield
        return
    named = {f"pitfalls.{key}": value for key, value in attributes.items()}
    with trace.get_tracer(TRACER).start_as_current_span(name, attributes=named):
        yield


@contextmanager
def exporting(service: str, report: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, send this process's spans to the collector that the environment names.

    Does nothing without an endpoint in the environment (`ENDPOINTS`), with ``OTEL_SDK_DISABLED=true``, or where traces
    are exported already. The other variables of OpenTelemetry hold: headers, timeout, sampling, ``OTEL_SERVICE_NAME``.
    Spans are sent by a thread of the library's; one that cannot be sent is lost. At the end, what is left is sent
    within `FLUSH_SECONDS`.

    Args:
        service: The name of the service, unless the environment has one.
    """
    endpoint = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if endpoint is None or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield
        return
    try:
        from opentelemetry import trace  # noqa: PLC0415 - an extra, and a third of a second
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - as above
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above
    except ImportError:
        report(f"{endpoint} is set, and OpenTelemetry is not installed: no traces. pip install pitfalls-tf[otel]")
        yield
        return
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        yield
        return
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": service}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        ending = threading.Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(FLUSH_SECONDS)
