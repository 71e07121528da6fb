"""A request's span is a child of its caller's, and ends with the response."""

from __future__ import annotations

import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from serving.status import Code
from serving.transport.http_request import HttpRequest
from serving.transport.http_response import HttpResponse
from serving.transport.request_tracing import begin_call_span, traced

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is exported, of a provider for this test alone."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


def span_of(spans: InMemorySpanExporter, request: HttpRequest, status: int = 200) -> ReadableSpan:
    sent: list[HttpResponse] = []
    response = HttpResponse(status=status, body=b"")
    traced(request, sent.append)(response)
    assert sent == [response]
    (found,) = spans.get_finished_spans()
    return found


def test_the_span_is_in_the_trace_of_the_caller(spans: InMemorySpanExporter) -> None:
    request = HttpRequest("POST", "/v1/models/m:predict?key=hush", [(b"traceparent", PARENT)], b"")
    found = span_of(spans, request)
    assert found.parent is not None
    assert (f"{found.context.trace_id:032x}", f"{found.parent.span_id:016x}") == (
        "0af7651916cd43dd8448eb211c80319c",
        "b7ad6b7169203331",
    )
    assert found.name == "POST /v1"
    assert dict(found.attributes or {}) == {
        "http.request.method": "POST",
        "url.path": "/v1/models/m:predict",
        "http.response.status_code": 200,
    }


@pytest.mark.parametrize("header", [[], [(b"traceparent", b"\xff\xfe nonsense")]])
def test_without_a_valid_context_it_begins_a_trace(
    spans: InMemorySpanExporter, header: list[tuple[bytes, bytes]]
) -> None:
    found = span_of(spans, HttpRequest("GET", "/somewhere/else", header, b""), status=500)
    assert (found.parent, found.name, found.status.status_code) == (None, "GET", trace.StatusCode.ERROR)


def test_nothing_is_wrapped_where_nothing_is_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    sent: list[HttpResponse] = []
    reply = sent.append
    assert traced(HttpRequest("GET", "/v1", [], b""), reply) is reply


def test_a_call_of_grpc_is_in_the_trace_of_its_caller(spans: InMemorySpanExporter) -> None:
    metadata = [("traceparent", PARENT.decode()), ("authorization", "Bearer hush")]
    begin_call_span("tensorflow.serving.PredictionService", "Predict", metadata)(Code.UNAVAILABLE)
    (found,) = spans.get_finished_spans()
    assert found.parent is not None
    assert f"{found.parent.span_id:016x}" == "b7ad6b7169203331"
    assert (found.name, found.status.status_code) == (
        "tensorflow.serving.PredictionService/Predict",
        trace.StatusCode.ERROR,
    )
    assert dict(found.attributes or {}) == {
        "rpc.system": "grpc",
        "rpc.service": "tensorflow.serving.PredictionService",
        "rpc.method": "Predict",
        "rpc.grpc.status_code": 14,
    }
