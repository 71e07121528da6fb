"""Frames in and out: flow control, and what a client may not do to one connection."""

from __future__ import annotations

import struct
from contextlib import ExitStack

import pytest

from tests.serving.http2 import raw_frames as frames
from tests.serving.http2.conftest import EchoServer, OpenEcho, wait_for
from tests.serving.http2.raw_frames import CALL_HEADERS as HEADERS
from tests.serving.http2.raw_frames import DATA, ErrorCode, RawClient, call, frame, literal, number_frame

OPEN = frame(frames.HEADERS, frames.END_HEADERS, 1, HEADERS)


def test_calls_are_answered_in_whatever_pieces_they_come(echo: EchoServer) -> None:
    with RawClient(echo.port, preface=b"") as client:
        for byte in frames.PREFACE + frame(frames.SETTINGS, 0, 0) + call(1, b"in pieces"):
            client.send(bytes([byte]))
        assert client.answer(1) == b"in pieces"
        client.send(call(3, b"a") + call(5, b"b"))
        assert sorted([client.answer(3)]) == [b"a"]


def test_padding_priorities_continuations_and_unknown_frames_are_read(echo: EchoServer) -> None:
    head = b"\x03" + bytes(5) + HEADERS[:10] + bytes(3)
    data = b"\x02" + struct.pack(">?I", False, 2) + b"ok" + bytes(2)
    with RawClient(echo.port) as client:
        client.send(
            frame(99, 0, 0, b"?"),
            frame(frames.PRIORITY, 0, 1, bytes(5)),
            frame(frames.HEADERS, frames.PADDED | frames.PRIORITIZED, 1, head),
            frame(frames.CONTINUATION, 0, 1, HEADERS[10:20]),
            frame(frames.CONTINUATION, frames.END_HEADERS, 1, HEADERS[20:]),
            frame(DATA, frames.PADDED | frames.END_STREAM, 1, data),
        )
        assert client.answer(1) == b"ok"


def test_pings_and_settings_are_acknowledged(echo: EchoServer) -> None:
    with RawClient(echo.port) as client:
        client.send(frame(frames.PING, 0, 0, b"12345678"))
        client.until(frames.SETTINGS, flag=frames.ACK)
        assert client.until(frames.PING, flag=frames.ACK) == b"12345678"


def test_an_answer_waits_for_the_windows_of_the_client(echo: EchoServer) -> None:
    with RawClient(echo.port) as client:
        client.send(frame(frames.SETTINGS, 0, 0, struct.pack(">HI", frames.INITIAL_WINDOW_SIZE, 3)))
        client.send(call(1, b"grow100000"))
        assert len(client.until(DATA)) == 3
        client.send(number_frame(frames.WINDOW_UPDATE, 1, 200_000))
        got = 3
        while got < frames.FIRST_WINDOW:  # the connection's own window
            got += len(client.until(DATA))
        assert got == frames.FIRST_WINDOW
        client.send(call(3, b"other"))  # waits for it, too
        client.send(number_frame(frames.WINDOW_UPDATE, 0, 200_000))
        assert len(client.answer(1)) == 100_000 + 5 - got - 5
        client.send(number_frame(frames.WINDOW_UPDATE, 3, 100))
        assert client.answer(3) == b"other"


def test_large_messages_of_a_client_get_room(echo: EchoServer) -> None:
    message = b"m" * 1_000_000
    data = struct.pack(">?I", False, len(message)) + message
    parts = [data[begin : begin + 16384] for begin in range(0, len(data), 16384)]
    room = frame(frames.SETTINGS, 0, 0, struct.pack(">HI", frames.INITIAL_WINDOW_SIZE, 1 << 24))
    with RawClient(echo.port) as client:
        client.send(room, number_frame(frames.WINDOW_UPDATE, 0, 1 << 24))
        for stream in (1, 3):
            client.send(frame(frames.HEADERS, frames.END_HEADERS, stream, HEADERS))
            client.send(*(frame(DATA, 0, stream, part) for part in parts), frame(DATA, frames.END_STREAM, stream))
            assert client.answer(stream) == message
    wait_for(echo.holds_nothing)


