"""Bodies are inflated within their bound."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.transport.bodies import BodyLimits, BodyTooLarge, inflate, inflate_within, parsed_bytes, read_body
from serving.transport.http_request import HttpRequest

if TYPE_CHECKING:
    from tests.serving.conftest import Website

PREDICT = "/v1/models/half_plus_two:predict"
ROW = b'{"instances": [1]}'


def test_gzip_that_cannot_be_inflated_counts_as_empty(website: Website) -> None:
    for body in (b"no gzip", gzip.compress(b'{"instances": [1.0]}')[:-4]):
        reply = website.send("POST", "/v1/models/half_plus_two:predict", body, {"Content-Encoding": "gzip"})
        assert (reply.status, reply.error) == (400, "JSON Parse error: The document is empty")


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate, gzip"])
def test_bodies_are_inflated_and_answers_are_not_compressed(website: Website, coding: str) -> None:
    headers = {"Content-Encoding": coding, "Accept-Encoding": "gzip", "Content-Type": "text/xml"}
    reply = website.send("POST", PREDICT, gzip.compress(ROW), headers)
    assert (reply.status, reply.json, "content-encoding" in reply.headers) == (200, {"predictions": [2.5]}, False)


def request(body: bytes, coding: bytes = b"") -> HttpRequest:
    headers = [(b"host", b"a")] + ([(b"content-encoding", coding)] if coding else [])
    return HttpRequest("POST", "/", headers, body)


@given(st.binary(max_size=300), st.integers(1, 400))
def test_a_body_is_inflated_whole_or_refused_for_its_size(content: bytes, limit: int) -> None:
    packed = gzip.compress(content)
    if len(content) > limit:
        with pytest.raises(BodyTooLarge):
            inflate(packed, limit)
    elif len(content) < limit:
        assert inflate(packed, limit) == content


@given(st.binary(max_size=100), st.integers(0, 120))
def test_an_incomplete_body_is_empty(content: bytes, cut: int) -> None:
    packed = gzip.compress(content)
    assert inflate(packed[: min(cut, len(packed) - 1)], 10_000) == b""


def test_a_small_body_that_inflates_to_gigabytes_is_stopped_at_the_limit() -> None:
    bomb = zlib.compressobj(wbits=31)
    packed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(64)) + bomb.flush()
    assert len(packed) < 100_000
    with pytest.raises(BodyTooLarge):
        read_body(request(packed, b"gzip"), BodyLimits(size=1 << 20, inflation=0))


def test_deflate_is_inflated_only_where_the_dialect_has_it() -> None:
    packed = zlib.compress(b"{}")
    limits = BodyLimits(size=100)
    assert read_body(request(packed, b"deflate"), limits, zlib_too=True) == b"{}"
    assert read_body(request(packed, b"deflate"), limits) == packed
    assert read_body(request(b"{}"), limits) == b"{}"
    assert read_body(request(b"{}", b"identity"), limits) == b"{}"


def test_a_compressed_body_costs_what_it_is_after_inflating() -> None:
    zeros = gzip.compress(b'{"instances": ["' + bytes(3 << 20) + b'"]}')
    assert len(zeros) < 4000
    with pytest.raises(BodyTooLarge):
        inflate_within(zeros, BodyLimits())
    assert len(inflate_within(zeros, BodyLimits(inflation=0))) > 3 << 20
    for many in (b"0," * 1_100_000, b"{}," * 350_000):
        padded = many + random.Random(0).randbytes(80_000)  # noqa: S311 - so that it does not inflate too far
        with pytest.raises(BodyTooLarge):
            inflate_within(gzip.compress(padded), BodyLimits())
    numbers = b",".join(b"%.6f" % number for number in range(30_000))
    assert inflate_within(gzip.compress(numbers), BodyLimits()) == numbers


def test_padded_tokens_pass_however_well_they_are_compressed() -> None:
    row = b"[" + b",".join([b"101", b"2023", b"102"] + [b"0"] * 509) + b"]"
    body = b'{"instances":[' + b",".join([row] * 64) + b"]}"
    packed = gzip.compress(body)
    assert len(body) > 32 * len(packed)
    assert inflate_within(packed, BodyLimits()) == body


@pytest.mark.parametrize(
    "value", ["7", "70000", "0.12345", "[]", "[[1.5]]", '{"x":1}', '"abc"', '{"b64":"AA=="}', "null", '"\u00e9"']
)
def test_a_parsed_body_is_counted_for_about_what_it_takes(value: str) -> None:
    body = b"[" + b",".join([value.encode()] * 20_000) + b"]"
    tracemalloc.start()
    document = orjson.loads(body)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(document) == 20_000
    assert 0.85 * taken < parsed_bytes(body) < 4.1 * taken
