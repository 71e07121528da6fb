"""The cases of h2spec (generic, HTTP/2 and HPACK), written out: what a server must answer, end, or ignore.

Sections are those of RFC 9113 and RFC 7541. As in h2spec, a server may end the connection where it must end a stream.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.serving.http2.raw_frames import (
    ACK,
    CALL_HEADERS,
    CONTINUATION,
    DATA,
    ENABLE_PUSH,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEAD,
    HEAD_BYTES,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
    MAX_WINDOW,
    PADDED,
    PING,
    PREFACE,
    PRIORITIZED,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    ErrorCode,
    RawClient,
    call,
    frame,
    literal,
    number_frame,
    setting,
)

if TYPE_CHECKING:
    from tests.serving.http2.conftest import EchoServer

PROTOCOL, CLOSED, SIZE = ErrorCode.PROTOCOL_ERROR, ErrorCode.STREAM_CLOSED, ErrorCode.FRAME_SIZE_ERROR
FLOW, COMPRESSION = ErrorCode.FLOW_CONTROL_ERROR, ErrorCode.COMPRESSION_ERROR
MESSAGE = struct.pack(">?I", False, 5) + b"hello"
#: A call that stays open, one whose client has sent all, and one that waits for its answer after that.
OPEN = frame(HEADERS, END_HEADERS, 1, CALL_HEADERS)
ASKED = call(1, b"wait")
RESET = OPEN + number_frame(RST_STREAM, 1, ErrorCode.CANCEL)


def headers(*more: bytes, flags: int = END_HEADERS | END_STREAM, stream: int = 1, block: bytes = CALL_HEADERS) -> bytes:
    """HEADERS of a call, with further headers."""
    return frame(HEADERS, flags, stream, block + b"".join(more))


def without(name: bytes) -> bytes:
    """The headers of a call but one."""
    parts = {b":method": b"\x83", b":scheme": b"\x86", b":path": literal(b":path", b"/test.Echo/Echo")}
    return CALL_HEADERS.replace(parts[name], b"", 1)


def priority(depends_on: int = 0, weight: int = 15) -> bytes:
    """A PRIORITY frame's payload."""
    return struct.pack(">IB", depends_on, weight)


