from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from monitoring.dashboard.web import bounded_http
from monitoring.dashboard.web.bounded_http import MOST_HEAD_BYTES
from monitoring.dashboard.web.server import bind, serving

HEAD = b"GET / HTTP/1.1\r\nhost: a\r\n"


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    async def size(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    app = Starlette(routes=[Route("/", size, methods=["GET", "POST"])])
    with bind("127.0.0.1", 0) as listening, serving(app, listening):
        yield listening.getsockname()[:2]


def connected(address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, timeout=20)


def answer_of(client: socket.socket) -> bytes:
    try:
        return client.recv(65_536)
    except ConnectionResetError:
        return b""


def whole_answer_of(client: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(b"\r\n\r\n0"):
        part = answer_of(client)
        if not part:
            break
        answer += part
    return answer


def test_a_head_of_many_bytes_is_refused_before_it_is_whole(address: tuple[str, int]) -> None:
    with connected(address) as client:
        try:
            for _ in range(64):
                client.sendall(b"x: " + b"a" * 16_381 if _ else HEAD + b"x: ")
        except (ConnectionResetError, BrokenPipeError):
            pass
        assert b" 200 " not in answer_of(client)
    with connected(address) as client:
        client.sendall(HEAD + b"x: " + b"a" * (MOST_HEAD_BYTES + 1) + b"\r\n\r\n")
        assert b" 400 " in answer_of(client)
    with connected(address) as client:
        client.sendall(HEAD + b"x: " + b"a" * (MOST_HEAD_BYTES // 2) + b"\r\n\r\n")
        assert b" 200 " in answer_of(client)


def test_a_request_that_does_not_come_whole_in_time_ends_its_connection(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_http, "REQUEST_SECONDS", 0.2)
    with connected(address) as silent, connected(address) as half, connected(address) as slow:
        half.sendall(HEAD)
        slow.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n12")
        assert [answer_of(one) for one in (silent, half, slow)] == [b"", b"", b""]
    with connected(address) as client:
        client.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n12")
        assert answer_of(client).endswith(b"\r\n\r\n2")


def test_a_connection_too_many_takes_the_place_of_the_one_that_was_idle_longest(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_http, "MOST_CONNECTIONS", 2)
    with connected(address) as first, connected(address) as second:
        for client in (first, second):
            client.sendall(HEAD + b"\r\n")
            assert whole_answer_of(client).startswith(b"HTTP/1.1 200 ")
        with connected(address) as third:
            third.sendall(HEAD + b"\r\n")
            assert whole_answer_of(third).startswith(b"HTTP/1.1 200 ")
            assert answer_of(first) == b""
            second.sendall(HEAD + b"\r\n")
            assert whole_answer_of(second).startswith(b"HTTP/1.1 200 ")
