"""Responses: heads, statuses and errors."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.status import Code, Failure
from serving.transport.http_response import TEXT, HttpResponse, error_response, too_large, write_error, write_head


@given(message=st.text())
def test_an_error_is_one_string(message: str) -> None:
    document = json.loads(write_error(message))
    assert document == {"error": message.encode("utf-8", "replace").decode()}


# Section 1.2.
HTTP = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}


@pytest.mark.parametrize("code", [code for code in Code if code.name != "OK"], ids=lambda code: code.name)
def test_statuses(code: Code) -> None:
    text = "x" * 3000
    response = error_response(Failure(code, text))
    assert response.status == HTTP[code.name]
    assert response.body == b'{\n    "error": "%s"\n}' % text.encode(), "whole, however long"


@pytest.mark.parametrize("keep", [True, False])
def test_a_head_has_type_length_and_headers_and_says_whether_the_connection_stays(*, keep: bool) -> None:
    response = HttpResponse(404, b"none", TEXT, ((b"x-request-id", b"r"), (b"connection", b"close")))
    head = write_head(response, keep=keep, more=b"a: b\r\n")
    assert head == (
        b"HTTP/1.1 404 Not Found\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 4\r\n"
        b"x-content-type-options: nosniff\r\n"
        b"x-request-id: r\r\na: b\r\n" + (b"" if keep else b"connection: close\r\n") + b"\r\n"
    )


def test_a_status_beyond_the_standard_has_a_line_too() -> None:
    assert write_head(HttpResponse(499, b""), keep=True).startswith(b"HTTP/1.1 499 Client Closed Request\r\n")


def test_too_large_a_body_is_refused_with_the_limit_and_ends_the_connection() -> None:
    response = too_large(4096)
    assert (response.status, response.headers) == (413, ((b"connection", b"close"),))
    assert json.loads(response.body)["error"] == "The body is larger than the 4096 bytes that this server takes."
