"""The code and every command of the tutorial on a model of one's own, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from monitoring.baseline.folder import load_baseline

PAGE = Path(__file__).parents[2] / "docs/tutorials/your-own-model.md"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_page_is_true(tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    code, asking = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    commands = re.findall(r"^\$ (.*)$", page, re.MULTILINE)
    assert [command.split()[1] for command in commands] == ["export", "monitor"]
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    python = [sys.executable, "-c"]
    for command in ([*python, code], *(["/bin/sh", "-c", command] for command in commands), [*python, asking]):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        if command[-1] in commands and "export" in command[-1]:
            assert "is interpreted as logits" in done.stdout
        if command[-1] == asking:
            assert done.stdout == printed
    baseline = load_baseline(tmp_path / "models/flowers/1/assets.extra/baseline")
    assert [one.name for one in baseline.spec.features] == ["petal", "sepal", "stem"]
    assert (tmp_path / "monitor.toml").is_file()
