"""Responses: heads, statuses and errors."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.status import Code, Failure
from serving.transport.http_response import error_response, write_error


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
