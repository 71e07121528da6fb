"""The short ways through the library's state write and count what its own ways do."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, TrailersReceived
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import DataFrame, HeadersFrame, PingFrame, WindowUpdateFrame
from hypothesis import given
from hypothesis import strategies as st

from serving.http2.connection_state import (
    CONNECTION_WINDOW,
    FRAMES,
    MAX_WINDOW,
    SPARE_STATES,
    STREAM_WINDOW,
    ClientFrames,
    ConnectionState,
    FrameBudget,
)
from serving.http2.header_blocks import TooManyHeaders
from tests.serving.http2.raw_frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    PING,
    PREFACE,
    SETTINGS,
    WINDOW_UPDATE,
    call,
    frame,
    number_frame,
    setting,
)
from tests.serving.http2.raw_frames import SETTINGS as SETTINGS_KIND
from tests.serving.http2.raw_frames import WINDOW_UPDATE as WINDOW_UPDATE_KIND

FIRST = ((b":status", b"200"), (b"content-type", b"application/grpc"))
LAST = ((b"grpc-status", b"0"), (b"x-request-id", b"7" * 36))


def state(calls: dict[int, Any] | None = None) -> ConnectionState:
    """A connection whose client has sent its settings."""
    made = ConnectionState(FrameBudget(lambda: 0.0, 100), 100, calls or {}, lambda _: None)
    made.initiate_connection()
    made.receive_data(PREFACE + frame(SETTINGS_KIND, 0, 0))
    made.clear_outbound_data_buffer()
    return made


@pytest.mark.parametrize("size", [0, 1, 255, 256, 16384])
def test_an_answer_in_one_piece_is_what_the_library_writes_in_three(size: int) -> None:
    data, short, long = bytes(size), state(), state()
    for each in (short, long):
        each.receive_data(call(1))
    short.send_answer(1, FIRST, data, LAST)
    long.send_headers(1, FIRST)
    long.send_data(1, data)
    long.send_headers(1, LAST, end_stream=True)
    assert short.data_to_send() == long.data_to_send()
    assert short.outbound_flow_control_window == long.outbound_flow_control_window
    assert short.streams[1].outbound_flow_control_window == long.streams[1].outbound_flow_control_window
    assert short.streams[1].closed
    assert long.streams[1].closed


def test_the_library_s_client_reads_an_answer_in_one_piece() -> None:
    client, server = H2Connection(H2Configuration(client_side=True)), state()
    client.initiate_connection()
    fields = {":method": "POST", ":scheme": "http", ":path": "/a/B", ":authority": "x", "te": "trailers"}
    client.send_headers(1, list(fields.items()), end_stream=True)
    server.receive_data(client.data_to_send()[len(PREFACE) :])
    server.send_answer(1, FIRST, b"hello", LAST)
    kinds = [type(event) for event in client.receive_data(server.data_to_send())]
    assert [kind for kind in kinds if kind in {ResponseReceived, DataReceived, TrailersReceived, StreamEnded}] == [
        ResponseReceived,
        DataReceived,
        TrailersReceived,
        StreamEnded,
    ]


UPDATES = st.lists(
    st.tuples(st.sampled_from([0, 1, 1, 3]), st.sampled_from([1, 7, 65535, 1 << 20, MAX_WINDOW - 65535, MAX_WINDOW])),
    max_size=8,
)


@given(UPDATES)
def test_windows_grow_and_overflow_as_in_the_library(updates: list[tuple[int, int]]) -> None:
    own, library = state(), H2Connection(H2Configuration(client_side=False, header_encoding=None))
    library.initiate_connection()
    library.receive_data(PREFACE + frame(SETTINGS_KIND, 0, 0))
    for each in (own, library):
        each.receive_data(call(1) + call(3))
    for number, size in updates:
        outcomes: list[Any] = []
        for each in (own, library):
            each.clear_outbound_data_buffer()
            try:
                each.receive_data(number_frame(WINDOW_UPDATE_KIND, number, size))
            except ProtocolError as error:
                outcomes.append(error.error_code)
            else:
                windows = [stream.outbound_flow_control_window for stream in each.streams.values()]
                outcomes.append((each.outbound_flow_control_window, windows, each.data_to_send()))
        assert outcomes[0] == outcomes[1]
        if not isinstance(outcomes[0], tuple):
            return


def test_the_client_is_told_its_limits() -> None:
    made = ConnectionState(FrameBudget(lambda: 0.0, 100), 77, {}, lambda _: None)
    made.initiate_connection()
    client = H2Connection(H2Configuration(client_side=True))
    client.initiate_connection()
    client.receive_data(made.data_to_send())
    assert client.remote_settings.max_concurrent_streams == 77
    assert client.remote_settings.initial_window_size == STREAM_WINDOW
    assert client.remote_settings[SettingCodes.MAX_HEADER_LIST_SIZE] == 16384
    assert client.outbound_flow_control_window == CONNECTION_WINDOW


def test_states_of_calls_that_are_over_are_dropped_and_those_of_open_ones_stay() -> None:
    calls: dict[int, Any] = {1: None}
    made = state(calls)
    made.receive_data(call(1))
    for number in range(3, 2003, 2):
        made.receive_data(call(number))
        made.send_answer(number, FIRST, b"", LAST)
        assert len(made.streams) <= 2 + SPARE_STATES + 2
    assert 1 in made.streams


def test_more_calls_than_the_client_may_have_are_no_end_of_the_connection() -> None:
    made = ConnectionState(FrameBudget(lambda: 0.0, 100), 1, {}, lambda _: None)
    made.initiate_connection()
    made.receive_data(PREFACE + setting(INITIAL_WINDOW_SIZE, 5) + call(1) + call(3) + call(5))
    assert sorted(made.streams) == [1, 3, 5]


def test_what_is_asked_of_the_library_s_inside_is_there() -> None:
    """Names without a promise: another release of the library may rename them."""
    made = state()
    assert {HEADERS, 0} <= {kind.type for kind in made._frame_dispatch_table if hasattr(kind, "type")}
    assert made.frames._headers_buffer == []
    made.frames.add_data(b"x")
    assert bytes(made.frames._data) == b"x"
    assert struct.calcsize(">HBBBI") == 9


class Windows:
    """What was widened."""

    def __init__(self, *, are_taken: bool = True) -> None:
        self.are_taken = are_taken
        self.widened: list[tuple[int, int]] = []
        self.budget = FrameBudget(lambda: 0.0, streams=1)
        self.frames = ClientFrames(self.budget, {1: None}, self.widen)
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
        (frame(DATA, 0, 3, b"x") * 10, 10),
        (frame(DATA, 1, 3, b"x") * 10 + frame(DATA, 0, 3, bytes(64)), 0),
        (frame(SETTINGS, 0, 0, b"\0\3\0\0\0\1" * 100), 11),
        (frame(HEADERS, END_HEADERS, 1, b"\x83") * 8, 2),
        ((frame(HEADERS, 0, 1) + frame(CONTINUATION, 0, 1) * 2 + frame(CONTINUATION, END_HEADERS, 1)) * 8, 8),
    ],
    ids=[
        "pings",
        "window updates",
        "unknown frames",
        "data",
        "data of no call",
        "ends of calls",
        "settings",
        "headers",
        "continuations",
    ],
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
