"""Crowds of clients around a server in a process of its own: its memory is bounded, and others are answered."""

from __future__ import annotations

import http.client
import resource
import socket
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.serving.server_process import ServerProcess, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PATH = "/v1/models/half_plus_two:predict"


@contextmanager
def many_open_files(wanted: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"This process may have {hard} open files, and the test needs {wanted}.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def answers(server: ServerProcess) -> bool:
    with closing(http.client.HTTPConnection(server.http_target, timeout=60)) as connection:
        connection.request("POST", PATH, body=b'{"instances": [2.0]}')
        return b"3.0" in connection.getresponse().read()


def opened(server: ServerProcess, stack: ExitStack) -> socket.socket:
    return stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))


def test_ten_thousand_idle_connections(models_folder: Path, tmp_path: Path) -> None:
    with many_open_files(10_500), serving(models_folder, "--traffic", str(tmp_path)) as server, ExitStack() as stack:
        assert answers(server)
        before = server.peak_kib()
        limiter = [opened(server, stack) for _ in range(10_000)]
        for connection in limiter[::2]:  # half of them in the middle of a head
            connection.sendall(b"POST /v1/models/half_plus_two:predict HTTP/1.1\r\nHost: localhost\r\nX-")
        for _ in range(20):
            assert answers(server)
        assert server.peak_kib() - before < 150 << 10, "KiB"
        for connection in limiter[1:20:2]:  # none was sent away
            connection.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_more_connections_than_open_files(models_folder: Path, tmp_path: Path) -> None:
    with many_open_files(2000), ExitStack() as stack:
        server = stack.enter_context(serving(models_folder, "--traffic", str(tmp_path), open_files=400))
        for _ in range(1500):
            opened(server, stack)
        for _ in range(20):
            assert answers(server)
        assert "open files" not in "".join(server.said)


def test_bodies_that_never_end(models_folder: Path) -> None:
    head = b"POST /v1/models/half_plus_two:predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000000\r\n\r\n"
    piece = b" " * (1 << 20)
    with serving(models_folder) as server, ExitStack() as stack:
        assert answers(server)
        before = server.peak_kib()
        limiter = [opened(server, stack) for _ in range(60)]
        for connection in limiter:
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(head)
                for _ in range(20):
                    connection.sendall(piece)
        # 1.2 GB were offered: the last ones were refused at once, the first still have time to end.
        assert limiter[-1].recv(100).startswith(b"HTTP/1.1 503 ")
        assert server.peak_kib() - before < 450 << 10, "KiB"
        assert answers(server)
