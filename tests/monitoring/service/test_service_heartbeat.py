"""Somebody outside is told that a service lives, and what is wrong with what it runs."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from monitoring.service.service_heartbeat import service_heartbeat


def test_success_is_pinged_where_nothing_is_wrong_and_a_failure_with_the_words(tmp_path: Path) -> None:
    taken: list[tuple[str, bytes]] = []
    came = threading.Condition()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            with came:
                taken.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
                came.notify_all()
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    words = [""]
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = tmp_path / "url"
        url.write_text(f"http://127.0.0.1:{server.server_port}/check")
        url.chmod(0o600)
        with service_heartbeat(url, lambda: words[0], threading.Event(), lambda _: None, every=0.01), came:
            assert came.wait_for(lambda: ("/check", b"") in taken, 20)
            words[0] = "2 configs are missing"
            assert came.wait_for(lambda: ("/check/fail", b"2 configs are missing") in taken, 20)
        server.shutdown()


def test_without_a_file_nobody_is_told() -> None:
    with service_heartbeat(None, lambda: "wrong", threading.Event(), lambda _: None, every=0.001):
        pass
