from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from monitoring.dashboard.web import server
from monitoring.dashboard.web.server import MOST_HEAD_BYTES, access_of, address_of, bind, serving, tls_of
from monitoring.errors import BadInput, CannotRun
from tests.serving.certificates import OTHERS, OURS


def test_beyond_this_machine_a_token_is_needed(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="needs a token"):
        access_of("0.0.0.0", None)  # noqa: S104 - refused
    file = tmp_path / "token"
    file.write_text("acts-1234567890abc\n")
    file.chmod(0o600)
    access = access_of("0.0.0.0", file, ("monitor.example",))  # noqa: S104 - never bound
    assert access.role({"authorization": "Bearer acts-1234567890abc"}, "") == "act"
    assert access.role({"authorization": "Bearer acts-1234567890ab"}, "") is None
    assert access_of("127.0.0.1", None).tokens is None


def test_a_port_that_is_taken_is_said() -> None:
    with bind("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        assert address_of(listening) == f"http://127.0.0.1:{port}/"
        with pytest.raises(CannotRun, match="--port"):
            bind("127.0.0.1", port)


def test_whoever_connects_before_the_server_runs_waits_for_it() -> None:
    with bind("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()[:2], timeout=5) as early:
        early.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        with serving(Starlette(routes=[Route("/", lambda _request: PlainTextResponse("here"))]), listening):
            assert early.makefile("rb").read().endswith(b"here")


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(CannotRun, match="cannot listen there"):
        bind("192.0.2.1", 0)


def test_an_address_of_version_6_is_in_brackets() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6")
    try:
        listening = bind("::1", 0)
    except CannotRun:
        pytest.skip("no IPv6 address")
    with listening:
        assert address_of(listening).startswith("http://[::1]:")


def test_beside_other_work_it_serves_until_the_context_ends() -> None:
    app = Starlette(routes=[Route("/", lambda _request: PlainTextResponse("here"))])
    listening = bind("127.0.0.1", 0)
    address = address_of(listening)
    with serving(app, listening):
        assert httpx.get(address).text == "here"
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def written(file: Path, content: bytes, mode: int = 0o600) -> Path:
    file.write_bytes(content)
    file.chmod(mode)
    return file


def test_it_speaks_https_with_a_certificate(tmp_path: Path) -> None:
    party = OURS.party("localhost")
    tls = tls_of(written(tmp_path / "pem", party.certificate), written(tmp_path / "key", party.key))
    trusting = ssl.create_default_context(cadata=OURS.certificate.decode())
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse(request.url.scheme))])
    with bind("127.0.0.1", 0) as listening, serving(app, listening, tls):
        address = address_of(listening, tls)
        assert address.startswith("https://")
        assert httpx.get(address.replace("127.0.0.1", "localhost"), verify=trusting).text == "https"
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(address.replace("https", "http"))


def test_a_certificate_without_its_key_or_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    ours, others = OURS.party("localhost"), OTHERS.party("localhost")
    certificate, key = written(tmp_path / "pem", ours.certificate), written(tmp_path / "key", ours.key)
    for of_certificate, of_key, reason in (
        (certificate, None, "alone"),
        (None, key, "alone"),
        (certificate, written(tmp_path / "open", ours.key, 0o644), "mode 0644"),
        (certificate, written(tmp_path / "other", others.key), "MISMATCH"),
        (certificate, tmp_path / "absent", "No such file"),
    ):
        with pytest.raises(BadInput, match=f"cannot speak TLS.*{reason}"):
            tls_of(of_certificate, of_key)


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


def whole_answer_of(client: socket.socket, body: bytes = b"0") -> bytes:
    answer = b""
    while not answer.endswith(b"\r\n\r\n" + body):
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
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.2)
    with connected(address) as silent, connected(address) as half, connected(address) as slow:
        half.sendall(HEAD)
        slow.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n12")
        assert [answer_of(one) for one in (silent, half, slow)] == [b"", b"", b""]
    with connected(address) as client:
        client.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n12")
        assert whole_answer_of(client, b"2").startswith(b"HTTP/1.1 200 ")


def test_a_connection_too_many_takes_the_place_of_the_one_that_was_idle_longest(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
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