ANSWERED: dict[str, bytes] = {
    "generic 2: PRIORITY of an idle stream": frame(PRIORITY, 0, 1, priority()) + call(1),
    "generic 2: PRIORITY of a closed stream": call(3) + frame(PRIORITY, 0, 3, priority()) + call(5),
    "generic 2: WINDOW_UPDATE, half closed": ASKED + number_frame(WINDOW_UPDATE, 1, 100) + call(3),
    "generic 2: PRIORITY, half closed": ASKED + frame(PRIORITY, 0, 1, priority()) + call(3),
    "generic 2: RST_STREAM, half closed": ASKED + number_frame(RST_STREAM, 1, 8) + call(3),
    "generic 3.1: several DATA": OPEN + frame(DATA, 0, 1, MESSAGE[:3]) + frame(DATA, END_STREAM, 1, MESSAGE[3:]),
    "generic 3.1: DATA with padding": OPEN + frame(DATA, PADDED | END_STREAM, 1, b"\x04" + MESSAGE + bytes(4)),
    "generic 3.2: HEADERS with padding": (
        frame(HEADERS, END_HEADERS | PADDED, 1, b"\x04" + CALL_HEADERS + bytes(4)) + frame(DATA, END_STREAM, 1, MESSAGE)
    ),
    "generic 3.2: HEADERS with a priority": (
        frame(HEADERS, END_HEADERS | PRIORITIZED, 1, priority() + CALL_HEADERS) + frame(DATA, END_STREAM, 1, MESSAGE)
    ),
    "generic 3.3: PRIORITY with weight 256": frame(PRIORITY, 0, 1, priority(weight=255)) + call(1),
    "generic 3.3: PRIORITY, exclusive": frame(PRIORITY, 0, 1, priority(1 << 31 | 5)) + call(1),
    "generic 3.5: SETTINGS": setting(3, 100) + call(1),
    "generic 3.9: WINDOW_UPDATE of both": (
        number_frame(WINDOW_UPDATE, 0, 1)
        + OPEN
        + number_frame(WINDOW_UPDATE, 1, 1)
        + frame(DATA, END_STREAM, 1, MESSAGE)
    ),
    "generic 3.10: CONTINUATION frames": (
        frame(HEADERS, 0, 1, CALL_HEADERS[:20])
        + frame(CONTINUATION, 0, 1, CALL_HEADERS[20:40])
        + frame(CONTINUATION, END_HEADERS, 1, CALL_HEADERS[40:])
        + frame(DATA, END_STREAM, 1, MESSAGE)
    ),
    "generic 4: trailers": OPEN + frame(DATA, 0, 1, MESSAGE) + headers(block=literal(b"x-check", b"1")),
    "generic 5: a literal that is never indexed": headers(b"\x10" + literal(b"a", b"b")[1:], flags=END_HEADERS)
    + frame(DATA, END_STREAM, 1, MESSAGE),
    "generic 5: a literal with incremental indexing, and its number": (
        headers(b"\x40" + literal(b"a", b"b")[1:], b"\xbe", flags=END_HEADERS) + frame(DATA, END_STREAM, 1, MESSAGE)
    ),
    "generic 5: a literal with an indexed name": headers(b"\x0f\x2b\x01z", flags=END_HEADERS)
    + frame(DATA, END_STREAM, 1, MESSAGE),
    "generic 5: Huffman's code": headers(b"\x00\x81\x1f\x81\x8f", flags=END_HEADERS)
    + frame(DATA, END_STREAM, 1, MESSAGE),
    "generic 5: sizes of the table at the beginning": (
        frame(HEADERS, END_HEADERS, 1, b"\x20\x3f\xe1\x1f" + CALL_HEADERS) + frame(DATA, END_STREAM, 1, MESSAGE)
    ),
    "4.1: an unknown kind of frame": frame(0x16, 0, 0, b"x" * 8) + call(1),
    "4.1: unknown flags": frame(PING, 0x16, 0, b"x" * 8) + call(1),
    "4.1: the reserved bit": frame(PING, 0, 1 << 31, b"x" * 8) + call(1),
    "4.2: DATA of 16,384 bytes": (
        OPEN
        + frame(DATA, 0, 1, struct.pack(">?I", False, 20_000) + bytes(16_379))
        + frame(DATA, END_STREAM, 1, bytes(20_000 - 16_379))
    ),
    "5.5: an unknown frame of a stream": OPEN + frame(0xFF, 0, 1, b"x") + frame(DATA, END_STREAM, 1, MESSAGE),
    "6.5.2: an unknown setting": setting(0xFF, 1) + call(1),
    "6.5.3: several values of a setting": (
        frame(SETTINGS, 0, 0, struct.pack(">HIHI", INITIAL_WINDOW_SIZE, 1, INITIAL_WINDOW_SIZE, 100)) + call(1)
    ),
    "6.7: PING with ACK": frame(PING, ACK, 0, b"x" * 8) + call(1),
    "6.9.2: a window that becomes negative, and positive again": (
        setting(INITIAL_WINDOW_SIZE, 3)
        + call(1)
        + setting(INITIAL_WINDOW_SIZE, 0)
        + number_frame(WINDOW_UPDATE, 1, 100)
    ),
    "7: RST_STREAM with an unknown code": OPEN + number_frame(RST_STREAM, 1, 0xFF) + call(3),
    "8.1.2.6: the right content-length": headers(literal(b"content-length", b"10"), flags=END_HEADERS)
    + frame(DATA, END_STREAM, 1, MESSAGE),
}


class Case(NamedTuple):
    """Frames, and the codes with which they may end."""

    sent: bytes
    codes: set[ErrorCode]


