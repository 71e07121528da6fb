"""Requests that are nearly right, for every dialect: a right one of each kind, damaged a little."""

from __future__ import annotations

import gzip
import struct
from typing import TYPE_CHECKING, Any, final

from serving.transport.http_request import HttpRequest
from tests.serving.fuzzing.mutations import STRANGE, damage_bytes, damage_value, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

ROWS: list[tuple[str, Any]] = [
    ("half_plus_two", {"instances": [1.0, 2.0, 5.0]}),
    ("half_plus_two", {"inputs": [[1.0, 2.0], [3.0, 4.0]]}),
    ("half_plus_two", {"instances": [{"x": 1.0}, {"x": 2}], "signature_name": "serving_default"}),
    ("named", {"instances": [{"ints": [1, 2], "name": "foo", "feat": [1.0, 0.5]}] * 2}),
    ("named", {"inputs": {"ints": [[1, 2]], "name": [{"b64": "YQ=="}], "feat": [[1.0, 0.5]]}}),
    ("named", {"inputs": {"a": [[1.0, 2.0]], "b": [[1.0, 2.0, 3.0]]}, "signature_name": "two_float"}),
    ("named", {"instances": [1.0, 1.0, 2.0], "signature_name": "scalar_out"}),
    ("named", {"instances": [1.0, 1.0, 2.0], "signature_name": "distinct"}),
    ("strs", {"instances": [{"b64": "/+A="}, "text", {"image_bytes": {"b64": "YQ=="}}]}),
    ("strs", {"inputs": ["a", "b"], "signature_name": "length"}),
    ("typed", {"instances": [1, 2], "signature_name": "int8"}),
    ("typed", {"inputs": [[True, False]], "signature_name": "bool"}),
    ("typed", {"inputs": [1, 18446744073709551615], "signature_name": "uint64"}),
    ("typed", {"inputs": [1.5, 1e300], "signature_name": "float64"}),
    ("typed", {"inputs": [1.5], "signature_name": "float16"}),
    ("dense4", {"instances": [[1.0, 2.0, 3.0, 4.0]]}),
]
EXAMPLES: list[tuple[str, Any]] = [
    ("classify", {"examples": [{"x": 1.0}, {"x": [2.0]}], "signature_name": "classify_x_to_y"}),
    ("regress", {"context": {"x": 4.0}, "examples": [{}, {"x": 8.0}], "signature_name": "regress_x_to_y"}),
    ("regress", {"examples": [{"x": 1.0, "s": {"b64": "YQ=="}, "i": [1, 2]}], "signature_name": "regress_x_to_y"}),
]
TENSORS: list[tuple[str, str, list[tuple[str, str, str, int]]]] = [
    # model, signature, and of each input: name, datatype, struct's letter, elements in a row
    ("half_plus_two", "serving_default", [("x", "FP32", "f", 2)]),
    ("named", "serving_default", [("ints", "INT32", "i", 2), ("name", "BYTES", "", 1), ("feat", "FP32", "f", 2)]),
    ("typed", "int8", [("x", "INT8", "b", 1)]),
    ("typed", "float16", [("x", "FP16", "e", 3)]),
    ("typed", "bool", [("x", "BOOL", "?", 1)]),
    ("typed", "uint64", [("x", "UINT64", "Q", 1)]),
    ("typed", "string", [("x", "BYTES", "", 1)]),
    ("strs", "serving_default", [("image_bytes", "BYTES", "", 1)]),
]
PAGES = [
    "/",
    "/v1/models/named",
    "/v1/models/named/metadata",
    "/v2",
    "/v2/health/ready",
    "/v2/models",
    "/v2/models/named",
    "/v2/models/named/ready",
    "/v2/repository/index",
    "/monitor/labels",
    "/monitoring/prometheus/metrics",
]
PATHS = ["", "/versions/1", "/versions/0", "/versions/9", "/labels/stable", "/versions/x"]
HEADERS = [
    (b"x-request-id", b"mine"),
    (b"x-request-id", b"\xff"),
    (b"x-event-time", b"2013-04-01T05:15:00Z"),
    (b"x-event-time", b"0001-01-01T00:00:00+23:59"),
    (b"x-event-time", b"9999-12-31T23:59:59-23:59"),
    (b"x-event-time", b"-99999999999"),
    (b"x-event-time", b"2013-W01-1T00:00:00+00:00:00.000001"),
    (b"content-encoding", b"gzip"),
    (b"content-encoding", b"deflate"),
    (b"accept", b"*/*"),
]


