"""Absurd requests are the client's fault, whatever they hold: 4xx, and never a defect of the server's."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from tests.serving.conftest import Website

DIGITS = "9" * 5000
DEEP = "[" * 40_000
PREDICT, INFER = "/v1/models/half_plus_two:predict", "/v2/models/half_plus_two/infer"
BINARY_SIZE = f'{{"binary_data_size": {DIGITS}}}'
FEW_DEEP = "[" * 100 + "1" + "]" * 100
BODIES = {
    "columns that are nested deep": (PREDICT, f'{{"inputs": {DEEP}'),
    "columns that are nested deep and end": (PREDICT, f'{{"inputs": {DEEP}1{"]" * 40_000}}}'),
    "rows that are nested deep": (PREDICT, f'{{"instances": {DEEP}1{"]" * 40_000}}}'),
    "rows of 100 dimensions": (PREDICT, f'{{"instances": [{FEW_DEEP}]}}'),
    "columns of 100 dimensions": (PREDICT, f'{{"inputs": {FEW_DEEP}}}'),
    "objects that are nested deep": (PREDICT, '{"inputs": ' + '{"x": ' * 30_000),
    "a number of many digits": (PREDICT, f'{{"instances": [{DIGITS}]}}'),
    "a negative one": (PREDICT, f'{{"instances": [-{DIGITS}]}}'),
    "one with a point": (PREDICT, f'{{"instances": [0.{DIGITS}, {DIGITS}.0]}}'),
    "an exponent of many digits": (PREDICT, f'{{"instances": [1e{DIGITS}]}}'),
    "NaN beside a number of many digits": (PREDICT, f'{{"instances": [NaN, {DIGITS}]}}'),
    "an example with a number of many digits": (
        "/v1/models/half_plus_two:regress",
        f'{{"examples": [{{"x": {DIGITS}}}]}}',
    ),
    "v2: data that is nested deep": (
        INFER,
        f'{{"inputs": [{{"name": "x", "shape": [1], "datatype": "FP32", "data": {DEEP}1{"]" * 40_000}}}]}}',
    ),
    "v2: data of 100 dimensions": (
        INFER,
        f'{{"inputs": [{{"name": "x", "shape": [1], "datatype": "FP32", "data": [{FEW_DEEP}]}}]}}',
    ),
    "v2: a number of many digits": (
        INFER,
        f'{{"inputs": [{{"name": "x", "shape": [1], "datatype": "FP32", "data": [{DIGITS}]}}]}}',
    ),
    "v2: an integer of many digits": (
        INFER,
        f'{{"inputs": [{{"name": "x", "shape": [1], "datatype": "INT64", "data": [{DIGITS}]}}]}}',
    ),
    "v2: a shape of many digits": (
        INFER,
        f'{{"inputs": [{{"name": "x", "shape": [{DIGITS}], "datatype": "FP32", "data": [1]}}]}}',
    ),
    "v2: a timeout of many digits": (INFER, f'{{"parameters": {{"timeout": {DIGITS}}}, "inputs": []}}'),
    "v2: raw bytes of many digits": (
        INFER,
        f'{{"inputs": [{{"name": "x", "shape": [1], "datatype": "FP32", "parameters": {BINARY_SIZE}}}]}}',
    ),
    "the index, nested deep": ("/v2/repository/index", DEEP),
}
VALUES = {
    "many digits": DIGITS,
    "a negative number of many digits": f"-{DIGITS}",
    "a fraction of many digits": f"0.{DIGITS}",
    "the last year": "9999-12-31T23:59:59-23:59",
    "the first year": "0001-01-01T00:00:00+23:59",
    "an offset of many digits": f"2020-01-01T00:00:00+{DIGITS}",
    "an exponent": "1e999",
    "not a number": "nan",
    "infinity": "-inf",
    "other digits": "\u0661\u0662",
}
PATHS = {
    "a version of many digits": f"/v1/models/half_plus_two/versions/{DIGITS}:predict",
    "a version's status": f"/v1/models/half_plus_two/versions/{DIGITS}",
    "a negative version": "/v1/models/half_plus_two/versions/-1",
    "v2: a version of many digits": f"/v2/models/half_plus_two/versions/{DIGITS}/infer",
    "v2: a version's metadata": f"/v2/models/half_plus_two/versions/{DIGITS}",
    "v2: a version's statistics": f"/v2/models/half_plus_two/versions/{DIGITS}/stats",
}


@pytest.fixture(autouse=True)
def no_defects(caplog: pytest.LogCaptureFixture) -> object:
    """Fails a test in which a defect was logged."""
    caplog.set_level(logging.ERROR)
    yield None
    assert "defect" not in caplog.text


@pytest.mark.parametrize("what", BODIES)
def test_bodies(website: Website, what: str) -> None:
    path, body = BODIES[what]
    reply = website.send("POST", path, body.encode())
    assert 400 <= reply.status < 500, reply


@pytest.mark.parametrize("header", ["X-Event-Time", "Inference-Header-Content-Length"])
@pytest.mark.parametrize("what", VALUES)
def test_headers(website: Website, header: str, what: str) -> None:
    path = PREDICT if header == "X-Event-Time" else INFER
    value = VALUES[what].encode("utf-8").decode("latin-1")
    reply = website.send("POST", path, b'{"instances": [1.0]}', {header: value})
    # A time that can be read is answered, and its row goes into quarantine.
    assert 400 <= reply.status < 500 or (reply.status == 200 and header == "X-Event-Time"), reply


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("what", PATHS)
def test_paths(website: Website, what: str, method: str) -> None:
    reply = website.send(method, PATHS[what], b'{"instances": [1.0]}' if method == "POST" else b"")
    assert 400 <= reply.status < 500, reply


@pytest.mark.parametrize("headers", [b"", b"Content-Length: 20\r\n", b"X: y\r\n" * 50])
def test_a_first_request_without_a_host_is_refused(website: Website, headers: bytes) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(website.url).port or 0), timeout=30) as connection:
        connection.sendall(b"GET /v2/health/live HTTP/1.1\r\n" + headers + b"\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
