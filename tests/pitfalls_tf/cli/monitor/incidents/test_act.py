from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result


def add_action(folder: Path, name: str, code: str) -> None:
    command = json.dumps([sys.executable, "-S", "-c", code])
    with (folder / "monitor.toml").open("a") as config:
        config.write(f'[[action]]\nname = "{name}"\nkind = "command"\ncommand = {command}\n')


def test_an_action_is_performed_with_both_its_rows_in_the_log(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    add_action(tmp_path, "stop", "print('stopped')")
    add_action(tmp_path, "fail", "raise SystemExit(3)")
    said = incidents("act", "1", "stop", "--by", "ada")
    assert (said.exit_code, "stop: done. It said: stopped" in said.stdout) == (0, True)
    failed = incidents("act", "1", "fail", "--by", "ada")
    assert (failed.exit_code, "The action failed." in failed.stderr) == (3, True)
    log = [(one["by"], one["text"]) for one in document("show", "1")["actions"]]
    assert log[:2] == [("ada", "stop: begun."), ("ada", "stop: done. It said: stopped")]
    assert [text.startswith("fail: ") for _, text in log[2:]] == [True, True]


def test_an_action_that_there_is_not_is_refused_with_those_that_there_are(
    incidents: Callable[..., Result], tmp_path: Path
) -> None:
    add_action(tmp_path, "stop", "")
    refused = incidents("act", "1", "go")
    assert (refused.exit_code, "There is no such action." in refused.stderr) == (2, True)
    assert "stop" in refused.stderr
