"""The server of all connections, by gRPC's own client."""

from __future__ import annotations

import threading

import grpc
import pytest

from serving.http2 import frames
from serving.http2.frames import frame, literal
from serving.http2.grpc_server import error_headers
from serving.http2.header_decoder import HeaderDecoder
from tests.serving.http2.conftest import HEADERS, EchoServer, OpenEcho, RawClient, call, wait_for


def code_of(channel: grpc.Channel, message: bytes, method: str = "Echo", **options: float) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"/test.Echo/{method}")(message, **options)
    code: grpc.StatusCode = caught.value.code()
    return code


def test_errors_have_the_codes_of_grpc(echo: EchoServer, caplog: pytest.LogCaptureFixture) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{echo.port}") as channel:
        assert code_of(channel, b"x", "Nothing") is grpc.StatusCode.UNIMPLEMENTED
        assert code_of(channel, b"fail") is grpc.StatusCode.UNKNOWN
        assert code_of(channel, b"wait", timeout=0.1) is grpc.StatusCode.DEADLINE_EXCEEDED
        assert code_of(channel, bytes((1 << 20) + 1)) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert channel.unary_unary("/test.Echo/Echo")(b"still there") == b"still there"
    assert "A call of /test.Echo/Echo failed by a defect." in caplog.text
    with grpc.insecure_channel(f"127.0.0.1:{echo.port}", compression=grpc.Compression.Gzip) as channel:
        assert code_of(channel, bytes(10000)) is grpc.StatusCode.UNIMPLEMENTED


def test_the_server_ends_a_call_whose_deadline_has_passed(echo: EchoServer) -> None:
    before = echo.handlers.cancelled
    with RawClient(echo.port) as client:
        client.send(call(1, b"wait", headers=HEADERS + literal(b"grpc-timeout", b"50m")))
        assert b"grpc-status\x014" in client.until(frames.HEADERS, flag=frames.END_STREAM)
    wait_for(lambda: echo.handlers.cancelled == before + 1)


def test_what_is_no_call_gets_a_status_of_http(echo: EchoServer) -> None:
    with RawClient(echo.port) as client:
        client.send(frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, 1, b"\x82\x86\x84"))
        assert HeaderDecoder(list).decode(client.until(frames.HEADERS)) == [(b":status", b"415")]


def test_many_calls_share_a_connection(echo: EchoServer) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{echo.port}") as channel:
        send = channel.unary_unary("/test.Echo/Echo")
        calls = [send.future(b"%d" % number) for number in range(500)]
        assert [one.result(30) for one in calls] == [b"%d" % number for number in range(500)]


def test_calls_and_connections_are_bounded(open_echo: OpenEcho) -> None:
    with open_echo(calls=1, connections=1) as echo, RawClient(echo.port) as client:
        client.send(call(1, b"wait"), call(3))
        assert b"grpc-status\x018" in client.until(frames.HEADERS, stream=3)
        with RawClient(echo.port) as other:
            assert not list(other.frames())


def test_a_stopping_server_answers_what_it_has_begun(open_echo: OpenEcho) -> None:
    with open_echo() as echo, RawClient(echo.port) as client:
        client.send(frame(frames.HEADERS, frames.END_HEADERS, 1, HEADERS), frame(frames.PING, 0, 0, bytes(8)))
        client.until(frames.PING)
        stopping = threading.Thread(target=echo.stop, args=(20.0,))
        stopping.start()
        client.until(frames.GOAWAY)
        client.send(call(3))
        client.until(frames.RST_STREAM, stream=3)
        client.send(call(1)[len(frame(frames.HEADERS, 0, 1, HEADERS)) :])
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


def test_messages_of_errors_are_printable() -> None:
    assert HeaderDecoder(list).decode(error_headers(3, "50 %\n\u00e9")) == [
        (b"grpc-status", b"3"),
        (b"grpc-message", b"50 %25%0A%C3%A9"),
    ]
