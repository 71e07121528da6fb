"""The library h2's state of one connection, with what this server does otherwise."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable
from typing import Any, final

from h2.config import H2Configuration
from h2.connection import ConnectionInputs, H2Connection
from h2.errors import ErrorCodes
from h2.frame_buffer import FrameBuffer
from h2.settings import SettingCodes, Settings
from h2.stream import StreamInputs
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, SettingsFrame

from serving.http2.header_blocks import LIST_BYTES, BlockDecoder, BlockEncoder, Header, TooManyHeaders

#: Frames at once, and further ones for each call that a connection may have: all of them may be reset at a deadline.
FRAMES, FRAMES_PER_STREAM = 1000, 2
#: An answered call whose message has come allows further frames: its window updates, pings, and a reset.
FRAMES_PER_CALL = 8
#: A connection that owes no more than so many never waits for what others of its address have sent.
FREE_FRAMES = 64


@final
class FrameBudget:
    """Counts the frames of a connection, or of a client. Who has sent too many is read no faster than they are allowed.

    In the long run a connection may send as many such frames a second as it may have calls at a time, so that clients
    whose calls all miss deadlines of a second are never slowed down.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float], streams: int) -> None:
        self._clock = clock
        self.shared: FrameBudget | None = None
        """That of all connections of the client's address."""
        self._frames_per_s = max(1, streams)
        self._most = self._left = float(FRAMES + FRAMES_PER_STREAM * streams)
        self._filled_s = clock()

    def spend(self, frames: float = 1.0) -> None:
        """Count frames."""
        self._left -= frames
        if self.shared is not None:
            self.shared.spend(frames)

    def refill(self, frames: float = FRAMES_PER_CALL) -> None:
        """Allow further frames."""
        self._left = min(self._most, self._left + frames)
        if self.shared is not None:
            self.shared.refill(frames)

    def debt_s(self) -> float:
        """Seconds until what was read is paid for; 0 where the client has sent no more than it may."""
        if self._left >= 0:
            return 0.0
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._filled_s) * self._frames_per_s)
        self._filled_s = now
        return max(0.0, -self._left / self._frames_per_s)

    def shared_debt_s(self) -> float:
        """As `debt_s`, of all connections of the address together; 0 for one that has sent few frames itself."""
        return 0.0 if self.shared is None or self._left >= self._most - FREE_FRAMES else self.shared.debt_s()

    def close(self) -> None:
        """The connection is over: the others of its address do not pay what it owes."""
        if self.shared is not None:
            self.shared.refill(max(0.0, -self._left))
            self.shared = None


