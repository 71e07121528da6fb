"""A request's span is a child of its caller's, and ends with the response."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from serving.metrics.metrics import REQUEST_COUNT, REQUEST_LATENCY, ServerMetrics, TrafficCounts
from serving.status import Code, Failure, InvalidArgument
from serving.transport.http_request import HttpRequest
from serving.transport.http_response import HttpResponse
from serving.transport.request_tracing import RequestMetrics, begin_call_span, traced

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.models.versions import Models
    from serving.transport.request_tracing import Done

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


OK = HttpResponse(200, b"{}")


def measured(models: Models, start: Callable[[Done], None], model: str) -> tuple[HttpResponse, list[str]]:
    """The response, and the samples of requests on the page."""
    metrics = ServerMetrics()
    replies: list[HttpResponse] = []
    RequestMetrics(models=models, metrics=metrics).measure(start, model=model, verb="predict", reply=replies.append)
    lines = metrics.page(TrafficCounts()).splitlines()
    wanted = (f"{REQUEST_COUNT}{{", f"{REQUEST_LATENCY}_count{{")
    (reply,) = replies
    return reply, [line for line in lines if line.startswith(wanted)]


def test_a_response_counts_as_ok_with_its_latency(models: Models) -> None:
    reply, lines = measured(models, lambda done: done(OK), "half_plus_two")
    assert reply == OK
    assert lines == [
        f'{REQUEST_COUNT}{{model_name="half_plus_two",status="OK"}} 1',
        f'{REQUEST_LATENCY}_count{{model_name="half_plus_two",API="predict",entrypoint="REST"}} 1',
    ]


@pytest.mark.parametrize("is_raised", [True, False])
def test_a_failure_counts_under_its_code_raised_or_told_later(models: Models, *, is_raised: bool) -> None:
    failure = Failure(Code.UNAVAILABLE, "full")

    def start(done: Done) -> None:
        if is_raised:
            raise failure
        done(failure)

    reply, lines = measured(models, start, "half_plus_two")
    assert (reply.status, reply.body) == (503, b'{\n    "error": "full"\n}')
    assert lines == [f'{REQUEST_COUNT}{{model_name="half_plus_two",status="UNAVAILABLE"}} 1']


def test_unknown_models_have_no_label_of_their_own(models: Models) -> None:
    def start(_: Done) -> None:
        raise InvalidArgument("wrong")

    _, lines = measured(models, start, "made up by a client")
    assert lines == [f'{REQUEST_COUNT}{{model_name="",status="INVALID_ARGUMENT"}} 1']


def test_a_defect_is_internal_to_the_client_and_a_traceback_to_the_operator(
    models: Models, caplog: pytest.LogCaptureFixture
) -> None:
    def start(_: Done) -> None:
        raise ZeroDivisionError("secret")

    with caplog.at_level(logging.ERROR):
        reply, lines = measured(models, start, "half_plus_two")
    assert (reply.status, b"secret" in reply.body, b"ZeroDivisionError" in reply.body) == (500, False, True)
    assert lines == [f'{REQUEST_COUNT}{{model_name="half_plus_two",status="INTERNAL"}} 1']
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
