"""Requests: their headers, and targets of every form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.transport.http_request import HttpRequest, target_of


def test_the_first_header_of_a_name_counts() -> None:
    request = HttpRequest("GET", "/", [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")], b"")
    assert [request.header(name) for name in (b"a", b"b", b"c", b"A")] == [b"1", b"2", b"", b""]


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (b"/v1/models/m", "/v1/models/m"),
        (b"/v1?a=1&b=%20", "/v1?a=1&b=%20"),
        (b"/v1#top", "/v1"),
        (b"http://host/v1?a", "/v1?a"),
        (b"HTTPS://host:443/v1", "/v1"),
        (b"http://host", "/"),
        (b"http://host?a=1", "?a=1"),
        (b"*", "*"),
        (b"", ""),
        (b"/\xff", "/\xff"),
    ],
)
def test_a_target_is_path_and_query(url: bytes, target: str) -> None:
    assert target_of(url) == target


@given(st.binary(max_size=30).filter(lambda path: b"#" not in path))
def test_every_byte_of_a_path_is_a_character(path: bytes) -> None:
    assert target_of(b"/" + path).encode("latin-1") == b"/" + path