#: A block of headers may come in 64 frames, each of which is counted. A call that is answered pays for eight.
HEADERS_COST = 0.25
#: DATA of fewer bytes that does not end a message costs more than it brings.
SMALL_DATA, END = 64, "END_STREAM"
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

    DATA of an open call is free here: whether it brings something is known when the call has read it. Two kinds go no
    further. A GOAWAY is noted: the library would refuse to answer the calls that are left. And window updates, of which
    gRPC's own clients send two with each call.

    Args:
        calls: The streams of open calls.
        widen: Takes a window update, given its stream and the bytes; False if the library is to take it.
    """

    def __init__(self, budget: FrameBudget, calls: Collection[int], widen: Callable[[int, int], bool]) -> None:
        super().__init__(server=True)
        self._budget = budget
        self._calls = calls
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
                if frame.body_len < SMALL_DATA and not (frame.stream_id in self._calls or END in frame.flags):
                    self._budget.spend()
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


#: What a client may send of a call, and of all calls of a connection, before it is told that there is room for more.
STREAM_WINDOW, CONNECTION_WINDOW = 1 << 20, 16 << 20
FIRST_WINDOW, MAX_WINDOW = 65535, (1 << 31) - 1
#: States of calls that are over are dropped when there are so many beside twice those of the calls that are open.
SPARE_STATES = 32


#: The first 16 bits of a frame's length, the other 8, its kind, flags, and the number of its stream.
FRAME_HEAD = struct.Struct(">HBBBI")
DATA, HEADERS = 0, 1
END_HEADERS, END_STREAM = 4, 1
ANSWER_STEPS = (
    StreamInputs.SEND_HEADERS,
    StreamInputs.SEND_DATA,
    StreamInputs.SEND_HEADERS,
    StreamInputs.SEND_END_STREAM,
)


@final
class ConnectionState(H2Connection):
    """A server's end of one connection.

    What each call of gRPC's own clients brings takes a short way, at a fraction of the processor time: headers that are
    repeated, window updates, and whole answers. Tests compare it with the library's own way.

    Args:
        on_window: Called with the stream whose window is wider; 0: that of all together.
    """

    #: Of so many calls it is known how they ended, for frames of them that come late. The library's own number takes
    #: megabytes.
    MAX_CLOSED_STREAMS = 1024

    encoder: Any
    decoder: Any

    def __init__(
        self, budget: FrameBudget, streams: int, calls: Collection[int], on_window: Callable[[int], None]
    ) -> None:
        # Headers are checked by `is_malformed`, once for those that are repeated.
        super().__init__(
            H2Configuration(
                client_side=False,
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.incoming_buffer = self.frames = ClientFrames(budget, calls, self._widen)
        handlers = self._frame_dispatch_table
        handlers |= {QuietData: handlers[DataFrame], QuietHeaders: handlers[HeadersFrame]}
        self._on_window = on_window
        self.decoder, self.encoder = BlockDecoder(), BlockEncoder()
        self._calls = calls
        self.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: streams,
                SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: LIST_BYTES,
            },
        )

    @property
    def open_inbound_streams(self) -> int:
        """None, so that the library never ends a connection with too many calls: they are refused one by one.

        The library counts all streams here, and drops those that are over, for each new one. That is done only now
        and then, so that a burst of calls costs what its calls cost.
        """
        if len(self.streams) > 2 * len(self._calls) + SPARE_STATES:
            _ = super().open_inbound_streams
        return 0

    def initiate_connection(self) -> None:
        """Tell the client its limits."""
        super().initiate_connection()
        self.increment_flow_control_window(CONNECTION_WINDOW - FIRST_WINDOW)

    def reset_if_open(self, number: int, code: ErrorCodes) -> None:
        """End a stream, unless the client has ended it meanwhile."""
        stream = self.streams.get(number)
        if stream is not None and not stream.closed:
            self.reset_stream(number, code)

    def send_answer(self, number: int, first: Iterable[Header], data: bytes, last: Iterable[Header]) -> None:
        """Send a whole answer, for which the windows have room, at a third of what its three frames cost one by one."""
        stream = self.streams[number]
        self.state_machine.process_input(ConnectionInputs.SEND_HEADERS)
        for step in ANSWER_STEPS:
            stream.state_machine.process_input(step)
        size = len(data)
        self.outbound_flow_control_window -= size
        stream.outbound_flow_control_window -= size
        head, tail = self.encoder.encode(first), self.encoder.encode(last)
        pack = FRAME_HEAD.pack
        self._data_to_send += b"".join(
            (
                *(pack(0, len(head), HEADERS, END_HEADERS, number), head),
                *(pack(size >> 8, size & 0xFF, DATA, 0, number), data),
                *(pack(len(tail) >> 8, len(tail) & 0xFF, HEADERS, END_HEADERS | END_STREAM, number), tail),
            )
        )

    def _widen(self, number: int, size: int) -> bool:
        """Take a window update; False for one that the library has to judge."""
        if not size:
            return False
        if not number:
            window = self.outbound_flow_control_window + size
            if window > MAX_WINDOW:
                return False
            self.outbound_flow_control_window = window
        else:
            stream = self.streams.get(number)
            window = MAX_WINDOW + 1 if stream is None else stream.outbound_flow_control_window + size
            if stream is None or window > MAX_WINDOW or not stream.open:
                return False
            stream.outbound_flow_control_window = window
        self._on_window(number)
        return True
