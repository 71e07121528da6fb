"""Slow clients, many clients, large bodies and path traversal: others are answered meanwhile."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
import pytest

from serving.transport.http_settings import HttpSettings
from serving.transport.limits import ConnectionTimeouts
from tests.serving.memory_log import BlockedLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving.conftest import OpenWebsite, Website

HEAD = b"POST /v1/models/half_plus_two:predict HTTP/1.1\r\nHost: a\r\n"
BODY = b'{"instances": [2.0]}'
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
HURRY = ConnectionTimeouts(request_s=0.2)


@contextmanager
def connected(website: Website, *, receives: int | None = None) -> Iterator[socket.socket]:
    with socket.socket() as connection:
        if receives is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", urlsplit(website.url).port or 0))
        yield connection


def until_closed(connection: socket.socket) -> bytes:
    received = b""
    while data := connection.recv(1 << 16):
        received += data
    return received


def answers(website: Website) -> bool:
    return bool(website.predict("half_plus_two", {"instances": [2.0]}).json == {"predictions": [3.0]})


@pytest.mark.parametrize("sent", [20, len(WHOLE) - len(BODY), len(WHOLE) - 1], ids=["head", "no body", "body"])
def test_a_request_that_does_not_end_is_refused(open_website: OpenWebsite, sent: int) -> None:
    with open_website(rest=HttpSettings(timeouts=HURRY)) as website, connected(website) as connection:
        connection.sendall(WHOLE[:sent])
        assert answers(website)
        assert until_closed(connection).startswith(b"HTTP/1.1 408 ")


def test_a_client_that_sends_byte_by_byte_is_answered(website: Website) -> None:
    with connected(website) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(WHOLE)):
            connection.sendall(WHOLE[at : at + 1])
        connection.shutdown(socket.SHUT_WR)
        assert b"3.0" in until_closed(connection)


def test_a_large_request_has_longer(open_website: OpenWebsite) -> None:
    """At one byte a second for a slow client, 8000 bytes that have come leave it more than two hours."""
    padding = b" " * 8000
    head = HEAD + b"Content-Length: %d\r\n\r\n" % (len(BODY) + len(padding))
    timeouts = ConnectionTimeouts(request_s=0.2, bytes_per_s=1.0)
    site = open_website(rest=HttpSettings(timeouts=timeouts))
    with site as website, connected(website) as slow, connected(website) as large:
        large.sendall(head + padding)
        slow.sendall(head)
        assert until_closed(slow).startswith(b"HTTP/1.1 408 ")
        large.sendall(BODY)
        large.shutdown(socket.SHUT_WR)
        assert b"3.0" in until_closed(large)


def test_an_idle_connection_is_closed(open_website: OpenWebsite) -> None:
    with (
        open_website(rest=HttpSettings(timeouts=ConnectionTimeouts(idle_s=0.2))) as website,
        connected(website) as connection,
    ):
        assert until_closed(connection) == b""


def test_a_client_that_does_not_read_its_answer_is_cut_off(open_website: OpenWebsite) -> None:
    body = b'{"instances": [%b]}' % b",".join([b"1e9"] * 2_000_000)  # three bytes become eleven: no socket holds them
    site = open_website(rest=HttpSettings(timeouts=ConnectionTimeouts(idle_s=0.5)))
    with site as website, connected(website, receives=4096) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        while website.connections():  # asking is a connection, too, but one that ends
            assert answers(website)
        received = len(until_cut(connection))
    assert received < 11 * 2_000_000, "the answer would have had so many bytes"


def test_answers_that_nobody_reads_are_held_against_the_limit(open_website: OpenWebsite) -> None:
    """Twelve clients of one answer of 5 MB each, which they do not read; the server holds 24 MiB."""
    body = orjson.dumps({"instances": [0.1] * 1_000_000})
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    settings = HttpSettings(held_bytes=24 << 20, body_bytes=8 << 20)
    with open_website(rest=settings) as website, ExitStack() as stack:
        clients = [stack.enter_context(connected(website, receives=4096)) for _ in range(12)]
        starts = []
        for client in clients:  # one after the other: their bodies count while they are answered, too
            client.sendall(request)
            starts.append(client.recv(12))
        assert starts.count(b"HTTP/1.1 200") in range(2, 7)
        assert starts.count(b"HTTP/1.1 503") == 12 - starts.count(b"HTTP/1.1 200")
        assert answers(website)
        for client in clients:
            client.close()
        with connected(website) as again:
            again.sendall(request)
            assert again.recv(12) == b"HTTP/1.1 200", "what was held was let go"


def until_cut(connection: socket.socket) -> bytes:
    received = b""
    try:
        while data := connection.recv(1 << 16):
            received += data
    except ConnectionResetError:
        pass
    return received


def test_connections_that_are_idle_longest_are_evicted(open_website: OpenWebsite) -> None:
    with open_website(rest=HttpSettings(connections=8)) as website, ExitStack() as stack:
        limiter = [stack.enter_context(connected(website)) for _ in range(40)]
        assert answers(website)
        assert until_closed(limiter[0]) == b""
        assert website.connections() <= 8


def test_one_client_has_so_many_requests_at_a_time_and_others_have_theirs(open_website: OpenWebsite) -> None:
    log = BlockedLog()
    with open_website(writer=log, rest=HttpSettings(client_requests=2)) as website, ExitStack() as stack:
        first, second, third = [stack.enter_context(connected(website)) for _ in range(3)]
        first.sendall(WHOLE)
        assert log.is_blocked.wait(30)
        second.sendall(WHOLE)
        for _ in range(2):  # a refusal is not counted
            third.sendall(WHOLE)
            assert third.recv(1000).startswith(b"HTTP/1.1 429 ")
        third.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        assert third.recv(1000).startswith(b"HTTP/1.1 200 ")
        address = ("127.0.0.1", urlsplit(website.url).port or 0)
        with socket.create_connection(address, timeout=30, source_address=("127.0.0.2", 0)) as other:
            other.sendall(WHOLE)
            second.close()  # its request is answered all the same, and counts until then
            log.unblock.set()
            assert b"3.0" in other.recv(1000)
        assert b"3.0" in first.recv(1000)
        third.sendall(WHOLE)
        assert b"3.0" in third.recv(1000)


def test_the_bodies_of_all_together_are_bounded(open_website: OpenWebsite) -> None:
    with open_website(rest=HttpSettings(held_bytes=1000)) as website:
        head = HEAD + b"Content-Length: 900\r\n\r\n"
        with connected(website) as first, connected(website) as second:
            first.sendall(WHOLE + head + b" " * 800)
            assert b"3.0" in first.recv(1000)
            second.sendall(head + b" " * 300)
            assert until_closed(second).startswith(b"HTTP/1.1 503 ")
            assert answers(website), "small ones are still taken"
            first.sendall(BODY + b" " * (100 - len(BODY)))
            assert b"3.0" in first.recv(1000)
        for _ in range(3):  # what was held is given back
            with connected(website) as again:
                again.sendall(head + b" " * 800)
                again.sendall(BODY + b" " * (100 - len(BODY)))
                assert b"3.0" in again.recv(1000)


@pytest.mark.parametrize(
    "endless",
    [b"1;" + b"a" * 1000 + b"\r\n \r\n", b"0\r\n" + b"X: y\r\n" * 100, b"0\r\nX: " + b"y" * 1000],
    ids=["chunk extensions", "trailers", "one trailer"],
)
def test_a_body_that_is_all_framing_is_refused(website: Website, endless: bytes) -> None:
    with connected(website) as connection:
        try:
            connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + endless)
            for _ in range(300):
                connection.sendall(endless.removeprefix(b"0\r\n").removeprefix(b"X: y") or b"y")
            received = until_closed(connection)
        except (BrokenPipeError, ConnectionResetError):
            received = b"HTTP/1.1 400 "
    assert received.startswith(b"HTTP/1.1 400 ")


def test_many_requests_ahead_whose_last_head_is_cut_are_no_long_head(website: Website) -> None:
    count = 2000
    with connected(website) as connection, ThreadPoolExecutor(1) as pool:
        received = pool.submit(until_closed, connection)
        connection.sendall(WHOLE * count + WHOLE[:30])
        connection.sendall(WHOLE[30:])
        connection.shutdown(socket.SHUT_WR)
        assert received.result().count(b"HTTP/1.1 200 OK") == count + 1


TRICKS = [
    b"..",
    b"../../etc/passwd",
    b"%2e%2e",
    b"%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    b"..%5c..%5cwindows",
    b"%00",
    b"a%00b",
    b"%",
    b"%zz",
    b"%ff%fe",
    "é\u202e\U0001f600".encode(),
    b"%F0%9F%98%80",
    b"a" * 60_000,
    b"%41" * 20_000,
    b"half_plus_two%00",
    b"half_plus_two/..",
    b"{x}",
    b"$(id)",
    b"'\"<script>",
    b"\\",
]


@pytest.mark.parametrize("name", TRICKS, ids=range(len(TRICKS)))
@pytest.mark.parametrize(
    "shape",
    [
        b"POST /v1/models/%s:predict",
        b"GET /v1/models/%s",
        b"GET /v1/models/%s/metadata",
        b"POST /v2/models/%s/infer",
        b"GET /v2/models/%s",
        b"GET /v2/models/%s/ready",
        b"GET /%s",
    ],
    ids=["predict", "status", "metadata", "infer", "v2 metadata", "v2 ready", "beside"],
)
def test_names_of_models_open_nothing(website: Website, shape: bytes, name: bytes) -> None:
    body = b'{"instances": [1], "inputs": []}' if shape.startswith(b"POST") else b""
    with connected(website) as connection:
        head = shape.replace(b"%s", name) + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        received = until_closed(connection)
    status = int(received.split()[1])
    assert status in {400, 404}, received
    assert b"root:" not in received
