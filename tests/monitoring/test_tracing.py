"""Spans reach a collector over HTTP as OpenTelemetry's own messages; a dead one costs a bounded time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from monitoring.tracing import ENDPOINTS, FLUSH_SECONDS, exporting, span

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = """
import sys
from monitoring.tracing import exporting, span
with exporting("checked", lambda line: print(line)):
    with exporting("nested", print), span("run", config="a"):
        with span("window", start="2024-01-01"):
            pass
"""


class Collector(BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    received: list[ExportTraceServiceRequest]

    def do_POST(self) -> None:
        message = ExportTraceServiceRequest()
        message.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
        self.received.append(message)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """A collector's URL, and what it was sent."""
    received: list[ExportTraceServiceRequest] = []
    handler = type("Mine", (Collector,), {"received": received})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()
        thread.join()


def run(endpoint: str, program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True, timeout=60
    )


def test_spans_reach_the_collector_with_their_parents(collector: tuple[str, list[ExportTraceServiceRequest]]) -> None:
    url, received = collector
    assert run(url).stdout == ""
    (resource,) = (one for message in received for one in message.resource_spans)
    names = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert names["service.name"] == "checked"
    spans = {one.name: one for scope in resource.scope_spans for one in scope.spans}
    assert spans["window"].parent_span_id == spans["run"].span_id
    assert {one.key: one.value.string_value for one in spans["run"].attributes} == {"pitfalls.config": "a"}


def test_a_dead_collector_does_not_hold_the_end_of_a_process() -> None:
    began = time.monotonic()
    run("http://127.0.0.1:9")
    assert time.monotonic() - began < FLUSH_SECONDS + 20  # a start on a busy machine


def test_without_the_libraries_a_line_says_so(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    lines: list[str] = []
    with exporting("a", lines.append):
        pass
    assert [line.partition(":")[0] for line in lines] == [
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed"
    ]


def test_without_an_endpoint_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    program = f"{PROGRAM}\nassert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    run("", program)


def test_an_exception_passes_through_a_span() -> None:
    with pytest.raises(KeyError), span("a"):
        raise KeyError("b")
