"""HTTP responses: their head on the wire, and those to requests that fail."""

from __future__ import annotations

import http
from typing import NamedTuple

from serving.status import Code, Failure, NoRoom
from serving.transport.json_quoting import quote_string

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"

# ToHTTPStatusCode in TensorFlow Serving's model_servers/http_server.cc; what is not here is 500.
HTTP_STATUS = {
    Code.OK: 200,
    Code.INVALID_ARGUMENT: 400,
    Code.FAILED_PRECONDITION: 400,
    Code.OUT_OF_RANGE: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.ABORTED: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.CANCELLED: 499,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
}


STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in http.HTTPStatus} | {
    499: b"HTTP/1.1 499 Client Closed Request\r\n"
}


class HttpResponse(NamedTuple):
    """Status, body, content type and further headers; a named tuple for its cost, as a request is."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


NOSNIFF = b"x-content-type-options: nosniff\r\n"
FULL_TEXT = "The server has as many connections or bodies as it can hold."


def write_head(response: HttpResponse, *, keep: bool, more: bytes = b"") -> bytes:
    """Write the status line and headers of a response. Returns the bytes before the body."""
    head = b"%bcontent-type: %b\r\ncontent-length: %d\r\n" % (
        STATUS_LINES[response.status],
        response.content_type,
        len(response.body),
    )
    if response.status >= 400:
        head += NOSNIFF  # an error may quote what was sent
    for name, value in response.headers:
        if name != b"connection":
            head += b"%b: %b\r\n" % (name, value)
    head += more
    return head + (b"\r\n" if keep else b"connection: close\r\n\r\n")


def write_error(message: str) -> bytes:
    r"""Write the body of an error.

    >>> write_error("Missing model name in request.")
    b'{\n    "error": "Missing model name in request."\n}'
    """
    return f'{{\n    "error": {quote_string(message)}\n}}'.encode("utf-8", "replace")


def too_large(limit: int, why: str = "") -> HttpResponse:
    """The response to a body of more than ``limit`` bytes, or for another reason; the connection ends with it."""
    message = why or f"The body is larger than the {limit} bytes that this server takes."
    return HttpResponse(status=413, body=write_error(message), headers=((b"connection", b"close"),))


def error_response(failure: Failure, headers: tuple[tuple[bytes, bytes], ...] = ()) -> HttpResponse:
    """Make the response to a request that failed.

    >>> from serving.status import InvalidArgument
    >>> error_response(InvalidArgument("no")).status
    400
    """
    status = 503 if isinstance(failure, NoRoom) else HTTP_STATUS.get(failure.code, 500)
    return HttpResponse(status=status, body=write_error(failure.message), headers=headers)


TOO_MANY = HttpResponse(429, write_error("This client has as many requests being answered as it may."))
