"""`serving.Client` asks a real server, by REST and by gRPC."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.log.log import TrafficLog
from serving import Client

if TYPE_CHECKING:
    from serving import Server

ROWS = {"km": [1.5, 2.5], "items": [3, 4], "vehicle": ["bike", "Größe"]}


@pytest.fixture(params=["rest", "grpc"])
def client(server: Server, request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client of each transport."""
    with server.client() as asking:
        if request.param == "rest":
            asking._grpc = None
        yield asking


def test_arrays_go_in_and_come_out_with_the_models_types(client: Client) -> None:
    outputs = client.predict("trips", ROWS).outputs
    assert outputs["minutes"].dtype == np.float32
    assert outputs["minutes"].tolist() == [6.0, 9.0]
    assert outputs["twice"].dtype == np.int64
    assert outputs["who"].tolist() == ["bike!", "Größe!"]
    only = client.predict("trips", np.ones((3, 2)), signature="sums", version=1)
    assert only.output.tolist() == [2.0, 2.0, 2.0]
    assert (only.version, len(only.ids)) == (1, 3)
    missing = client.predict("trips", ROWS | {"km": [None, float("inf")]}).outputs["minutes"]
    assert np.isnan(missing[0])
    assert np.isinf(missing[1])


def test_ids_event_times_and_labels_reach_the_log(client: Client, traffic: Path) -> None:
    event_time = (datetime.now(UTC) - timedelta(days=2)).replace(microsecond=250_000)
    name = "grpc-order" if client._grpc else "rest-order"
    prediction = client.predict("trips", ROWS, request_id=name, event_time=event_time)
    assert prediction.ids == (f"{name}:0", f"{name}:1")
    rows = TrafficLog(traffic).read(model="trips", version=1, start=event_time, end=event_time + timedelta(seconds=1))
    logged = {row["prediction_id"]: row["event_time"] for row in rows.to_pylist()}
    assert logged[f"{name}:1"] == event_time
    assert client.send_labels(prediction.ids, np.array([7.5, 8.0]), times=event_time, model="trips") == 2
    made_by_the_server = client.predict("trips", ROWS).ids
    assert len(set(made_by_the_server)) == 2
    assert client.send_labels(made_by_the_server, {"minutes": [1.0, 2.0], "who": ["a", "b"]}) == 2


def test_a_request_that_cannot_be_right_is_refused_before_or_by_the_server(client: Client) -> None:
    with pytest.raises(BadInput, match=r"Got km, items; expected .*vehicle"):
        client.predict("trips", {"km": [1.0], "items": [1]})
    with pytest.raises(BadInput, match=r"values of items are not of the model's type\. Got \[1\.5\]"):
        client.predict("trips", ROWS | {"items": [1.5]})
    with pytest.raises(BadInput, match="7 is no text"):
        client.predict("trips", ROWS | {"vehicle": ["bike", 7]})
    with pytest.raises(BadInput, match="several inputs"):
        client.predict("trips", [1.0])
    with pytest.raises(BadInput, match="no such signature"):
        client.predict("trips", ROWS, signature="none")
    with pytest.raises(BadInput, match="404"):
        client.predict("others", ROWS)
    with pytest.raises(BadInput, match=r"INVALID_ARGUMENT|400"):
        client.predict("trips", ROWS | {"km": [1.0, 2.0, 3.0]})
    with pytest.raises(BadInput, match="several outputs"):
        _ = client.predict("trips", ROWS).output
    with pytest.raises(BadInput, match="1 ids, 2 labels"):
        client.send_labels(["a:0"], [1, 2])
    with pytest.raises(BadInput, match="no offset"):
        client.send_labels(["a:0"], [1], times=datetime(2026, 1, 1))  # noqa: DTZ001 - the point


def test_labels_need_a_token(server: Server) -> None:
    with Client(server.url) as client, pytest.raises(BadInput, match=r"401|403"):
        client.send_labels(["a:0"], [1])


def test_what_is_no_server_is_one_error() -> None:
    with Client("http://127.0.0.1:9", timeout=2.0) as client, pytest.raises(CannotRun, match="did not answer"):
        client.predict("trips", ROWS)
    with pytest.raises(BadInput, match="no address of a server"):
        Client("127.0.0.1:8501")
    with pytest.raises(BadInput, match="certificates cannot be read"):
        Client("https://127.0.0.1:8501", ca_file="/none.pem")


def test_tensorflow_is_not_imported() -> None:
    code = (
        "import sys, serving; serving.Client('http://127.0.0.1:9', grpc='127.0.0.1:9').close(); "
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["", "two words", "Größe", "a\nb", "x" * 129])
def test_an_id_that_no_header_can_hold_is_refused_before_anything_is_sent(name: str) -> None:
    metadata: dict[str, Any] = {
        "metadata": {"signature_def": {"signature_def": {"serving_default": {"inputs": {}, "outputs": {}}}}}
    }
    with answering(json.dumps(metadata).encode()) as (url, asked), Client(url) as client:
        with pytest.raises(BadInput, match="no id of a request"):
            client.predict("trips", {}, request_id=name)
        assert [path for path in asked if path.endswith(":predict")] == []


@pytest.mark.parametrize("answer", [b"<html>busy</html>", b"[]", b'{"status": "ok"}', b'{"metadata": 3}', b"\xff\xfe"])
def test_the_answer_of_another_server_is_an_error_that_says_so(answer: bytes) -> None:
    with answering(answer) as (url, _), Client(url) as client:
        with pytest.raises(CannotRun, match="not that of a model server"):
            client.predict("trips", ROWS)
        with pytest.raises(CannotRun, match="not that of a model server"):
            client.send_labels(["a:0"], [1])


@contextmanager
def answering(body: bytes) -> Iterator[tuple[str, list[str]]]:
    """A server that gives each request the same answer, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that the library calls
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that the library calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()
