"""The frames of a client: each is counted before it is handled, and the most frequent ones take a short way."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, final

from h2.frame_buffer import FrameBuffer
from hyperframe.frame import DataFrame, GoAwayFrame, HeadersFrame, SettingsFrame

from serving.http2.header_blocks import LIST_BYTES, TooManyHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperframe.frame import Frame

    from serving.http2.frame_budget import FrameBudget

#: A block of headers may come in 64 frames, each of which is counted. A call that is answered pays for eight.
HEADERS_COST = 0.25
#: A window update begins with its length and kind; flags, its stream and the bytes follow.
WINDOW_UPDATE, WINDOW_UPDATE_BYTES = b"\0\0\4\x08", 13
NUMBERS, LARGEST = struct.Struct(">II"), (1 << 31) - 1
#: Settings count once for each so many bytes.
SETTINGS_BYTES = 60


class QuietData(DataFrame):
    """DATA that is not written as text, which the library does with every frame for a log that nobody keeps."""

    def __repr__(self) -> str:
        return "DATA"


class QuietHeaders(HeadersFrame):
    """HEADERS, as `QuietData`."""

    def __repr__(self) -> str:
        return "HEADERS"


@final
class ClientFrames(FrameBuffer):
    """Cuts bytes into frames, and charges those that bring nothing to a budget.

    DATA is free here: whether it brings something is known when its call has read it. Two kinds go no further. A
    GOAWAY is noted: the library would refuse to answer the calls that are left. And window updates, of which gRPC's own
    clients send two with each call.

    Args:
        widen: Takes a window update, given its stream and the bytes; False if the library is to take it.
    """

    def __init__(self, budget: FrameBudget, widen: Callable[[int, int], bool]) -> None:
        super().__init__(server=True)
        self._budget = budget
        self._widen = widen
        self.is_client_leaving = False
        """Whether the client begins no further calls."""

    def __next__(self) -> Frame:
        if self._headers_buffer and sum(len(part.data) for part in self._headers_buffer) > LIST_BYTES:
            raise TooManyHeaders("Headers in frames that do not end")
        while True:
            self._read_window_updates()
            frame = super().__next__()
            kind = type(frame)
            if kind is DataFrame:
                frame.__class__ = QuietData
                return frame
            self._budget.spend(_cost(frame))
            if kind is HeadersFrame:
                frame.__class__ = QuietHeaders
            if kind is not GoAwayFrame:
                return frame
            self.is_client_leaving = True

    def _read_window_updates(self) -> None:
        """Read those that come next; one that the library has to judge stays."""
        data = self._data
        while len(data) >= WINDOW_UPDATE_BYTES and data.startswith(WINDOW_UPDATE) and not self._headers_buffer:
            number, size = NUMBERS.unpack_from(data, len(WINDOW_UPDATE) + 1)
            if not self._widen(number & LARGEST, size & LARGEST):
                return
            self._budget.spend()
            del data[:WINDOW_UPDATE_BYTES]


def _cost(frame: Frame) -> float:
    if isinstance(frame, HeadersFrame):
        return HEADERS_COST
    return 1.0 + frame.body_len // SETTINGS_BYTES if isinstance(frame, SettingsFrame) else 1.0
