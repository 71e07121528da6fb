"""``pitfalls monitor ui``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import Result

from tests.dashboard_store import make_store

Pitfalls = Callable[..., Result]

CONFIG = '[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n[store]\nurl = "sqlite:///pitfalls.db"\n'


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--config", "a.toml", "--configs", "."], "both given"),
        (["--configs", "none/*.toml"], "There is no config"),
        (["--config", "none.toml"], "cannot be read"),
        (["--config", "monitor.toml", "--host", "0.0.0.0"], "needs a token"),  # noqa: S104 - refused
        (["--config", "monitor.toml", "--token-file", "none"], "token file cannot be used"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_listens(
    pitfalls: Pitfalls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    (tmp_path / "monitor.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    result = pitfalls("monitor", "ui", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


@pytest.mark.slow
def test_the_dashboard_is_served_until_it_is_told_to_stop(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text(CONFIG)
    make_store(tmp_path / "pitfalls.db")
    command = [
        sys.executable,
        "-m",
        "pitfalls_tf",
        "monitor",
        "ui",
        "--configs",
        str(tmp_path),
        "--port",
        "0",
        "--json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or lines[-1] != "}\n":
            lines.append(process.stdout.readline())
            assert lines[-1], "it has ended"
        document = json.loads("".join(lines))
        assert document["configs"] == [str(tmp_path / "monitor.toml")]
        answer = httpx.get(document["url"])
        assert answer.status_code == 200
        assert "flights" in answer.text
        with httpx.stream("GET", f"{document['url']}live") as events:
            assert next(events.iter_lines()) == "retry: 5000"
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
