"""A bundle, a traffic log, a config and a store written by version 0.1.0 are read, and history goes on in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WRITTEN = Path(__file__).with_name("version_0_1_0")
#: Sentences may be put better by a later version; what they say may not change.
SENTENCES = {"message", "cause", "words"}

Pitfalls = Callable[..., Any]


def facts(document: Any) -> Any:
    """The document without its sentences."""
    if isinstance(document, dict):
        return {key: facts(value) for key, value in document.items() if key not in SENTENCES}
    if isinstance(document, list):
        return [facts(value) for value in document]
    return document


def expected(name: str) -> dict[str, Any]:
    """What version 0.1.0 printed."""
    document: dict[str, Any] = json.loads((WRITTEN / "expected" / f"{name}.json").read_text(encoding="utf-8"))
    return document


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder, worked in."""
    folder = tmp_path / "kept"
    shutil.copytree(WRITTEN, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(("config", "name"), [("monitor.toml", "log_first"), ("table/monitor.toml", "table_first")])
def test_a_store_is_shown_as_it_was(kept: Path, pitfalls: Pitfalls, config: str, name: str) -> None:
    answer = pitfalls("monitor", "status", "--config", config, "--json")
    assert answer.exit_code == 1, answer.output
    assert facts(json.loads(answer.stdout)) == facts(expected(name))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--config", "monitor.toml"], "log_second"),
        (["--config", "table/monitor.toml", "--traffic", "live-[12].parquet"], "table_second"),
    ],
)
def test_a_run_goes_on_where_the_earlier_version_stopped(
    kept: Path, pitfalls: Pitfalls, arguments: list[str], name: str
) -> None:
    answer = pitfalls("monitor", "run", *arguments, "--json")
    assert answer.exit_code == 1, answer.output
    assert facts(json.loads(answer.stdout)) == facts(expected(name))


def test_every_row_of_the_log_is_read_those_of_a_killed_server_too(kept: Path, pitfalls: Pitfalls) -> None:
    answer = pitfalls("traffic", "traffic", "--json")
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["models"][0]["rows"] == 640
