"""A replay's connection: retries, restarts and refusals, against a scripted server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.replay.connection import TRIES, ServerConnection


@contextmanager
def scripted(answers: list[tuple[int, bytes]]) -> Iterator[tuple[str, list[str | None]]]:
    """A server that gives these answers in turn; its URL, and the authorisation of each request."""
    seen: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.headers["Authorization"])
            status, body = answers.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name of the base class
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()


def label(url: str, *, token: str | None = None, on_disconnect: Callable[[], str] | None = None) -> int:
    """Post labels once; the number of restarts."""

    async def post() -> int:
        async with ServerConnection(url, token=token, on_disconnect=on_disconnect) as connection:
            await connection.label(b"{}")
            return connection.reconnects

    return asyncio.run(post())


def test_a_request_to_a_busy_server_is_retried() -> None:
    with scripted([(503, b""), (429, b""), (200, b"")]) as (url, seen):
        assert label(url, token="secret") == 0
    assert seen == ["Bearer secret"] * 3


def test_a_server_that_stays_busy_is_a_refusal_with_its_text() -> None:
    busy = (503, orjson.dumps({"error": "disk full"}))
    with scripted([busy] * TRIES) as (url, seen), pytest.raises(BadInput, match="HTTP 503: disk full"):
        label(url)
    assert seen == [None] * TRIES


def test_a_refusal_that_is_not_json_keeps_its_text() -> None:
    with (
        scripted([(404, b"<h1>Not here</h1>")]) as (url, _),
        pytest.raises(BadInput, match="HTTP 404: <h1>Not here</h1>"),
    ):
        label(url)


def test_a_lost_server_is_restarted_and_the_request_repeated() -> None:
    with scripted([(200, b"")]) as (url, seen):
        assert label("http://127.0.0.1:9", on_disconnect=lambda: url) == 1
    assert seen == [None]


def test_a_lost_server_without_a_restart_cannot_run() -> None:
    with pytest.raises(CannotRun, match="The server does not respond"):
        label("http://127.0.0.1:9")
