"""Frames that are nearly right: never an error that escapes, a call that stays, or bytes that stay counted."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

import uvloop

from serving.http2.connection import Http2Connection
from serving.http2.connection_settings import ConnectionSettings
from serving.http2.grpc_server import Http2GrpcServer
from serving.http2.server_call import CallLimiter, StreamMethod, UnaryMethod
from serving.transport.limits import ConnectionLimiter
from tests.fuzzing.budget import seeded, seeds
from tests.serving.http2 import raw_frames as frames
from tests.serving.http2.raw_frames import frame, literal, number_frame

if TYPE_CHECKING:
    from random import Random

    from serving.http2.server_call import Method, ServerCall

HEADERS = (
    b"\x83\x86"
    + literal(b":path", b"/S/M")
    + literal(b":authority", b"a")
    + literal(b"content-type", b"application/grpc")
)
STREAM = HEADERS.replace(b"/S/M", b"/S/R")
INDEXED = b"\x83\x86" + b"".join(
    b"\x40" + literal(*header)[1:]
    for header in ((b":path", b"/S/M"), (b":authority", b"a"), (b"content-type", b"application/grpc"))
)
SETTINGS = ConnectionSettings(message_bytes=1500, streams=5, idle_s=99.0, stall_s=99.0)
HELD_BYTES = 1 << 20


class FakeTransport(asyncio.Transport):
    """A socket whose other end says nothing."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self._closing = False

    def write(self, data: Any) -> None:
        assert len(data) < 1 << 20

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    abort = close

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        return

    def pause_reading(self) -> None:
        return

    resume_reading = pause_reading


def piece(random: Random) -> bytes:
    """A frame, right or not."""
    number = random.choice((0, 1, 1, 1, 3, 3, 5, 7, 2, random.randrange(1 << 31)))
    flags = random.choice((0, 1, 4, 5, 8, 0x20, 0x2D, random.randrange(256)))
    message = random.choice((b"", b"hello", b"x" * random.randrange(2000)))
    size = max(0, len(message) + random.choice((0, 0, 0, 1, -1)))
    data = struct.pack(">?I", random.random() < 0.05, size) + message
    setting = struct.pack(">HI", random.randrange(1, 7), random.choice((0, 1, 65535, 1 << 24, 1 << 31)))
    block = random.choice((HEADERS, STREAM, INDEXED, b"\xbf\xbe\x83\x86", random.randbytes(20)))
    return random.choice(
        (
            frame(frames.HEADERS, random.choice((4, 5, 4, 4, flags)), number, block),
            frame(frames.DATA, random.choice((0, 1, 1, flags)), number, data),
            frame(frames.DATA, 1, number, data),
            number_frame(frames.RST_STREAM, number, 8),
            number_frame(frames.WINDOW_UPDATE, number, random.choice((0, 1, 65535, 1 << 30))),
            frame(frames.SETTINGS, random.choice((0, 0, 1)), 0, setting),
            frame(frames.PING, flags, 0, bytes(8)),
            frame(frames.CONTINUATION, flags, number, HEADERS[: random.randrange(20)]),
            frame(frames.GOAWAY, 0, 0, bytes(8)),
            frame(random.randrange(256), flags, number, bytes(random.randrange(50))),
            random.randbytes(random.randrange(40)),
        )
    )


def conversation(random: Random) -> bytes:
    """What a client sends, with a few bytes changed now and then."""
    data = bytearray(frame(frames.SETTINGS, 0, 0))
    for _ in range(random.randrange(1, 40)):
        data += piece(random)
    if random.random() < 0.3:
        data[random.randrange(len(data))] = random.randrange(256)
    return frames.PREFACE + data


def answer(call: ServerCall, message: bytes) -> None:
    if len(message) % 3:
        call.reply(message * 3)
    else:
        call.timers.append(asyncio.get_running_loop().call_later(0.001, call.reply, message * 30))


async def repeat(call: ServerCall) -> None:
    while (message := await call.read()) is not None:
        await call.write(message)
        await asyncio.sleep(0.001)
        await call.write(message * 40)


async def talk(server: Http2GrpcServer, random: Random) -> None:
    connection = Http2Connection(server)
    connection.connection_made(FakeTransport())
    data = conversation(random)
    while data:
        size = random.choice((1, 5, 20, 100, 5000))
        connection.data_received(data[:size])
        data = data[size:]
        if random.random() < 0.2:
            await asyncio.sleep(0)
    connection.connection_lost(None)


def test_frames() -> None:
    limiter = ConnectionLimiter(max_connections=0, max_held_bytes=HELD_BYTES)
    errors: list[dict[str, Any]] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        calls = CallLimiter(50)
        methods: dict[str, Method] = {"/S/M": UnaryMethod(answer, calls), "/S/R": StreamMethod(repeat, calls)}
        server = Http2GrpcServer(methods, SETTINGS, limiter, connections=1000)
        for seed in seeds():
            await talk(server, seeded(seed))
        await asyncio.sleep(0.01)
        assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    uvloop.run(run())
    assert not errors
    assert limiter.hold_bytes(HELD_BYTES)
