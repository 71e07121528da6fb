"""Answers leave as far as the client's windows have room."""

from __future__ import annotations

import pytest

from serving.http2 import frames
from serving.http2.answers import AnswerSender
from serving.http2.call_head import CallHead
from serving.http2.frames import ConnectionFault
from serving.http2.stream import CallStream
from tests.serving.http2.test_stream import Counters


class Sender:
    """What was written, and which calls are over."""

    def __init__(self) -> None:
        self.written = b""
        self.over: list[int] = []
        self.now = 0.0
        self.answers = AnswerSender(self.write, lambda stream: self.over.append(stream.number), lambda: self.now)

    def write(self, data: bytes) -> None:
        self.written += data

    def stream(self, number: int, window: int) -> CallStream:
        return CallStream(Counters(), number, CallHead(), window=window, max_message=100)

    def kinds(self) -> list[tuple[int, int]]:
        """The kind and size of every frame that was written."""
        found, begin = [], 0
        while begin < len(self.written):
            high, low, kind, _, _ = frames.HEAD.unpack_from(self.written, begin)
            found.append((kind, high << 8 | low))
            begin += frames.HEAD_BYTES + (high << 8 | low)
        return found


def test_a_whole_answer_is_three_frames() -> None:
    sender = Sender()
    sender.answers.send(sender.stream(1, 100), b"h", b"message", b"t")
    assert sender.kinds() == [(frames.HEADERS, 1), (frames.DATA, 7), (frames.HEADERS, 1)]
    assert sender.over == [1]


def test_what_has_no_room_waits_and_the_end_with_it() -> None:
    sender = Sender()
    stream = sender.stream(1, 3)
    sender.answers.send(stream, b"h", b"message", b"t")
    assert (sender.kinds(), sender.over) == ([(frames.HEADERS, 1), (frames.DATA, 3)], [])
    sender.now = 5.0
    assert sender.answers.stalled(4.0) == [stream]
    sender.answers.resize(frames.FIRST_WINDOW + 4, [stream])
    sender.answers.send_blocked()
    assert sender.kinds()[2:] == [(frames.DATA, 4), (frames.HEADERS, 1)]
    assert sender.over == [1]
    assert sender.answers.stalled(9.0) == []


def test_all_answers_together_have_a_window() -> None:
    sender = Sender()
    first, second = sender.stream(1, 1 << 20), sender.stream(3, 1 << 20)
    sender.answers.send(first, b"h", bytes(frames.FIRST_WINDOW), b"t")
    sender.answers.send(second, b"h", b"x", b"t")
    assert sender.over == [1]
    sender.answers.widen(1)
    sender.answers.send_blocked()
    assert sender.over == [1, 3]


def test_windows_have_a_largest_size() -> None:
    sender = Sender()
    for size in (0, frames.MAX_WINDOW):
        with pytest.raises(ConnectionFault):
            sender.answers.widen(size)
    with pytest.raises(ConnectionFault):
        sender.answers.resize(frames.MAX_WINDOW + 1, [])
    with pytest.raises(ConnectionFault):
        sender.answers.resize(frames.MAX_WINDOW, [sender.stream(1, frames.FIRST_WINDOW + 1)])
