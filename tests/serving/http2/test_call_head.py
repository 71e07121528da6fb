"""What the headers of a call say."""

from __future__ import annotations

import pytest

from serving.http2.call_head import HeadReader, is_malformed, read_timeout

BASE = ((b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"x"), (b":path", b"/a.B/C"))
CALL = (*BASE, (b"content-type", b"application/grpc+proto"))


def new_reader() -> HeadReader[str]:
    return HeadReader({"/a.B/C": "what handles it"})


def test_path_deadline_and_metadata_are_read() -> None:
    headers = (*CALL, (b"te", b"trailers"), (b"grpc-timeout", b"250m"), (b"x-name", b"caf\xe9"), (b"x-bin", b"AAE"))
    head = new_reader().read(headers)
    assert head is not None
    assert (head.path, head.timeout_s, head.encoding, head.fault) == ("/a.B/C", 0.25, "identity", "")
    assert head.metadata == ((b"x-name", b"caf\xe9"), (b"x-bin", b"AAE"))


def test_what_is_repeated_is_read_once_and_what_is_not_is_added() -> None:
    reader = new_reader()
    first = reader.read((*CALL, (b"grpc-timeout", b"1S"), (b"x-request-id", b"1")))
    other = reader.read((*CALL, (b"grpc-timeout", b"2S"), (b"x-request-id", b"2")))
    assert first is not None
    assert other is not None
    assert (first.timeout_s, first.metadata) == (1.0, ((b"x-request-id", b"1"),))
    assert (other.timeout_s, other.metadata) == (2.0, ((b"x-request-id", b"2"),))
    assert reader.read(CALL) is reader.read((*CALL[:1], *CALL[1:]))


@pytest.mark.parametrize(
    "headers",
    [
        BASE,
        (*BASE, (b"content-type", b"text/plain")),
        ((b":method", b"GET"), *CALL[1:]),
        (*CALL, (b"grpc-timeout", b"soon")),
    ],
)
def test_what_is_no_call_is_refused(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    head = new_reader().read(headers)
    assert head is not None
    assert head.fault


@pytest.mark.parametrize(
    "more",
    [
        (b"X", b"1"),
        (b"", b"1"),
        (b":authority", b"late"),
        (b"connection", b"close"),
        (b"te", b"gzip"),
        (b"x-request-id", b"a\rb"),
        (b"x-request-id", b" a"),
        (b"traceparent", b"a\0"),
    ],
)
def test_headers_that_break_the_rules_of_http2_have_no_head(more: tuple[bytes, bytes]) -> None:
    reader = new_reader()
    assert reader.read((*CALL, more)) is None
    assert reader.read((*CALL, more)) is None
    assert reader.read(CALL) is not None


def test_trailers_have_no_pseudo_headers() -> None:
    assert not is_malformed(((b"x-check", b"1"),), are_trailers=True)
    assert is_malformed(((b":path", b"/"),), are_trailers=True)


@pytest.mark.parametrize(
    ("text", "seconds"), [("2H", 7200), ("3M", 180), ("99999999S", 99999999), ("5m", 5e-3), ("6u", 6e-6), ("7n", 7e-9)]
)
def test_timeouts_have_every_unit(text: str, seconds: float) -> None:
    assert read_timeout(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "S", "1", "-1S", "1.5S", "123456789S", "1h", "\u0661S"])
def test_other_timeouts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="grpc-timeout"):
        read_timeout(text)