#: These must end the connection.
CONNECTION_ENDS: dict[str, Case] = {
    "4.2: HEADERS that are too large": Case(headers(bytes(16_385)), {SIZE}),
    "4.3: an invalid block": Case(frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff"), {COMPRESSION}),
    "4.3: PRIORITY within a block": Case(headers(flags=0) + frame(PRIORITY, 0, 1, priority()), {PROTOCOL}),
    "4.3: HEADERS of another stream within a block": Case(headers(flags=0) + headers(stream=3), {PROTOCOL}),
    "5.1: DATA of an idle stream": Case(frame(DATA, END_STREAM, 1, b"x"), {PROTOCOL}),
    "5.1: RST_STREAM of an idle stream": Case(number_frame(RST_STREAM, 1, 8), {PROTOCOL}),
    "5.1: WINDOW_UPDATE of an idle stream": Case(number_frame(WINDOW_UPDATE, 1, 100), {PROTOCOL}),
    "5.1: CONTINUATION of an idle stream": Case(frame(CONTINUATION, END_HEADERS, 1, CALL_HEADERS), {PROTOCOL}),
    "5.1: CONTINUATION, half closed": Case(ASKED + frame(CONTINUATION, END_HEADERS, 1, b"\x83"), {CLOSED, PROTOCOL}),
    "5.1: CONTINUATION after RST_STREAM": Case(
        RESET + frame(CONTINUATION, END_HEADERS, 1, b"\x83"), {CLOSED, PROTOCOL}
    ),
    "5.1: CONTINUATION of a closed stream": Case(
        call(1, b"fail") + frame(CONTINUATION, END_HEADERS, 1, b"\x83"), {CLOSED, PROTOCOL}
    ),
    "5.1.1: an even stream": Case(call(2), {PROTOCOL}),
    "5.1.1: a smaller stream": Case(call(5, b"wait") + call(3), {PROTOCOL}),
    "5.4.1: a connection that ends is closed": Case(frame(PING, 0, 3, b"x" * 8), {PROTOCOL}),
    "5.5: an unknown frame within a block": Case(headers(flags=0) + frame(0xFF, 0, 1), {PROTOCOL}),
    "6.1: DATA of stream 0": Case(frame(DATA, 0, 0, b"x"), {PROTOCOL}),
    "6.1: padding of DATA that is too long": Case(OPEN + frame(DATA, PADDED, 1, b"\x09x"), {PROTOCOL}),
    "6.2: HEADERS of stream 0": Case(headers(stream=0), {PROTOCOL}),
    "6.2: padding of HEADERS that is too long": Case(frame(HEADERS, END_HEADERS | PADDED, 1, b"\xff\x83"), {PROTOCOL}),
    "6.3: PRIORITY of stream 0": Case(frame(PRIORITY, 0, 0, priority()), {PROTOCOL}),
    "6.4: RST_STREAM of stream 0": Case(number_frame(RST_STREAM, 0, 8), {PROTOCOL}),
    "6.4: RST_STREAM of another length": Case(OPEN + frame(RST_STREAM, 0, 1, b"\0\0\0"), {SIZE}),
    # RFC 9113 asks for FRAME_SIZE_ERROR; the library has the other.
    "6.5: SETTINGS with ACK and payload": Case(frame(SETTINGS, ACK, 0, struct.pack(">HI", 3, 1)), {SIZE, PROTOCOL}),
    "6.5: SETTINGS of a stream": Case(frame(SETTINGS, 0, 1, struct.pack(">HI", 3, 1)), {PROTOCOL}),
    "6.5: SETTINGS of another length": Case(frame(SETTINGS, 0, 0, b"\0\3\0"), {SIZE}),
    "6.5.2: ENABLE_PUSH of 2": Case(setting(ENABLE_PUSH, 2), {PROTOCOL}),
    "6.5.2: INITIAL_WINDOW_SIZE that is too large": Case(setting(INITIAL_WINDOW_SIZE, 1 << 31), {FLOW}),
    "6.5.2: MAX_FRAME_SIZE that is too small": Case(setting(MAX_FRAME_SIZE, 16_383), {PROTOCOL}),
    "6.5.2: MAX_FRAME_SIZE that is too large": Case(setting(MAX_FRAME_SIZE, 1 << 24), {PROTOCOL}),
    "6.7: PING of a stream": Case(frame(PING, 0, 1, b"x" * 8), {PROTOCOL}),
    "6.7: PING of another length": Case(frame(PING, 0, 0, b"x" * 6), {SIZE}),
    "6.8: GOAWAY of a stream": Case(frame(GOAWAY, 0, 1, bytes(8)), {PROTOCOL}),
    "6.9: WINDOW_UPDATE of 0 for all": Case(number_frame(WINDOW_UPDATE, 0, 0), {PROTOCOL}),
    "6.9: WINDOW_UPDATE of another length": Case(frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"), {SIZE}),
    "6.9.1: the window of all is too large": Case(number_frame(WINDOW_UPDATE, 0, MAX_WINDOW) * 2, {FLOW}),
    "6.9.2: a first window that makes another too large": Case(
        OPEN + number_frame(WINDOW_UPDATE, 1, MAX_WINDOW - 65_535) + setting(INITIAL_WINDOW_SIZE, 65_536), {FLOW}
    ),
    "6.10: another frame after CONTINUATION": Case(
        headers(flags=0) + frame(CONTINUATION, 0, 1) + frame(DATA, END_STREAM, 1, b"x"), {PROTOCOL}
    ),
    "6.10: CONTINUATION of stream 0": Case(headers(flags=0) + frame(CONTINUATION, END_HEADERS, 0), {PROTOCOL}),
    "6.10: CONTINUATION after END_HEADERS": Case(OPEN + frame(CONTINUATION, END_HEADERS, 1), {PROTOCOL}),
    "6.10: CONTINUATION after its own END_HEADERS": Case(
        headers(flags=0) + frame(CONTINUATION, END_HEADERS, 1) * 2, {PROTOCOL, CLOSED}
    ),
    "6.10: CONTINUATION after DATA": Case(
        OPEN + frame(DATA, 0, 1, MESSAGE) + frame(CONTINUATION, END_HEADERS, 1), {PROTOCOL}
    ),
    "8.2: PUSH_PROMISE": Case(frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + CALL_HEADERS), {PROTOCOL}),
    "HPACK 2.3.3: a number beyond both tables": Case(headers(b"\xc6"), {COMPRESSION}),
    "HPACK 4.2: a size of the table at the end": Case(headers(b"\x20"), {COMPRESSION}),
    "HPACK 4.2: a size of the table after indexed headers": Case(headers(block=b"\x83\x86\x20"), {COMPRESSION}),
    "HPACK 5.2: padding of more than 7 bits": Case(headers(b"\x00\x82\x1f\xff\x81\x8f"), {COMPRESSION}),
    "HPACK 5.2: padding of zeros": Case(headers(b"\x00\x81\x18\x81\x8f"), {COMPRESSION}),
    "HPACK 5.2: the end's symbol": Case(headers(b"\x00\x84\xff\xff\xff\xff\x81\x8f"), {COMPRESSION}),
    "HPACK 6.1: number 0": Case(headers(b"\x80"), {COMPRESSION}),
    "HPACK 6.3: a size beyond the setting": Case(
        frame(HEADERS, END_HEADERS, 1, b"\x3f\xff\xff\x03\x83"), {COMPRESSION}
    ),
}

#: These must end stream 1.
STREAM_ENDS: dict[str, Case] = {
    "4.2: DATA that is too large": Case(OPEN + frame(DATA, 0, 1, bytes(16_385)), {SIZE}),
    "5.1: DATA, half closed": Case(ASKED + frame(DATA, END_STREAM, 1, b"x"), {CLOSED}),
    "5.1: HEADERS, half closed": Case(ASKED + headers(), {CLOSED}),
    "5.1: DATA after RST_STREAM": Case(RESET + frame(DATA, END_STREAM, 1, b"x"), {CLOSED}),
    "5.1: HEADERS after RST_STREAM": Case(RESET + headers(), {CLOSED}),
    "5.3.1: HEADERS that depend on themselves": Case(
        frame(HEADERS, END_HEADERS | PRIORITIZED, 1, priority(1) + CALL_HEADERS), {PROTOCOL}
    ),
    "5.3.1: PRIORITY that depends on itself": Case(frame(PRIORITY, 0, 1, priority(1)), {PROTOCOL}),
    "6.3: PRIORITY of another length": Case(OPEN + frame(PRIORITY, 0, 1, bytes(4)), {SIZE}),
    "6.9: WINDOW_UPDATE of 0": Case(OPEN + number_frame(WINDOW_UPDATE, 1, 0), {PROTOCOL}),
    "6.9.1: a window that is too large": Case(OPEN + number_frame(WINDOW_UPDATE, 1, MAX_WINDOW), {FLOW}),
    "8.1: other HEADERS without END_STREAM": Case(OPEN + OPEN, {PROTOCOL}),
    "8.1.2: a name in capitals": Case(headers(literal(b"X-Name", b"1")), {PROTOCOL}),
    "8.1.2.1: an unknown pseudo-header": Case(headers(block=literal(b":test", b"1") + CALL_HEADERS), {PROTOCOL}),
    "8.1.2.1: a pseudo-header of answers": Case(headers(block=b"\x88" + CALL_HEADERS), {PROTOCOL}),
    "8.1.2.1: a pseudo-header in trailers": Case(OPEN + headers(block=literal(b":path", b"/")), {PROTOCOL}),
    "8.1.2.1: a pseudo-header after others": Case(headers(b"\x83"), {PROTOCOL}),
    "8.1.2.2: connection": Case(headers(literal(b"connection", b"keep-alive")), {PROTOCOL}),
    "8.1.2.2: te of something else": Case(headers(literal(b"te", b"trailers, deflate")), {PROTOCOL}),
    "8.1.2.3: an empty path": Case(
        headers(block=without(b":path").replace(b"\x83\x86", b"\x83\x86" + literal(b":path", b""))), {PROTOCOL}
    ),
    "8.1.2.3: no method": Case(headers(block=without(b":method")), {PROTOCOL}),
    "8.1.2.3: no scheme": Case(headers(block=without(b":scheme")), {PROTOCOL}),
    "8.1.2.3: no path": Case(headers(block=without(b":path")), {PROTOCOL}),
    "8.1.2.3: two methods": Case(headers(block=b"\x83" + CALL_HEADERS), {PROTOCOL}),
    "8.1.2.3: two schemes": Case(headers(block=b"\x86" + CALL_HEADERS), {PROTOCOL}),
    "8.1.2.3: two paths": Case(headers(block=b"\x84" + CALL_HEADERS), {PROTOCOL}),
    "8.1.2.6: another content-length": Case(
        headers(literal(b"content-length", b"1"), flags=END_HEADERS) + frame(DATA, END_STREAM, 1, MESSAGE), {PROTOCOL}
    ),
    "8.1.2.6: another content-length, in several DATA": Case(
        headers(literal(b"content-length", b"1"), flags=END_HEADERS)
        + frame(DATA, 0, 1, MESSAGE[:5])
        + frame(DATA, END_STREAM, 1, MESSAGE[5:]),
        {PROTOCOL},
    ),
    "8.2.1: a value with a line's end": Case(headers(literal(b"x-name", b"a\nb")), {PROTOCOL}),
    "8.2.1: an id with a space at the end": Case(headers(literal(b"x-request-id", b"a ")), {PROTOCOL}),
}


def test_there_are_at_least_as_many_cases_as_before() -> None:
    assert len(ANSWERED) + len(CONNECTION_ENDS) + len(STREAM_ENDS) >= 105


def last_call(sent: bytes) -> int:
    """The highest stream that HEADERS open."""
    streams, begin = [0], 0
    while begin < len(sent):
        high, low, kind, _, number = HEAD.unpack_from(sent, begin)
        begin += HEAD_BYTES + (high << 8 | low)
        streams += [number] * (kind == HEADERS)
    return max(streams)


@pytest.mark.parametrize("case", ANSWERED)
def test_it_is_answered(echo: EchoServer, case: str) -> None:
    with RawClient(echo.port) as client:
        client.send(ANSWERED[case])
        assert client.answer(last_call(ANSWERED[case]))


@pytest.mark.parametrize("case", CONNECTION_ENDS)
def test_the_connection_ends(echo: EchoServer, case: str) -> None:
    sent, codes = CONNECTION_ENDS[case]
    with RawClient(echo.port) as client:
        client.send(sent)
        assert client.goaway() in codes
        assert not list(client.frames()), "it is closed, too"


@pytest.mark.parametrize("case", STREAM_ENDS)
def test_the_stream_ends(echo: EchoServer, case: str) -> None:
    sent, codes = STREAM_ENDS[case]
    with RawClient(echo.port) as client:
        client.send(sent)
        for kind, _, number, payload in client.frames():
            if kind == RST_STREAM and number == 1:
                assert int.from_bytes(payload, "big") in codes
                return
            if kind == GOAWAY:
                assert int.from_bytes(payload[4:8], "big") in codes
                return
        raise AssertionError("nothing ends")


@pytest.mark.parametrize(
    "preface",
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", PREFACE[:-1] + b"?", b"\x16\x03\x01" * 20],
    ids=["HTTP/1.1", "nearly", "TLS"],
)
def test_another_preface_ends_the_connection(echo: EchoServer, preface: bytes) -> None:
    with RawClient(echo.port, preface=preface) as client:
        assert client.goaway() == PROTOCOL


def test_settings_are_acknowledged_and_pings_answered_at_once(echo: EchoServer) -> None:
    with RawClient(echo.port) as client:
        client.until(SETTINGS, flag=ACK)
        client.send(frame(PING, 0, 0, b"12345678"))
        assert client.until(PING, flag=ACK) == b"12345678"


def test_a_client_that_leaves_is_answered_before_the_end(echo: EchoServer) -> None:
    with RawClient(echo.port) as client:
        client.send(OPEN, frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0xFF)), frame(DATA, END_STREAM, 1, MESSAGE))
        assert client.answer(1) == b"hello"
        assert not [kind for kind, *_ in client.frames() if kind != GOAWAY]
