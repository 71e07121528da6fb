"""The Alertmanager of compose sends pages, notices and the watchdog of the rules to the URLs in its secrets."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest
import yaml

from tests.contracts.test_deploy import run
from tests.needs import missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 60


class Receiver(BaseHTTPRequestHandler):
    """Keeps what Alertmanager posts, by its path."""

    received: Queue[tuple[str, dict[str, Any]]]

    def do_POST(self) -> None:
        self.received.put((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, Queue[tuple[str, dict[str, Any]]]]]:
    received: Queue[tuple[str, dict[str, Any]]] = Queue()
    with HTTPServer(("127.0.0.1", 0), type("Here", (Receiver,), {"received": received})) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()
        thread.join()


def test_a_page_a_notice_and_the_watchdog_reach_the_urls_of_their_secrets(
    root: Path, tmp_path: Path, receiver: tuple[str, Queue[tuple[str, dict[str, Any]]]]
) -> None:
    if shutil.which("prometheus-alertmanager") is None:
        missing("Alertmanager is not installed (apt-get install prometheus-alertmanager)")
    url, received = receiver
    shipped = (root / "deploy/monitor/alertmanager.yml").read_text("utf-8")
    secrets = yaml.safe_load((root / "deploy/monitor/compose.yaml").read_text("utf-8"))["services"]["alertmanager"]
    for name in secrets["secrets"]:
        assert f"/run/secrets/{name}" in shipped
        (tmp_path / name).write_text(f"{url}/{name}")
    text = shipped.replace("/run/secrets", str(tmp_path)).replace("group_wait: 30s", "group_wait: 0s")
    (tmp_path / "alertmanager.yml").write_text(text)
    run("amtool", "check-config", tmp_path / "alertmanager.yml")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["prometheus-alertmanager", f"--config.file={tmp_path}/alertmanager.yml", f"--storage.path={tmp_path}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=error"]
    with subprocess.Popen(command) as process:
        try:
            alerts = [
                {"labels": {"alertname": "PitfallsPage", "severity": "page", "deployment": "flights"}},
                {"labels": {"alertname": "PitfallsWatchdog", "severity": "watchdog"}},
                {"labels": {"alertname": "PitfallsNotice", "severity": "notice", "deployment": "flights"}},
            ]
            address = f"http://127.0.0.1:{port}/api/v2/alerts"
            body = json.dumps(alerts).encode()
            request = Request(address, body, {"Content-Type": "application/json"})
            for attempt in range(SECONDS * 10):  # until it listens
                try:
                    urlopen(request, timeout=SECONDS).close()  # noqa: S310 - as above
                    break
                except OSError:
                    assert process.poll() is None
                    assert attempt < SECONDS * 10 - 1
                    threading.Event().wait(0.1)
            found = dict(received.get(timeout=SECONDS) for _ in alerts)
        finally:
            process.terminate()
    names = {path: [one["labels"]["alertname"] for one in message["alerts"]] for path, message in found.items()}
    assert names == {
        "/pages-url": ["PitfallsPage"],
        "/notices-url": ["PitfallsNotice"],
        "/watchdog-url": ["PitfallsWatchdog"],
    }
