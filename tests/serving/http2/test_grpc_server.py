"""The server of all connections, by gRPC's own client."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from tests.serving.http2 import raw_frames as frames
from tests.serving.http2.conftest import EchoServer, OpenEcho, wait_for
from tests.serving.http2.raw_frames import (
    CALL_HEADERS,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    ErrorCode,
    RawClient,
    call,
    frame,
    literal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]


def code_of(channel: grpc.Channel, message: bytes, method: str = "Echo", **options: float) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"/test.Echo/{method}")(message, **options)
    code: grpc.StatusCode = caught.value.code()
    return code


def test_errors_have_the_codes_of_grpc(echo: EchoServer, caplog: pytest.LogCaptureFixture) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{echo.port}") as channel:
        assert code_of(channel, b"x", "Nothing") is grpc.StatusCode.UNIMPLEMENTED
        assert code_of(channel, b"fail") is grpc.StatusCode.INTERNAL
        assert code_of(channel, b"wait", timeout=0.1) is grpc.StatusCode.DEADLINE_EXCEEDED
        assert code_of(channel, bytes((1 << 20) + 1)) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert channel.unary_unary("/test.Echo/Echo")(b"still there") == b"still there"
        with pytest.raises(grpc.RpcError) as caught:
            list(channel.stream_stream("/test.Echo/Repeat")(iter([b"fail"])))
        assert caught.value.code() is grpc.StatusCode.UNKNOWN
    assert "A call of /test.Echo/Repeat failed by a defect." in caplog.text


@pytest.mark.parametrize("algorithm", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_compressed_messages_are_read(echo: EchoServer, algorithm: grpc.Compression) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{echo.port}", compression=algorithm) as channel:
        assert channel.unary_unary("/test.Echo/Echo")(bytes(10_000)) == bytes(10_000)
        assert code_of(channel, bytes(3_000_000)) is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_another_compression_is_refused_with_those_that_are_taken(echo: EchoServer) -> None:
    with RawClient(echo.port) as client:
        client.send(call(1, headers=CALL_HEADERS + literal(b"grpc-encoding", b"snappy")))
        trailers = client.until(HEADERS, flag=END_STREAM)
        assert b"grpc-status\x0212" in trailers
        assert b"identity,deflate,gzip" in trailers


def test_the_server_ends_a_call_whose_deadline_has_passed(echo: EchoServer) -> None:
    before = echo.handlers.cancelled
    with RawClient(echo.port) as client:
        client.send(call(1, b"wait", headers=CALL_HEADERS + literal(b"grpc-timeout", b"50m")))
        assert b"grpc-status\x014" in client.until(HEADERS, flag=END_STREAM)
    wait_for(lambda: echo.handlers.cancelled == before + 1)


def test_what_is_no_call_gets_a_status_of_http(echo: EchoServer) -> None:
    with RawClient(echo.port) as client:
        plain = b"\x82\x86\x84" + literal(b":authority", b"localhost")
        client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, plain))
        assert client.until(HEADERS).endswith(b"\x03415")


def test_a_stream_of_messages_has_a_stream_of_answers(echo: EchoServer) -> None:
    messages = [b"%d" % number * 1000 for number in range(200)]
    with grpc.insecure_channel(f"127.0.0.1:{echo.port}") as channel:
        answers = list(channel.stream_stream("/test.Echo/Repeat")(iter(messages)))
    assert answers == [message for message in messages for _ in range(2)]
    wait_for(echo.holds_nothing)


def burst(channel: grpc.Channel, count: int, **options: Any) -> list[grpc.StatusCode | None]:
    """Begin calls at once; gives the codes of those that failed."""
    send = channel.unary_unary("/test.Echo/Echo")
    calls = [send.future(b"%d" % number, **options) for number in range(count)]
    assert all(each.exception(60) is not None or each.result() == b"%d" % n for n, each in enumerate(calls))
    return [each.code() for each in calls if each.exception() is not None]


@pytest.mark.slow
@pytest.mark.parametrize("streams", [100, 1024])
def test_bursts_of_2000_calls_on_one_channel_lose_none(open_echo: OpenEcho, streams: int) -> None:
    with open_echo(streams=streams) as echo, grpc.insecure_channel(f"127.0.0.1:{echo.port}") as channel:
        for _ in range(10):
            assert burst(channel, 2000) == []
        assert echo.handlers.begun == 20_000
        wait_for(echo.holds_nothing)


def storm(channel: grpc.Channel, count: int, timeout_s: float) -> list[grpc.StatusCode]:
    """Begin calls that miss a deadline, all at once; gives their codes."""
    send = channel.unary_unary("/test.Echo/Echo")
    calls = [send.future(b"wait", timeout=timeout_s) for _ in range(count)]
    return [each.exception(60).code() for each in calls]


def test_storms_of_deadlines_end_no_connection(open_echo: OpenEcho) -> None:
    """Each client resets its calls when they are late, which a server may take for an attack."""
    with open_echo(streams=1024) as echo, grpc.insecure_channel(f"127.0.0.1:{echo.port}") as channel:
        for _ in range(10):
            assert set(storm(channel, 800, 0.2)) == {grpc.StatusCode.DEADLINE_EXCEEDED}
        assert channel.unary_unary("/test.Echo/Echo")(b"still there", timeout=60) == b"still there"
        wait_for(lambda: echo.handlers.cancelled == echo.handlers.begun - 1)


def test_calls_that_their_clients_cancel_end_no_connection(open_echo: OpenEcho) -> None:
    with open_echo(streams=1024) as echo, grpc.insecure_channel(f"127.0.0.1:{echo.port}") as channel:
        send = channel.unary_unary("/test.Echo/Echo")
        for turn in range(5):
            calls = [send.future(b"wait") for _ in range(500)]
            wait_for(lambda turn=turn: echo.handlers.begun == 500 * (turn + 1))  # type: ignore[misc]
            for each in calls:
                each.cancel()
        wait_for(lambda: echo.handlers.cancelled == 2500)
        assert send(b"still there", timeout=60) == b"still there"
        wait_for(echo.holds_nothing)


def test_large_answers_cost_in_proportion_and_leave_room_for_others(open_echo: OpenEcho) -> None:
    """Processor time of the event loop: for each size as often as for 64 MiB, and while another call waits.

    The least of three turns, as the kernel may have to find pages for 64 MiB first. Calls beside are counted over
    all turns: one of 8 MiB may be over before the other channel has its turn on a busy machine.
    """
    spent = dict.fromkeys((8, 16, 32, 64), math.inf)
    waits: list[float] = []
    own = ("grpc.use_local_subchannel_pool", 1)
    with (
        open_echo(held_bytes=1 << 28) as echo,
        grpc.insecure_channel(f"127.0.0.1:{echo.port}", UNLIMITED) as channel,
        grpc.insecure_channel(f"127.0.0.1:{echo.port}", [own]) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        large, small = (each.unary_unary("/test.Echo/Echo") for each in (channel, other))
        for megabytes in (*spent, *spent, *spent):
            begin = echo.cpu_s()
            for _ in range(64 // megabytes):
                assert len(large(b"grow%d" % (megabytes << 20), timeout=60)) == megabytes << 20
            spent[megabytes] = min(spent[megabytes], echo.cpu_s() - begin)
            answer, meanwhile = pool.submit(large, b"grow%d" % (megabytes << 20), timeout=60), 0
            while not answer.done() or not meanwhile:
                begin = echo.cpu_s()
                assert small(b"x", timeout=60) == b"x"
                waits.append(echo.cpu_s() - begin)
                meanwhile += 1
            assert len(answer.result()) == megabytes << 20
        wait_for(echo.holds_nothing)
    assert max(spent.values()) < 3 * min(spent.values()), spent
    assert len(waits) > 5 * 3 * len(spent)  # who has to wait until a large answer is whole gets one beside it
    assert sorted(waits)[-4] < 0.1, waits  # in one of each turn the process may have collected its garbage


def test_calls_and_connections_are_bounded(open_echo: OpenEcho) -> None:
    with open_echo(calls=1, connections=1) as echo, RawClient(echo.port) as client:
        client.send(call(1, b"wait"), call(3))
        assert b"grpc-status\x018" in client.until(HEADERS, stream=3)
        with RawClient(echo.port) as other:
            assert not list(other.frames())


def test_a_stopping_server_answers_what_it_has_begun(open_echo: OpenEcho) -> None:
    with open_echo() as echo, RawClient(echo.port) as client:
        client.send(frame(HEADERS, END_HEADERS, 1, CALL_HEADERS), frame(frames.PING, 0, 0, bytes(8)))
        client.until(frames.PING)
        stopping = threading.Thread(target=echo.stop, args=(20.0,))
        stopping.start()
        client.until(frames.GOAWAY)
        client.send(call(3))
        client.until(frames.RST_STREAM, stream=3)
        client.send(call(1)[len(frame(HEADERS, 0, 1, CALL_HEADERS)) :])
        assert b"hello" in client.until(frames.DATA, stream=1)
        stopping.join(10)
        assert not stopping.is_alive()


def test_a_stopping_server_does_not_wait_for_ever(open_echo: OpenEcho) -> None:
    with open_echo() as echo, RawClient(echo.port) as client:
        client.send(call(1, b"wait"), frame(frames.PING, 0, 0, bytes(8)))
        client.until(frames.PING)
        echo.stop(0.1)
        list(client.frames())
        assert echo.handlers.cancelled == 1


def test_a_client_goes_on_by_another_connection_when_its_own_is_old(open_echo: OpenEcho) -> None:
    with (
        open_echo(age_s=0.2, age_grace_s=0.2) as echo,
        grpc.insecure_channel(f"127.0.0.1:{echo.port}") as channel,
        RawClient(echo.port) as client,
    ):
        send = channel.unary_unary("/test.Echo/Echo")
        client.send(call(1, b"wait"))
        assert client.goaway() == ErrorCode.NO_ERROR
        assert send(b"x", timeout=60, wait_for_ready=True) == b"x"
        list(client.frames())  # ended when the time of grace is over
        assert send(b"x", timeout=60, wait_for_ready=True) == b"x"
        wait_for(lambda: echo.handlers.cancelled == 1)


def test_a_silent_client_is_asked_whether_it_is_there(open_echo: OpenEcho) -> None:
    with open_echo(keepalive_s=0.1, keepalive_timeout_s=0.3) as echo:
        with RawClient(echo.port) as client:
            for _ in range(3):
                client.send(frame(frames.PING, frames.ACK, 0, client.until(frames.PING)))
            client.send(call(1))
            assert client.answer(1) == b"hello"
        with RawClient(echo.port) as silent:
            silent.until(frames.PING)
            assert not [kind for kind, *_ in silent.frames() if kind == frames.GOAWAY]


def test_a_client_that_pings_is_answered(open_echo: OpenEcho) -> None:
    """gRPC's own server ends connections whose client pings more often than every five minutes."""
    options = [
        ("grpc.keepalive_time_ms", 10),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    with open_echo() as echo, grpc.insecure_channel(f"127.0.0.1:{echo.port}", options) as channel:
        send = channel.unary_unary("/test.Echo/Echo")
        for _ in range(5):
            assert send(b"x", timeout=60) == b"x"
            time.sleep(0.05)


@pytest.fixture
def asking(echo: EchoServer) -> Iterator[Callable[[bytes], bytes]]:
    """Sends one call by a new connection."""
    with grpc.insecure_channel(f"127.0.0.1:{echo.port}", UNLIMITED) as channel:
        yield channel.unary_unary("/test.Echo/Echo")


@pytest.mark.parametrize("size", [0, 1, 16_378, 16_379, 16_380, 65_535, 65_536, 1_000_000])
def test_answers_of_every_size_are_whole(asking: Callable[[bytes], bytes], size: int) -> None:
    message = bytes(range(256)) * (size // 256 + 1)
    assert asking(message[:size]) == message[:size]
