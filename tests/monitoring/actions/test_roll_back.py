from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from monitoring.actions import server_label
from monitoring.actions.roll_back import roll_back
from monitoring.config.action_section import ActionSection
from monitoring.errors import BadInput, CannotRun
from tests.monitoring.config.configs import LEAST, load

TEXT = 'model_config_list { config { name: "flights" version_labels { key: "stable" value: 9 } } }'


def action(folder: Path, port: int) -> ActionSection:
    section = (
        '[[action]]\nname = "Roll back"\nkind = "roll_back"\nmodel_config_file = "models.config"\nlabel = "stable"\n'
        f'server = "http://127.0.0.1:{port}"\n'
    )
    return load(folder, LEAST + section).action[0]


@pytest.fixture
def port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_server_that_is_away_leaves_the_file_alone(tmp_path: Path, port: int) -> None:
    file = tmp_path / "models.config"
    with pytest.raises(BadInput, match=r"cannot be read.*No such file"):
        roll_back(action(tmp_path, port), "flights", 9)
    file.write_text(TEXT)
    with pytest.raises(CannotRun, match="Nothing was changed"):
        roll_back(action(tmp_path, port), "flights", 9)
    assert file.read_text() == TEXT


def test_a_label_of_another_version_than_the_incidents_is_left_alone(tmp_path: Path, port: int) -> None:
    file = tmp_path / "models.config"
    file.write_text(TEXT)
    with pytest.raises(CannotRun, match="Got version 9 at the label stable; expected version 10"):
        roll_back(action(tmp_path, port), "flights", 10)
    assert file.read_text() == TEXT


@pytest.fixture
def server() -> Iterator[int]:
    """A port at which a server says that versions 8 and 9 are available."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            versions = [{"version": str(number), "state": "AVAILABLE"} for number in (8, 9)]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"model_version_status": versions}).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as found:
        Thread(target=found.serve_forever, daemon=True).start()
        yield found.server_port
        found.shutdown()


def test_a_file_that_cannot_be_written_is_told_and_nothing_changes(
    tmp_path: Path, server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "models.config"
    file.write_text(TEXT)

    def refused(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(server_label, "rewrite_text", refused)
    with pytest.raises(CannotRun, match=r"cannot be written. Nothing was changed.*Read-only file system"):
        roll_back(action(tmp_path, server), "flights", 9)
    assert file.read_text() == TEXT
