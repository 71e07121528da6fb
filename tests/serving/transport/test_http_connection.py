"""Connections: pipelined requests, bodies beyond the limit, clients that close early, and bytes that are not HTTP."""

from __future__ import annotations

import http.client
import socket
from contextlib import closing, contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.access.origins import OriginPolicy
from serving.transport.http_connection import source_refusal
from serving.transport.http_settings import HttpSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving.conftest import OpenWebsite, Website

PATH = b"/v1/models/half_plus_two:predict"


def post(body: bytes, headers: bytes = b"", version: bytes = b"1.1", path: bytes = PATH) -> bytes:
    return b"POST %b HTTP/%b\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n%b" % (path, version, headers, len(body), body)


@contextmanager
def connected(website: Website) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", urlsplit(website.url).port or 0), timeout=30) as connection:
        yield connection


def until_closed(connection: socket.socket) -> bytes:
    received = b""
    while data := connection.recv(1 << 16):
        received += data
    return received


def bodies(received: bytes) -> list[bytes]:
    """The bodies of answers one after another."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        found.append(rest[:size])
        received = rest[size:]
    return found


def doubled(value: float) -> bytes:
    return b'{\n    "predictions": [%b\n    ]\n}' % str(value / 2 + 2).encode()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.integers(0, 9), min_size=1, max_size=30), cuts=st.lists(st.integers(0, 4000), max_size=5))
def test_pipelined_requests_are_answered_in_their_order(website: Website, values: list[int], cuts: list[int]) -> None:
    requests = [post(b'{"instances": [%d]}' % value) for value in values]
    requests.insert(1, b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n")
    sent = b"".join(requests)
    edges = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
    with connected(website) as connection:
        for begin, end in pairwise(edges):
            connection.sendall(sent[begin:end])
        connection.shutdown(socket.SHUT_WR)
        answers = bodies(until_closed(connection))
    expected = [doubled(value) for value in values]
    expected.insert(1, b'{"live": true}\n')
    assert answers == expected


@pytest.mark.parametrize(
    ("headers", "version"), [(b"Connection: close\r\n", b"1.1"), (b"", b"1.0")], ids=["close", "1.0"]
)
def test_a_connection_is_closed_after_one_answer_if_the_client_wants_that(
    website: Website, headers: bytes, version: bytes
) -> None:
    with connected(website) as connection:
        connection.sendall(post(b'{"instances": [2]}', headers, version))
        received = until_closed(connection)
    assert bodies(received) == [doubled(2)]
    assert b"\r\nconnection: close\r\n" in received


def test_no_body_for_head(website: Website) -> None:
    with connected(website) as connection:
        connection.sendall(b"HEAD /v1/models/half_plus_two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = until_closed(connection)
    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert received.endswith(b"\r\n\r\n")


def test_whole_urls_and_fragments(website: Website) -> None:
    with connected(website) as connection:
        connection.sendall(post(b'{"instances": [2]}', b"Connection: close\r\n", path=b"http://a:1" + PATH + b"#there"))
        assert bodies(until_closed(connection)) == [doubled(2)]


def test_a_client_that_expects_100_continue_gets_it(website: Website) -> None:
    head, _, body = post(b'{"instances": [2]}', b"Expect: 100-continue\r\nConnection: close\r\n").partition(b"\r\n\r\n")
    with connected(website) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert bodies(until_closed(connection)) == [doubled(2)]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_limit_is_refused_while_it_comes(open_website: OpenWebsite, chunked: bool) -> None:
    endless = b"".join(b"400\r\n%b\r\n" % (b" " * 1024) for _ in range(100))
    framed = b"Transfer-Encoding: chunked\r\n" if chunked else b"Content-Length: 99999999\r\n"
    head = b"POST " + PATH + b" HTTP/1.1\r\nHost: a\r\n" + framed + b"\r\n"
    with open_website(rest=HttpSettings(body_bytes=4096)) as website, connected(website) as connection:
        connection.sendall(post(b'{"instances": [2]}') + head + endless)
        received = until_closed(connection)
    first, second = bodies(received)
    assert first == doubled(2)
    assert b"larger than the 4096 bytes" in second
    assert b"HTTP/1.1 413 " in received


@pytest.mark.parametrize(
    "nonsense",
    [b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000, b"GET /" + b"a" * 200_000],
    ids=["tls", "endless header", "endless path"],
)
def test_bytes_that_are_not_http_are_refused_after_the_requests_before_them(website: Website, nonsense: bytes) -> None:
    with connected(website) as connection:
        connection.sendall(post(b'{"instances": [2]}') + nonsense)
        assert bodies(until_closed(connection)) == [doubled(2), b"Invalid HTTP request received."]


@pytest.mark.parametrize("cut", [0, 60, -5])
def test_the_offer_of_another_protocol_is_ignored(website: Website, cut: int) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    sent = post(b'{"instances": [2]}', upgrade) * 2
    with connected(website) as connection:
        connection.sendall(sent[:cut])
        connection.sendall(sent[cut:])
        connection.shutdown(socket.SHUT_WR)
        assert bodies(until_closed(connection)) == [doubled(2)] * 2


def test_no_tunnels(website: Website) -> None:
    with connected(website) as connection:
        connection.sendall(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert until_closed(connection).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_leaves_early_does_not_affect_others(website: Website) -> None:
    for sent in (post(b'{"instances": [2]}'), post(b'{"instances": [2]}')[:-3], b""):
        with connected(website) as connection:
            connection.sendall(sent)
    assert website.predict("half_plus_two", {"instances": [2]}).json == {"predictions": [3.0]}


def test_a_body_in_chunks_is_one_body(website: Website) -> None:
    with closing(http.client.HTTPConnection(website.url.removeprefix("http://"), timeout=60)) as connection:
        chunks = iter([b'{"instances"', b": [2", b".0]}"])
        connection.request("POST", "/v1/models/half_plus_two:predict", body=chunks, encode_chunked=True)
        assert connection.getresponse().read() == b'{\n    "predictions": [3.0\n    ]\n}'


ANY = OriginPolicy()
HOST = (b"host", b"localhost")


@pytest.mark.parametrize(
    ("headers", "version", "status"),
    [
        ([HOST], "1.1", None),
        ([], "1.1", 400),
        ([HOST, HOST], "1.1", 400),
        ([], "1.0", None),
        ([(b"transfer-encoding", b"chunked")], "1.0", 400),
        ([HOST, (b"transfer-encoding", b"chunked")], "1.1", None),
        ([HOST, (b"origin", b"https://a.example")], "1.1", 403),
        ([HOST, (b"sec-fetch-site", b"cross-site")], "1.1", 403),
        ([(b"host", b"a.example")], "1.1", None),
    ],
)
def test_a_request_is_refused_for_where_it_comes_from(
    headers: list[tuple[bytes, bytes]], version: str, status: int | None
) -> None:
    refusal = source_refusal(headers, version, ANY)
    assert (None if refusal is None else refusal.status) == status


def test_another_servers_name_is_refused() -> None:
    refusal = source_refusal([(b"host", b"a.example")], "1.1", OriginPolicy(names=frozenset({"localhost"})))
    assert refusal is not None
    assert (refusal.status, b"a.example" in refusal.body) == (403, True)
