"""Frames as bytes."""

from __future__ import annotations

import pytest

from serving.http2 import frames
from serving.http2.frames import (
    ConnectionFault,
    ErrorCode,
    goaway_frame,
    literal,
    number_frame,
    settings_frame,
    unpadded,
)
from serving.http2.header_decoder import HeaderDecoder


def test_frames_are_written() -> None:
    assert number_frame(frames.RST_STREAM, 5, 8).hex() == "00000403000000000500000008"
    assert settings_frame({3: 100, 4: 65536}).hex() == "00000c0400000000000003000000640004" + "00010000"
    assert goaway_frame(7, ErrorCode.NO_ERROR, "bye").hex() == "00000b07000000000000000007" + "00000000" + b"bye".hex()


@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 254, 255, 16000])
def test_long_values_are_written_with_their_length(size: int) -> None:
    assert HeaderDecoder(list).decode(literal(b"n", b"v" * size)) == [(b"n", b"v" * size)]


def test_padding_is_removed() -> None:
    assert unpadded(0, b"\x01ab") == b"\x01ab"
    assert unpadded(frames.PADDED, b"\x02abxx") == b"ab"
    for payload in (b"", b"\x04abc"):
        with pytest.raises(ConnectionFault):
            unpadded(frames.PADDED, payload)
