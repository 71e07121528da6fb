"""Frames of HTTP/2 (RFC 9113) as bytes, and what ends a connection."""

from __future__ import annotations

import enum
import struct

#: What clients and servers call HTTP/2 when they agree on a protocol in the handshake of TLS (RFC 7301, RFC 9113).
ALPN = "h2"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9
#: The most bytes of a frame's payload, either way; nobody is told another.
PAYLOAD_BYTES = 16384
#: The first 16 bits of the length, the other 8, kind, flags, number of the stream.
HEAD = struct.Struct(">HBBBI")
NUMBER = 0x7FFFFFFF
#: The largest window, and the one with which streams and connections begin.
MAX_WINDOW, FIRST_WINDOW = (1 << 31) - 1, 65535

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, PRIORITIZED = 0x4, 0x8, 0x20
INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_CONCURRENT_STREAMS, MAX_HEADER_LIST_SIZE = 0x4, 0x5, 0x3, 0x6


class ErrorCode(enum.IntEnum):
    """Why a stream or a connection ends."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    FLOW_CONTROL_ERROR = 3
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    ENHANCE_YOUR_CALM = 11


class ConnectionFault(Exception):
    """What a client did for which its connection ends."""

    def __init__(self, code: ErrorCode, why: str) -> None:
        super().__init__(why)
        self.code = code


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Write a frame.

    >>> frame(PING, ACK, 0, bytes(8)).hex()
    '0000080601000000000000000000000000'

    Returns:
        Its bytes.
    """
    size = len(payload)
    return HEAD.pack(size >> 8, size & 0xFF, kind, flags, stream) + payload


def number_frame(kind: int, stream: int, number: int) -> bytes:
    """Write a frame whose payload is one number: RST_STREAM or WINDOW_UPDATE."""
    return frame(kind, 0, stream, number.to_bytes(4, "big"))


def settings_frame(settings: dict[int, int]) -> bytes:
    """Write a SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *one) for one in settings.items()))


def goaway_frame(last: int, code: ErrorCode, why: str = "") -> bytes:
    """Write a GOAWAY frame, given the last stream that is answered."""
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + why.encode())


def literal(name: bytes, value: bytes) -> bytes:
    """Write a header that goes into no table."""
    return b"\0" + _string(name) + _string(value)


def _string(text: bytes) -> bytes:
    size = len(text)
    if size < 127:
        return bytes((size,)) + text
    size -= 127
    head = bytearray(b"\x7f")
    while size > 127:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + text


def unpadded(flags: int, payload: bytes) -> bytes:
    """Remove the padding of DATA or HEADERS.

    Returns:
        The rest.

    Raises:
        ConnectionFault: The padding is longer than the frame.
    """
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "padding that is longer than its frame")
    return payload[1 : len(payload) - payload[0]]
