"""Bodies are inflated within their bound."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.serving.conftest import Website

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
