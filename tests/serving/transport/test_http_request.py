"""Requests: their headers, and targets of every form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.transport.http_request import ENTRIES, LONGEST, HttpRequest, bounded_cache, target_of


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


class Counted:
    """Counts its calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, method: str, text: str) -> int:
        """Doc."""
        self.calls.append(text)
        if not text:
            raise ValueError(method)
        return len(text)


def test_a_short_text_is_looked_up_once() -> None:
    counted = Counted()
    cached = bounded_cache(counted)
    assert [cached("GET", "a" * LONGEST) for _ in range(3)] == [LONGEST] * 3
    assert len(counted.calls) == 1


def test_a_long_text_is_not_kept() -> None:
    counted = Counted()
    cached = bounded_cache(counted)
    assert [cached("GET", "a" * (LONGEST + 1)) for _ in range(2)] == [LONGEST + 1] * 2
    assert len(counted.calls) == 2


def test_every_argument_belongs_to_the_key() -> None:
    counted = Counted()
    cached = bounded_cache(counted)
    for method in ("GET", "POST", "GET"):
        cached(method, "a")
    assert len(counted.calls) == 2


def test_the_number_of_entries_is_bounded() -> None:
    counted = Counted()
    cached = bounded_cache(counted)
    for number in range(ENTRIES + 1):
        cached("GET", f"{number}")
    cached("GET", "0")
    assert len(counted.calls) == ENTRIES + 2, "a full cache is emptied"


def test_errors_are_raised_and_not_kept() -> None:
    counted = Counted()
    cached = bounded_cache(counted)
    for _ in range(2):
        with pytest.raises(ValueError, match="GET"):
            cached("GET", "")
    assert len(counted.calls) == 2


def test_the_function_keeps_its_name() -> None:
    def measure(text: str) -> int:
        """Doc."""
        return len(text)

    assert (bounded_cache(measure).__name__, bounded_cache(measure).__doc__) == ("measure", "Doc.")