BOMB = b"\x40" + literal(b"x" * 100, b"y" * 3000)[1:] + b"\xbe" * 2000
TOO_LONG = literal(b"x", b"y" * 8000)
FLOODS = {
    "rapid reset": b"".join(
        frame(frames.HEADERS, frames.END_HEADERS, one, HEADERS) + number_frame(frames.RST_STREAM, one, 8)
        for one in range(1, 5001, 2)
    ),
    "pings": frame(frames.PING, 0, 0, bytes(8)) * 3000,
    "settings": frame(frames.SETTINGS, 0, 0, struct.pack(">HI", 3, 1)) * 3000,
    "long settings": frame(frames.SETTINGS, 0, 0, struct.pack(">HI", 4, 1) * 2700) * 40,
    "priorities": frame(frames.PRIORITY, 0, 1, bytes(5)) * 3000,
    "window updates": OPEN + number_frame(frames.WINDOW_UPDATE, 1, 1) * 3000,
    "empty data": OPEN + frame(DATA, 0, 1) * 3000,
    "small data": OPEN + frame(DATA, 0, 1, b"x") * 3000,
    "unknown frames": frame(77, 0, 0) * 3000,
    "continuations": b"".join(
        frame(frames.HEADERS, 0, one)
        + frame(frames.CONTINUATION, 0, one) * 62
        + frame(frames.CONTINUATION, frames.END_HEADERS, one)
        for one in range(1, 601, 2)
    ),
    "refused streams": b"".join(frame(frames.HEADERS, frames.END_HEADERS, one, HEADERS) for one in range(1, 5001, 2)),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_floods_end_the_connection(open_echo: OpenEcho, flood: str) -> None:
    """Each owes at least 1,900 frames at 10 a second, of which a connection may owe half a second's."""
    with open_echo(streams=10, stall_s=0.5) as echo, RawClient(echo.port) as client, RawClient(echo.port) as other:
        client.send(FLOODS[flood])
        assert client.goaway() == ErrorCode.ENHANCE_YOUR_CALM
        other.send(call(1))
        assert other.answer(1) == b"hello"


def test_calls_whose_messages_never_come_pay_for_no_frames(open_echo: OpenEcho) -> None:
    """Fifty of them end with an error between 1,000 pings, which are free, and 200, which take 20 s to pay for."""
    pings = frame(frames.PING, 0, 0, bytes(8))
    with open_echo(streams=10, stall_s=0.1) as echo, RawClient(echo.port) as client:
        client.send(pings * 1000)
        for first in range(1, 101, 20):
            streams = range(first, first + 20, 2)
            client.send(*(frame(frames.HEADERS, frames.END_HEADERS, stream, HEADERS) for stream in streams))
            client.until(frames.RST_STREAM, stream=streams[-1])
        client.send(pings * 200)
        assert client.goaway() == ErrorCode.ENHANCE_YOUR_CALM


def test_a_later_connection_of_an_address_is_answered_beside_floods_of_it(open_echo: OpenEcho) -> None:
    """The floods owe together what takes longer than the client waits."""
    with open_echo(streams=10) as echo, ExitStack() as opened:
        for _ in range(8):
            opened.enter_context(RawClient(echo.port)).send(FLOODS["pings"])
        other = opened.enter_context(RawClient(echo.port))
        other.send(frame(frames.PING, 0, 0, bytes(8)) * 10)
        other.until(frames.PING, flag=frames.ACK)
        for stream in (1, 3, 5):
            other.send(call(stream))
            assert other.answer(stream) == b"hello"


def test_a_client_that_sends_a_little_too_much_is_slowed_down_and_nothing_is_lost(open_echo: OpenEcho) -> None:
    """2,000 frames at once, and 500 a second."""
    with open_echo(streams=500) as echo, RawClient(echo.port) as client:
        client.send(*(frame(frames.PING, 0, 0, struct.pack(">Q", number)) for number in range(3000)), call(1))
        pongs = [payload for kind, _, _, payload in client.until_answer(1) if kind == frames.PING]
        assert pongs == [struct.pack(">Q", number) for number in range(3000)]


FAULTS = {
    "another protocol": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3, ErrorCode.PROTOCOL_ERROR),
    "a frame too large": (frame(DATA, 0, 1, bytes(16385)), ErrorCode.FRAME_SIZE_ERROR),
    "data of no stream": (frame(DATA, 0, 7, bytes(100)), ErrorCode.PROTOCOL_ERROR),
    "a reset of no stream": (number_frame(frames.RST_STREAM, 7, 8), ErrorCode.PROTOCOL_ERROR),
    "a window of no stream": (number_frame(frames.WINDOW_UPDATE, 7, 8), ErrorCode.PROTOCOL_ERROR),
    "a stream of the server's": (frame(frames.HEADERS, frames.END_HEADERS, 2, HEADERS), ErrorCode.PROTOCOL_ERROR),
    "a promise": (frame(frames.PUSH_PROMISE, 0, 1, bytes(8)), ErrorCode.PROTOCOL_ERROR),
    "a continuation of nothing": (frame(frames.CONTINUATION, 4, 1, b"\x83"), ErrorCode.PROTOCOL_ERROR),
    "a frame within a block": (
        frame(frames.HEADERS, 0, 1, HEADERS) + frame(frames.PING, 0, 0, bytes(8)),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "too many continuations": (
        frame(frames.HEADERS, 0, 1) + frame(frames.CONTINUATION, 0, 1) * 64,
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a block too large": (
        frame(frames.HEADERS, 0, 1, bytes(10000)) + frame(frames.CONTINUATION, 0, 1, bytes(10000)),
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
    "a header bomb": (frame(frames.HEADERS, frames.END_HEADERS, 1, BOMB), ErrorCode.ENHANCE_YOUR_CALM),
    "a short ping": (frame(frames.PING, 0, 0, b"x"), ErrorCode.FRAME_SIZE_ERROR),
    "settings of a stream": (frame(frames.SETTINGS, 0, 1), ErrorCode.PROTOCOL_ERROR),
    "settings cut off": (frame(frames.SETTINGS, 0, 0, b"x"), ErrorCode.FRAME_SIZE_ERROR),
    "a first window too large": (
        frame(frames.SETTINGS, 0, 0, struct.pack(">HI", 4, 1 << 31)),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "all windows overflow": (number_frame(frames.WINDOW_UPDATE, 0, frames.MAX_WINDOW), ErrorCode.FLOW_CONTROL_ERROR),
    "a window that does not grow": (number_frame(frames.WINDOW_UPDATE, 0, 0), ErrorCode.PROTOCOL_ERROR),
    "headers that do not end the call again": (OPEN + OPEN, ErrorCode.PROTOCOL_ERROR),
    "padding longer than the frame": (OPEN + frame(DATA, frames.PADDED, 1, b"\x09x"), ErrorCode.PROTOCOL_ERROR),
}


def test_a_window_that_overflows_ends_its_call(echo: EchoServer) -> None:
    with RawClient(echo.port) as client:
        client.send(OPEN, number_frame(frames.WINDOW_UPDATE, 1, frames.MAX_WINDOW), call(3))
        assert client.until(frames.RST_STREAM, stream=1) == struct.pack(">I", ErrorCode.FLOW_CONTROL_ERROR)
        assert client.answer(3) == b"hello"


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_end_the_connection_with_their_code(echo: EchoServer, fault: str) -> None:
    data, code = FAULTS[fault]
    preface = b"" if fault == "another protocol" else frames.PREFACE
    with RawClient(echo.port, preface=preface) as client:
        client.send(data)
        assert client.goaway() == code
        assert not list(client.frames())  # and it is closed


def test_a_server_that_stops_closes_a_connection_that_it_had_ended(open_echo: OpenEcho) -> None:
    with open_echo() as echo, RawClient(echo.port) as client:
        client.send(FAULTS["data of no stream"][0])
        assert client.goaway() == ErrorCode.PROTOCOL_ERROR
        echo.stop(10.0)
        assert not list(client.frames())


def test_a_client_that_sends_more_than_a_window_is_cut_off(open_echo: OpenEcho) -> None:
    """Its handler reads no further messages while the answers to those before have no room."""
    path = literal(b":path", b"/test.Echo/Echo"), literal(b":path", b"/test.Echo/Repeat")
    part = struct.pack(">?I", False, 16379) + bytes(16379)
    with open_echo() as echo, RawClient(echo.port) as client:
        client.send(frames.setting(frames.INITIAL_WINDOW_SIZE, 0))
        client.send(frame(frames.HEADERS, frames.END_HEADERS, 1, HEADERS.replace(*path)))
        client.send(frame(DATA, 0, 1, part) * 100)
        assert client.goaway() == ErrorCode.FLOW_CONTROL_ERROR
        wait_for(echo.holds_nothing)


def test_bytes_of_unread_messages_are_bounded_for_all(open_echo: OpenEcho) -> None:
    """Each of six calls sends 800 kB of a message of 1 MB; the server holds 4 MiB."""
    part = struct.pack(">?I", False, 1_000_000) + bytes(16379)
    with open_echo() as echo, RawClient(echo.port) as client:
        for stream in range(1, 13, 2):
            client.send(frame(frames.HEADERS, frames.END_HEADERS, stream, HEADERS))
            client.send(frame(DATA, 0, stream, part), frame(DATA, 0, stream, bytes(16384)) * 47)
        assert b"grpc-status\x018" in client.until(frames.HEADERS, flag=frames.END_STREAM)
        with RawClient(echo.port) as other:
            client.socket.close()
            wait_for(echo.holds_nothing)
            other.send(call(1))
            assert other.answer(1) == b"hello"


def test_an_answer_that_nobody_takes_is_dropped(open_echo: OpenEcho) -> None:
    closed = frame(frames.SETTINGS, 0, 0, struct.pack(">HI", frames.INITIAL_WINDOW_SIZE, 0))
    with open_echo(stall_s=0.2) as echo, RawClient(echo.port) as client:
        client.send(closed, call(1))
        assert client.until(frames.RST_STREAM, stream=1) == struct.pack(">I", ErrorCode.CANCEL)


def test_a_client_that_reads_nothing_is_cut_off(open_echo: OpenEcho) -> None:
    room = frame(frames.SETTINGS, 0, 0, struct.pack(">HI", frames.INITIAL_WINDOW_SIZE, 1 << 30))
    with open_echo(connections=1, stall_s=0.2, held_bytes=64 << 20) as echo, RawClient(echo.port) as client:
        client.send(room, number_frame(frames.WINDOW_UPDATE, 0, 1 << 30))
        client.send(*(call(stream, b"grow9000000") for stream in (1, 3)))

        def has_room() -> bool:
            with RawClient(echo.port) as other:
                return next(other.frames(), None) is not None

        wait_for(has_room)


@pytest.mark.parametrize("preface", [b"", frames.PREFACE[:10]])
def test_a_connection_that_does_not_begin_is_closed(open_echo: OpenEcho, preface: bytes) -> None:
    with open_echo(stall_s=0.1) as echo, RawClient(echo.port, preface=preface) as client:
        assert [kind for kind, *_ in client.frames()] == [frames.SETTINGS, frames.WINDOW_UPDATE]


def test_an_idle_connection_is_closed(open_echo: OpenEcho) -> None:
    with open_echo(idle_s=0.1) as echo, RawClient(echo.port) as client:
        assert client.goaway() == ErrorCode.NO_ERROR


def test_further_streams_are_refused_and_may_be_tried_again(open_echo: OpenEcho) -> None:
    with open_echo(streams=1) as echo, RawClient(echo.port) as client:
        client.send(call(1, b"wait"), call(3))
        assert client.until(frames.RST_STREAM, stream=3) == struct.pack(">I", ErrorCode.REFUSED_STREAM)
        client.send(number_frame(frames.RST_STREAM, 1, ErrorCode.CANCEL), call(5))
        assert client.answer(5) == b"hello"
        assert echo.handlers.cancelled == 1


def test_a_long_header_is_too_much(echo: EchoServer) -> None:
    with RawClient(echo.port) as client:
        client.send(call(1, headers=HEADERS + TOO_LONG))
        assert client.answer(1) == b"hello"
        client.send(call(3, headers=HEADERS + TOO_LONG + TOO_LONG + literal(b"z", b"z" * 300)))
        assert client.goaway() in {ErrorCode.COMPRESSION_ERROR, ErrorCode.FRAME_SIZE_ERROR}
