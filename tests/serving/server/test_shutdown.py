"""A stopping server answers what it has accepted, says that it is not ready, and ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

# A server without models and without TensorFlow: only what it does on a signal is of interest.
SCRIPT = """
import os, signal, sys
from contextlib import nullcontext
from pathlib import Path
import uvloop
from serving.capture.capture import Capture
from serving.inference.inference import Inference
from serving.models.versions import Models
from serving.server.http_app import HttpApp, HttpDependencies
from serving.server.shutdown import DrainingServer, hangups_held
from serving.transport.sockets import Address, bind_address, port_of

capture = Capture(None)
models = Models(lambda: (), load=None, report=print)
app = HttpApp(HttpDependencies(models=models, inference=Inference(capture=capture), capture=capture))
is_held = "held" in sys.argv
with bind_address(Address(port=0)) as bound, hangups_held() if is_held else nullcontext():
    if is_held:
        os.kill(os.getpid(), signal.SIGHUP)
    async def run():
        started = lambda: print(port_of(bound), flush=True)
        server = DrainingServer(app, 30.0, started, on_hangup=lambda: print("hangup", flush=True))
        await server.run_until_signal(bound)
    uvloop.run(run())
print("ended", flush=True)
"""
LIVE = b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n"


def started(root: Path, *arguments: str) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, *arguments]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
    assert server.stdout is not None
    return server, int(server.stdout.readline())


def line(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    return server.stdout.readline().strip()


def get(connection: socket.socket) -> tuple[bytes, Any]:
    """Status line and document of a response."""
    received = b""
    while b"\r\n\r\n" not in received or not received.endswith(b"\n"):
        part = connection.recv(1000)
        assert part, received
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], json.loads(body)


def wait_until_refused(port: int) -> None:
    """Until the server listens no more; a connection that it had not yet accepted at that moment is reset."""
    with suppress(ConnectionRefusedError, ConnectionResetError):
        while True:
            socket.create_connection(("127.0.0.1", port)).close()


def begin(port: int, begun: socket.socket) -> None:
    """Send all but the last bytes of a request; the server has accepted it when another one is answered."""
    begun.sendall(LIVE[:-2])
    with socket.create_connection(("127.0.0.1", port)) as other:
        other.sendall(LIVE)
        assert get(other)[0] == b"HTTP/1.1 200 OK"


def test_an_idle_server_ends_at_once_with_0(pytestconfig: pytest.Config) -> None:
    server, _ = started(pytestconfig.rootpath)
    with server:
        server.send_signal(signal.SIGTERM)
        assert line(server) == "ended"
        assert server.wait(60) == 0


def test_hangup_is_passed_on_and_ends_nothing(pytestconfig: pytest.Config) -> None:
    server, port = started(pytestconfig.rootpath)
    with server:
        server.send_signal(signal.SIGHUP)
        assert line(server) == "hangup"
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(LIVE)
            assert get(connection) == (b"HTTP/1.1 200 OK", {"live": True})
        server.send_signal(signal.SIGINT)
        assert line(server) == "ended"


def test_a_hangup_before_there_is_a_handler_is_held_for_it(pytestconfig: pytest.Config) -> None:
    server, _ = started(pytestconfig.rootpath, "held")
    with server:
        assert line(server) == "hangup"
        server.send_signal(signal.SIGTERM)
        assert (line(server), server.wait(60)) == ("ended", 0)


def test_a_request_that_has_begun_is_answered(pytestconfig: pytest.Config) -> None:
    server, port = started(pytestconfig.rootpath)
    with server, socket.create_connection(("127.0.0.1", port)) as begun:
        begin(port, begun)
        server.send_signal(signal.SIGTERM)
        wait_until_refused(port)
        assert server.poll() is None
        begun.sendall(LIVE[-2:])
        assert get(begun) == (b"HTTP/1.1 200 OK", {"live": True})
        assert line(server) == "ended"


def test_a_second_signal_ends_the_wait(pytestconfig: pytest.Config) -> None:
    server, port = started(pytestconfig.rootpath)
    with server, socket.create_connection(("127.0.0.1", port)) as begun:
        begin(port, begun)
        server.send_signal(signal.SIGTERM)
        wait_until_refused(port)
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 128 + signal.SIGTERM