@final
class HttpInputs:
    """Requests to both HTTP dialects and the pages beside them."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._kinds: list[Callable[[], HttpRequest]] = [
            self._rows,
            self._rows,
            self._examples,
            self._infer,
            self._infer,
        ]

    def __iter__(self) -> Iterator[HttpRequest]:
        while True:
            yield (
                self._kinds[self._random.randrange(len(self._kinds))]()
                if self._random.random() > 0.05
                else self._page()
            )

    def _rows(self) -> HttpRequest:
        model, document = self._random.choice(ROWS)
        return self._post(f"/v1/models/{model}{self._version()}:predict", self._body(document))

    def _examples(self) -> HttpRequest:
        verb, document = self._random.choice(EXAMPLES)
        return self._post(f"/v1/models/half_plus_two{self._version()}:{verb}", self._body(document))

    def _infer(self) -> HttpRequest:
        random = self._random
        model, signature, tensors = random.choice(TENSORS)
        rows = random.randrange(3)
        inputs: list[dict[str, Any]] = []
        behind = b""
        for name, datatype, letter, width in tensors:
            shape = [rows] if width == 1 else [rows, width]
            one: dict[str, Any] = {"name": name, "datatype": datatype, "shape": shape}
            count = rows * width
            if random.random() < 0.6:
                content = struct.pack(f"<{count}{letter}", *([1] * count)) if letter else b"\x01\0\0\0a" * count
                one["parameters"] = {"binary_data_size": len(content)}
                behind += content
            else:
                element: Any = "a" if not letter else True if letter == "?" else 1
                one["data"] = [element] * count
            inputs.append(one)
        document: dict[str, Any] = {"inputs": inputs, "parameters": {"signature_name": signature}, "id": "1"}
        if random.random() < 0.5:
            document["parameters"]["binary_data_output"] = True
        if random.random() < 0.2:
            document["outputs"] = [{"name": "y", "parameters": {"binary_data": random.random() < 0.5}}]
        head = self._body(document)
        size = len(head) + (random.choice([0, 0, 0, 0, 0, -1, 1, 100, 2**40]))
        body = head + (behind if random.random() < 0.8 else damage_bytes(random, behind))
        headers = [(b"inference-header-content-length", str(size).encode())]
        return self._post(f"/v2/models/{model}{self._version()}/infer", body, headers)

    def _page(self) -> HttpRequest:
        random = self._random
        path = random.choice(PAGES)
        target = damage_bytes(random, path.encode()).decode("latin-1") if random.random() < 0.5 else path
        method = random.choice(["GET", "GET", "POST", "OPTIONS", "PUT", "HEAD"])
        return HttpRequest(method, target, self._headers(), write(random.choice(STRANGE)))

    def _version(self) -> str:
        return self._random.choice(PATHS) if self._random.random() < 0.1 else ""

    def _body(self, document: Any) -> bytes:
        random = self._random
        fate = random.random()
        if fate < 0.1:
            return write(document)
        body = write(damage_value(random, document, chance=random.choice([0.02, 0.1, 0.3])))
        return damage_bytes(random, body) if fate < 0.5 else body

    def _headers(self) -> list[tuple[bytes, bytes]]:
        return [self._random.choice(HEADERS)] if self._random.random() < 0.1 else []

    def _post(self, target: str, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> HttpRequest:
        added = self._headers()
        if (b"content-encoding", b"gzip") in added and self._random.random() < 0.8:
            body = gzip.compress(body, 1)
        return HttpRequest("POST", target, [*(headers or []), *added], body)


def wire(request: HttpRequest) -> bytes:
    """The request as it goes over a connection that ends with it."""
    head = b"%b %b HTTP/1.1\r\nhost: a\r\nconnection: close\r\n" % (
        request.method.encode(),
        request.target.encode("latin-1"),
    )
    lines = b"".join(b"%b: %b\r\n" % pair for pair in request.headers)
    return head + lines + b"content-length: %d\r\n\r\n" % len(request.body) + request.body
