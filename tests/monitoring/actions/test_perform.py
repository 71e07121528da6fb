from __future__ import annotations

import errno
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from monitoring.actions import server_label
from monitoring.actions.perform import KEPT, perform, roll_back, run_program
from monitoring.config.action_section import ActionSection
from monitoring.errors import BadInput, CannotRun
from monitoring.store import Store
from tests.dashboard_store import NOW, make_store
from tests.monitoring.config.configs import LEAST, load


def test_who_did_what_and_how_it_ended_is_in_the_log(tmp_path: Path) -> None:
    def section(name: str, code: str) -> str:
        command = json.dumps([sys.executable, "-S", "-c", code])
        return f'[[action]]\nname = "{name}"\nkind = "command"\ncommand = {command}\n'

    text = section("Tell", "import sys; print(sys.stdin.read())") + section("Fail", "raise SystemExit(4)")
    config = load(tmp_path, LEAST + text)
    with Store.open(make_store(tmp_path / "pitfalls.db")) as store:
        before = store.incidents.get(1, 1)
        done, outcome = perform(config, store, (1, 1), "Tell", by="ada", clock=lambda: NOW)
        assert done
        said = json.loads(outcome.removeprefix("done. It said: "))
        assert said == {
            "deployment": "flights",
            "model": "flights",
            "version": 1,
            "incident": 1,
            "level": "page",
            "state": before.state,
            "by": "ada",
        }
        done, outcome = perform(config, store, (1, 1), "Fail", by="bob", clock=lambda: NOW)
        assert not done
        with pytest.raises(BadInput, match=r"no such action\. Got Nothing; expected Tell, Fail"):
            perform(config, store, (1, 1), "Nothing", by="bob", clock=lambda: NOW)
        after = store.incidents.get(1, 1)
    log = [(one.by, one.kind, one.text) for one in after.actions[len(before.actions) :]]
    assert [(by, kind, text[:12]) for by, kind, text in log] == [
        ("ada", "run", "Tell: begun."),
        ("ada", "run", "Tell: done. "),
        ("bob", "run", "Fail: begun."),
        ("bob", "run", "Fail: failed"),
    ]
    assert "exit status 4" in log[-1][2]
    assert (after.state, after.owner, after.acknowledged_at) == (before.state, before.owner, before.acknowledged_at)


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def test_the_end_of_what_a_program_says_is_kept() -> None:
    code = "import sys; print('x' * 9999); print(sys.stdin.read(), file=sys.stderr, flush=True); print('over')"
    said = run_program(python(code), b'{"incident": 3}', timeout=20)
    assert len(said) <= KEPT
    assert said.startswith("x")
    assert said.endswith("over")


def test_its_arguments_are_not_read_by_a_shell_and_secrets_stay_here(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.argv[1], sorted(os.environ))"
    environ = {"PATH": "/usr/bin", "TOKEN": "secret"}
    said = run_program([*python(code), f"$(touch {tmp_path}/made)"], b"", timeout=20, environ=environ)
    assert said.startswith("$(touch ")
    assert "TOKEN" not in said
    assert list(tmp_path.iterdir()) == []


def test_one_that_fails_says_what_it_said() -> None:
    with pytest.raises(CannotRun, match="exit status 3; it said: no such shop"):
        run_program(python("print('no such shop'); raise SystemExit(3)"), b"", timeout=20)
    with pytest.raises(CannotRun, match="it cannot be started: No such file"):
        run_program(["/nowhere/stop"], b"", timeout=20)


def test_one_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "late"
    child = f"import time; time.sleep(2); open({str(mark)!r}, 'w')"
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-S', '-c', {child!r}]); time.sleep(60)"
    begun = time.monotonic()
    with pytest.raises(CannotRun, match="was killed"):
        run_program(python(code), b"", timeout=1)
    assert time.monotonic() - begun < 30
    time.sleep(2)
    assert not mark.exists()


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
