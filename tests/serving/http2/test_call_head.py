"""What the headers of a call say."""

from __future__ import annotations

import pytest

from serving.http2.call_head import read_head, read_timeout

CALL = ((b":method", b"POST"), (b":path", b"/a.B/C"), (b"content-type", b"application/grpc+proto"))


def test_path_deadline_and_metadata_are_read() -> None:
    head = read_head(
        (*CALL, (b"te", b"trailers"), (b"grpc-timeout", b"250m"), (b"x-name", b"caf\xe9"), (b"x-bin", b"AAE"))
    )
    assert (head.path, head.timeout_s, head.fault) == ("/a.B/C", 0.25, "")
    assert head.metadata == (("x-name", "caf\xe9"), ("x-bin", b"\x00\x01"))


@pytest.mark.parametrize(
    "headers",
    [
        (),
        CALL[1:],
        CALL[:2],
        (CALL[0], CALL[1], (b"content-type", b"text/plain")),
        (*CALL, (b"x", b"1"), (b":authority", b"late")),
        (*CALL, (b"X", b"1")),
        (*CALL, (b"", b"1")),
        (*CALL, (b"grpc-timeout", b"soon")),
    ],
)
def test_what_is_no_call_is_refused(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    assert read_head(headers).fault


@pytest.mark.parametrize(
    ("text", "seconds"), [("2H", 7200), ("3M", 180), ("99999999S", 99999999), ("5m", 5e-3), ("6u", 6e-6), ("7n", 7e-9)]
)
def test_timeouts_have_every_unit(text: str, seconds: float) -> None:
    assert read_timeout(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "S", "1", "-1S", "1.5S", "123456789S", "1h", "\u0661S"])
def test_other_timeouts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="grpc-timeout"):
        read_timeout(text)
