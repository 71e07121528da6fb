from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from monitoring.dashboard.web.server import access_of, address_of, bind, serving
from monitoring.errors import BadInput, CannotRun


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
