"""A call as handlers see it, by gRPC's own client."""

from __future__ import annotations

import grpc
import pytest

from tests.serving.http2.conftest import EchoServer, wait_for


def test_peer_metadata_and_deadline_are_those_of_the_client(echo: EchoServer) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{echo.port}") as channel:
        _, call = channel.unary_unary("/test.Echo/Echo").with_call(b"hi", timeout=5, metadata=(("x-name", "me"),))
    trailing = dict(call.trailing_metadata())
    assert (trailing["x-peer"].rpartition(":")[0], trailing["x-name"]) == ("ipv4:127.0.0.1", "me")
    left = echo.handlers.deadlines[-1]
    assert left is not None
    assert 0 < left <= 5


def test_a_handler_may_end_its_call_with_any_words(echo: EchoServer) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{echo.port}") as channel, pytest.raises(grpc.RpcError) as caught:
        channel.stream_unary("/test.Echo/Echo")(iter(()))
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert caught.value.details() == "100 % nothing \u2013 at all"


def test_a_stream_of_messages_gets_a_stream_of_answers(echo: EchoServer) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{echo.port}") as channel:
        answers = list(channel.stream_stream("/test.Echo/Repeat")(iter((b"a", b"", b"b" * 100_000))))
    assert answers == [b"a", b"a", b"", b"", b"b" * 100_000, b"b" * 100_000]


def test_a_client_that_gives_up_cancels_the_handler(echo: EchoServer) -> None:
    before, handled = echo.handlers.cancelled, len(echo.handlers.deadlines)
    with grpc.insecure_channel(f"127.0.0.1:{echo.port}") as channel:
        call = channel.unary_unary("/test.Echo/Echo").future(b"wait")
        wait_for(lambda: len(echo.handlers.deadlines) > handled)
        call.cancel()
        wait_for(lambda: echo.handlers.cancelled == before + 1)
