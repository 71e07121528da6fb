"""Frames are counted before they are handled, and two kinds go no further."""

from __future__ import annotations

import pytest
from hyperframe.frame import DataFrame, HeadersFrame, PingFrame, WindowUpdateFrame

from serving.http2.client_frames import ClientFrames
from serving.http2.frame_budget import FRAMES, FrameBudget
from serving.http2.header_blocks import TooManyHeaders
from tests.serving.http2.raw_frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
    number_frame,
)


class Windows:
    """What was widened."""

    def __init__(self, *, are_taken: bool = True) -> None:
        self.are_taken = are_taken
        self.widened: list[tuple[int, int]] = []
        self.budget = FrameBudget(lambda: 0.0, streams=1)
        self.frames = ClientFrames(self.budget, self.widen)
        self.frames.max_frame_size = 16384
        self.frames.add_data(PREFACE)

    def widen(self, number: int, size: int) -> bool:
        self.widened.append((number, size))
        return self.are_taken

    def left(self) -> int:
        """How many frames may still be sent at once."""
        count = 0
        while not self.budget.debt_s():
            self.budget.spend()
            count += 1
        return count - 1


def test_window_updates_take_a_short_way_in_whatever_pieces_they_come() -> None:
    windows = Windows()
    sent = number_frame(WINDOW_UPDATE, 3, 7) + frame(PING, 0, 0, bytes(8)) + number_frame(WINDOW_UPDATE, 0, 9)
    kinds = []
    for byte in sent:
        windows.frames.add_data(bytes([byte]))
        kinds += [type(each) for each in windows.frames]
    assert windows.widened == [(3, 7), (0, 9)]
    assert kinds == [PingFrame]


def test_window_updates_that_the_library_has_to_judge_are_its_frames() -> None:
    windows = Windows(are_taken=False)
    windows.frames.add_data(number_frame(WINDOW_UPDATE, 3, 7))
    assert [type(each) for each in windows.frames] == [WindowUpdateFrame]


def test_a_goaway_is_noted() -> None:
    windows = Windows()
    windows.frames.add_data(frame(GOAWAY, 0, 0, bytes(8)) * 3000 + frame(DATA, 0, 1, b"x"))
    assert [isinstance(each, DataFrame) for each in windows.frames] == [True]
    assert windows.frames.is_client_leaving


@pytest.mark.parametrize(
    ("sent", "cost"),
    [
        (frame(PING, 0, 0, bytes(8)) * 10, 10),
        (number_frame(WINDOW_UPDATE, 0, 1) * 10, 10),
        (frame(77, 0, 0) * 10, 10),
        (frame(DATA, 0, 1, b"x") * 10, 0),
        (frame(SETTINGS, 0, 0, b"\0\3\0\0\0\1" * 100), 11),
        (frame(HEADERS, END_HEADERS, 1, b"\x83") * 8, 2),
        ((frame(HEADERS, 0, 1) + frame(CONTINUATION, 0, 1) * 2 + frame(CONTINUATION, END_HEADERS, 1)) * 8, 8),
    ],
    ids=["pings", "window updates", "unknown frames", "data", "settings", "headers", "continuations"],
)
def test_what_frames_cost(sent: bytes, cost: int) -> None:
    windows = Windows()
    windows.frames.add_data(sent)
    for each in windows.frames:
        assert not isinstance(each, HeadersFrame) or repr(each) == "HEADERS"
    assert windows.left() == FRAMES + 2 - cost


def test_headers_in_many_frames_are_bounded_together() -> None:
    windows = Windows()
    windows.frames.add_data(frame(HEADERS, 0, 1, bytes(10_000)) + frame(CONTINUATION, 0, 1, bytes(10_000)) * 2)
    with pytest.raises(TooManyHeaders):
        list(windows.frames)
