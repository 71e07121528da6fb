"""Answers leave as far as the client's windows and its socket have room, in turns, and are counted until then."""

from __future__ import annotations

import asyncio
import functools
import struct
from typing import TYPE_CHECKING, Any

from serving.http2.answers import TURN_BYTES, AnswerSender
from serving.http2.call_head import CallHead
from serving.http2.connection_settings import ConnectionSettings
from serving.http2.connection_state import ConnectionState, FrameBudget
from serving.http2.server_call import STATUS_OK, ServerCall
from tests.serving.http2 import raw_frames as frames
from tests.serving.http2.conftest import EchoServer, OpenEcho, wait_for
from tests.serving.http2.raw_frames import DATA, RawClient, call, frame, number_frame, setting

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

MIB = 1 << 20


def in_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test in an event loop, without which there are no calls."""

    @functools.wraps(test)
    def run() -> None:
        asyncio.run(test())

    return run


#: Room for everything.
WIDE = setting(frames.INITIAL_WINDOW_SIZE, 1 << 30) + number_frame(frames.WINDOW_UPDATE, 0, 1 << 30)


class Connection:
    """A sender, its calls, and what it wrote; nothing is sent before its turn."""

    def __init__(self, *, window: int = 1 << 30) -> None:
        self.written: list[bytes] = []
        self.sent: list[int] = []
        self.turns: list[Any] = []
        self.identity: Any = None
        self.held = 0
        self.limit = 1 << 40
        self.calls: dict[int, ServerCall] = {}
        self.h2 = ConnectionState(FrameBudget(lambda: 0.0, 100), 100, self.calls, lambda number: None)
        self.h2.initiate_connection()
        room = number_frame(frames.WINDOW_UPDATE, 0, 1 << 30)
        self.h2.receive_data(frames.PREFACE + setting(frames.INITIAL_WINDOW_SIZE, window) + room)
        self.watched: list[int] = []
        self.sender = AnswerSender(
            self.h2, self.flush, self.finish, self.turns.append, lambda call: self.watched.append(call.number)
        )

    def flush(self) -> None:
        self.written.append(self.h2.data_to_send())

    def finish(self, call: ServerCall) -> None:
        self.sent.append(call.number)
        self.sender.forget(call)
        call.close()

    def hold(self, size: int) -> bool:
        is_held = self.held + size <= self.limit
        self.held += size * is_held
        return is_held

    def release(self, size: int) -> None:
        self.held -= size

    def take(self, call: ServerCall, size: int) -> None:
        return

    def drop(self, call: ServerCall) -> None:
        return

    def send(self, call: ServerCall, message: bytes | None, trailers: Any) -> None:
        self.sender.send(call, message, trailers)
        self.flush()

    async def open(self, number: int) -> ServerCall:
        self.h2.receive_data(call(number))
        made = self.calls[number] = ServerCall(self, number, CallHead(), ConnectionSettings())
        return made

    def data(self, number: int) -> int:
        """The bytes of DATA of a stream that were written."""
        return sum(payload_size for stream, payload_size in self.parts() if stream == number)

    def parts(self) -> list[tuple[int, int]]:
        """Stream and size of each DATA frame, in order."""
        data, parts, begin = b"".join(self.written), [], 0
        while begin < len(data):
            high, low, kind, _, number = frames.HEAD.unpack_from(data, begin)
            size = high << 8 | low
            begin += frames.HEAD_BYTES + size
            parts += [(number, size)] * (kind == DATA)
        return parts


@in_loop
async def test_a_large_answer_goes_in_turns_and_a_small_one_in_between() -> None:
    connection = Connection()
    large, small = await connection.open(1), await connection.open(3)
    large.reply(bytes(MIB))
    assert connection.data(1) == TURN_BYTES
    small.reply(b"hello")
    assert connection.sent == [3]
    turns = 1
    while connection.turns:
        connection.turns.pop()()
        turns += 1
    assert connection.sent == [3, 1]
    assert connection.data(1) == MIB + 5
    assert turns == MIB // TURN_BYTES + 1
    assert connection.held == 0


@in_loop
async def test_large_answers_take_turns() -> None:
    connection = Connection()
    for number in (1, 3):
        (await connection.open(number)).reply(bytes(MIB))
    connection.written.clear()
    connection.turns.pop()()
    numbers = [number for number, _ in connection.parts()]
    changes = [number for number, before in zip(numbers, [0, *numbers], strict=False) if number != before]
    assert changes in ([1, 3, 1, 3], [3, 1, 3, 1])
    assert sum(size for _, size in connection.parts()) == TURN_BYTES


@in_loop
async def test_an_answer_waits_for_its_own_window_and_the_others_do_not_wait_for_it() -> None:
    connection = Connection(window=0)
    blocked, other = await connection.open(1), await connection.open(3)
    blocked.reply(bytes(100))
    assert (connection.data(1), connection.held) == (0, 100)
    connection.h2.receive_data(number_frame(frames.WINDOW_UPDATE, 3, 1000))
    other.reply(bytes(100))
    assert connection.sent == [3]
    connection.h2.receive_data(number_frame(frames.WINDOW_UPDATE, 1, 1))
    connection.sender.window_opened(1)
    connection.sender.send_waiting()
    assert connection.data(1) == 1
    connection.h2.receive_data(setting(frames.INITIAL_WINDOW_SIZE, 1000))
    connection.sender.windows_changed()
    connection.sender.send_waiting()
    assert connection.sent == [3, 1]
    assert connection.held == 0


@in_loop
async def test_nothing_is_sent_while_the_socket_has_no_room() -> None:
    connection = Connection()
    first = await connection.open(1)
    connection.sender.pause()
    first.reply(b"hello")
    assert (connection.data(1), connection.held) == (0, 5)
    connection.sender.resume()
    assert connection.sent == [1]


@in_loop
async def test_an_answer_that_cannot_be_held_is_an_error_in_its_place() -> None:
    connection = Connection(window=0)
    connection.limit = 99
    first = await connection.open(1)
    first.reply(bytes(100))
    assert connection.sent == [1]
    assert b"grpc-status" in b"".join(connection.written)
    assert connection.held == 0


@in_loop
async def test_an_answer_is_watched_from_when_it_waits_and_once() -> None:
    connection = Connection(window=0)
    at_once, blocked, waiting = await connection.open(1), await connection.open(3), await connection.open(5)
    connection.h2.receive_data(number_frame(frames.WINDOW_UPDATE, 1, MIB) + number_frame(frames.WINDOW_UPDATE, 5, MIB))
    at_once.reply(bytes(1000))
    assert connection.watched == []
    blocked.reply(bytes(1000))
    connection.sender.pause()
    waiting.reply(bytes(1000))
    assert connection.watched == [3, 5]
    assert (connection.sender.is_blocked(blocked), connection.sender.is_blocked(waiting)) == (True, False)
    connection.sender.send(blocked, bytes(1000), None)
    assert connection.watched == [3, 5]


@in_loop
async def test_a_stream_of_answers_waits_while_much_of_it_is_not_sent() -> None:
    connection = Connection(window=0)
    streamed = await connection.open(1)
    writing = asyncio.ensure_future(streamed.write(bytes(MIB)))
    await asyncio.sleep(0)
    assert not writing.done()
    connection.h2.receive_data(number_frame(frames.WINDOW_UPDATE, 1, 2 * MIB))
    connection.sender.window_opened(1)
    connection.sender.send_waiting()
    while connection.turns:
        connection.turns.pop()()
    await writing
    assert connection.held == 0
    streamed.end(None)
    assert connection.sent == [1]
    assert STATUS_OK[0][0] in b"".join(connection.written)


def test_a_slow_reader_gets_a_large_answer_and_others_meanwhile(open_echo: OpenEcho) -> None:
    with open_echo(held_bytes=64 * MIB) as echo, RawClient(echo.port) as slow, RawClient(echo.port) as quick:
        slow.send(WIDE, call(1, b"grow%d" % (32 * MIB)))
        wait_for(lambda: not echo.holds_nothing())
        quick.send(call(1))
        assert quick.answer(1) == b"hello"
        assert len(slow.answer(1)) == 32 * MIB
        wait_for(echo.holds_nothing)


def test_a_byte_now_and_then_is_no_progress(open_echo: OpenEcho) -> None:
    """Of an answer with a window of 0, one byte is taken each time that the server looks."""
    with open_echo(stall_s=0.2, bytes_per_s=1000.0) as echo, RawClient(echo.port) as client:
        client.send(setting(frames.INITIAL_WINDOW_SIZE, 0), call(1, b"grow100000"))
        taken = 0
        for kind, _, number, payload in client.frames():
            if kind == frames.RST_STREAM and number == 1:
                break
            if kind == DATA:
                taken += len(payload)
            client.send(number_frame(frames.WINDOW_UPDATE, 1, 1))
        assert 0 < taken < 90_000
        wait_for(echo.holds_nothing)


def test_answers_that_nobody_takes_are_held_against_the_limit(open_echo: OpenEcho) -> None:
    """60 calls of 40 bytes, each with an answer of a megabyte; the server holds four."""
    with open_echo() as echo, RawClient(echo.port) as client:
        client.send(setting(frames.INITIAL_WINDOW_SIZE, 0))
        client.send(*(call(number, b"grow1000000") for number in range(1, 121, 2)))
        refused = 0
        while refused < 56:
            assert b"grpc-status\x018" in client.until(frames.HEADERS, flag=frames.END_STREAM)
            refused += 1
        assert echo.limiter.hold_bytes(150_000)
        assert not echo.limiter.hold_bytes(200_000)
        echo.limiter.release_bytes(150_000)
    wait_for(echo.holds_nothing)


def test_an_answer_is_dropped_at_its_deadline(open_echo: OpenEcho) -> None:
    with open_echo() as echo, RawClient(echo.port) as client:
        headers = frames.CALL_HEADERS + frames.literal(b"grpc-timeout", b"50m")
        client.send(setting(frames.INITIAL_WINDOW_SIZE, 0), call(1, b"grow100000", headers=headers))
        assert client.until(frames.RST_STREAM, stream=1) == struct.pack(">I", frames.ErrorCode.CANCEL)
        wait_for(echo.holds_nothing)


def test_frames_of_zeros_and_ones_take_no_time(echo: EchoServer) -> None:
    """The variants of a window of one byte: each update sends a byte, and costs no more than that."""
    with RawClient(echo.port) as client:
        client.send(setting(frames.INITIAL_WINDOW_SIZE, 0), call(1, b"grow1000000"))
        client.send(*(number_frame(frames.WINDOW_UPDATE, 1, 1) for _ in range(900)))
        taken = 0
        while taken < 900:
            taken += len(client.until(DATA, stream=1))
        assert taken == 900
        client.send(frame(frames.PING, 0, 0, bytes(8)))
        client.until(frames.PING)
