"""The messages of one call."""

from __future__ import annotations

import asyncio

import pytest

from serving.http2.call_head import CallHead
from serving.http2.frames import ConnectionFault
from serving.http2.stream import STREAM_WINDOW, CallStream
from serving.status import Code, Failure


class Counters:
    """What a stream tells its connection."""

    def __init__(self, limit: int = 1 << 30) -> None:
        self.held = 0
        self.limit = limit
        self.allowed: list[int] = []

    def allow(self, stream: CallStream, size: int) -> None:
        self.allowed.append(size)

    def hold(self, size: int) -> bool:
        is_possible = self.held + size <= self.limit
        self.held += size * is_possible
        return is_possible

    def release(self, size: int) -> None:
        self.held -= size


def stream_of(counters: Counters, max_message: int = 1 << 22) -> CallStream:
    return CallStream(counters, 1, CallHead(), window=100, max_message=max_message)


def fed(stream: CallStream, *parts: bytes) -> None:
    for part in parts:
        stream.feed(part, len(part))


def test_messages_are_cut_wherever_their_bytes_are() -> None:
    whole = b"\0\0\0\0\x02ab" + b"\0\0\0\0\0" + b"\0\0\0\0\x01c"
    for cut in range(len(whole)):
        counters = Counters()
        stream = stream_of(counters)
        fed(stream, whole[:cut], whole[cut:])
        assert [stream.take() for _ in range(4)] == [b"ab", b"", b"c", None]
        assert counters.held == 0


def test_room_is_made_for_a_message_that_has_not_come_and_not_for_one_that_waits() -> None:
    counters = Counters()
    stream = stream_of(counters)
    size = STREAM_WINDOW
    fed(stream, b"\0" + size.to_bytes(4, "big"), bytes(size - 5))
    assert sum(counters.allowed) == size
    fed(stream, bytes(5), b"\0" + size.to_bytes(4, "big"), bytes(size // 2))
    assert sum(counters.allowed) == size
    assert stream.take() == bytes(size)
    assert sum(counters.allowed) > size
    with pytest.raises(ConnectionFault):
        fed(stream, bytes(size), bytes(size))


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\x01\0\0\0\x01a", Code.UNIMPLEMENTED), (b"\0\0\0\x10\0", Code.RESOURCE_EXHAUSTED)],
)
def test_a_message_may_be_refused_by_its_first_bytes(data: bytes, code: Code) -> None:
    stream = stream_of(Counters(), max_message=100)
    fed(stream, data, b"more")
    with pytest.raises(Failure) as caught:
        asyncio.run(stream.read())
    assert caught.value.code is code


def test_a_message_for_which_there_is_no_room_is_refused_and_let_go() -> None:
    counters = Counters(limit=20)
    stream = stream_of(counters)
    fed(stream, b"\0\0\0\0\x20" + bytes(10), bytes(10))
    with pytest.raises(Failure):
        asyncio.run(stream.read())
    stream.close()
    assert counters.held == 0


def test_reading_ends_with_the_stream() -> None:
    async def read() -> list[bytes | None]:
        stream = stream_of(Counters())
        reading = asyncio.ensure_future(stream.read())
        await asyncio.sleep(0)
        fed(stream, b"\0\0\0\0\x01a")
        first = await reading
        stream.end()
        return [first, await stream.read()]

    assert asyncio.run(read()) == [b"a", None]
