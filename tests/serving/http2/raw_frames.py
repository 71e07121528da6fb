"""Frames of HTTP/2 written by hand, wrong ones too, and a client that sends them."""

from __future__ import annotations

import enum
import socket
import struct
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9
HEAD = struct.Struct(">HBBBI")
MAX_WINDOW, FIRST_WINDOW = (1 << 31) - 1, 65535
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, PRIORITIZED = 0x4, 0x8, 0x20
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = range(1, 6)


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


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Write a frame."""
    size = len(payload)
    return HEAD.pack(size >> 8, size & 0xFF, kind, flags, stream) + payload


def number_frame(kind: int, stream: int, number: int) -> bytes:
    """Write a frame whose payload is a number: RST_STREAM or WINDOW_UPDATE."""
    return frame(kind, 0, stream, number.to_bytes(4, "big"))


def setting(name: int, value: int) -> bytes:
    """Write a SETTINGS frame."""
    return frame(SETTINGS, 0, 0, struct.pack(">HI", name, value))


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


#: Of a call of ``/test.Echo/Echo``: POST, http, and what gRPC adds.
CALL_HEADERS = (
    b"\x83\x86"
    + literal(b":path", b"/test.Echo/Echo")
    + literal(b":authority", b"localhost")
    + literal(b"content-type", b"application/grpc")
    + literal(b"te", b"trailers")
)


def call(stream: int, message: bytes = b"hello", *, headers: bytes = CALL_HEADERS) -> bytes:
    """The frames of a call."""
    data = struct.pack(">?I", False, len(message)) + message
    return frame(HEADERS, END_HEADERS, stream, headers) + frame(DATA, END_STREAM, stream, data)


class RawClient:
    """A connection whose every frame is written by hand."""

    def __init__(self, port: int, *, preface: bytes = PREFACE + frame(SETTINGS, 0, 0)) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._rest = b""
        self.socket.sendall(preface)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        """Send frames; those that the server does not take any more are lost."""
        try:
            self.socket.sendall(b"".join(parts))
        except (BrokenPipeError, ConnectionResetError):
            return

    def frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Kind, flags, stream and payload of each frame that comes, until the server closes."""
        while True:
            while len(self._rest) >= HEAD_BYTES:
                high, low, kind, flags, number = HEAD.unpack_from(self._rest)
                end = HEAD_BYTES + (high << 8 | low)
                if len(self._rest) < end:
                    break
                payload, self._rest = self._rest[HEAD_BYTES:end], self._rest[end:]
                yield kind, flags, number, payload
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                return
            if not data:
                return
            self._rest += data

    def until(self, kind: int, *, flag: int = 0, stream: int | None = None) -> bytes:
        """The payload of the next frame of a kind; the frames before it are dropped."""
        for came, flags, number, payload in self.frames():
            if came == kind and flags & flag == flag and stream in {None, number}:
                return payload
        raise AssertionError(f"the server closed before a frame of kind {kind}")

    def goaway(self) -> int:
        """The code with which the server ends the connection."""
        code: int = struct.unpack(">II", self.until(GOAWAY)[:8])[1]
        return code

    def until_answer(self, stream: int) -> list[tuple[int, int, int, bytes]]:
        """All frames up to the last one of an answer."""
        frames = []
        for each in self.frames():
            frames.append(each)
            kind, flags, number, _ = each
            if number == stream and kind in {HEADERS, RST_STREAM} and flags & END_STREAM:
                return frames
        raise AssertionError("no answer")

    def answer(self, stream: int) -> bytes:
        """The message of the answer to a call."""
        parts = [payload for kind, _, number, payload in self.until_answer(stream) if (kind, number) == (DATA, stream)]
        return b"".join(parts)[5:]
