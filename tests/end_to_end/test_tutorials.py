"""Every command of the tutorials, run in the folder that the demo left behind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.walking import Walk

PAGES = sorted((Path(__file__).parents[2] / "docs" / "tutorials").glob("*.md"))
TUTORIALS = [page for page in PAGES if "`cd demo`" in page.read_text("utf-8")]
# `status` and `run` end with 1 while a page is not closed, which is how the demo ends.
HEALTHY_OR_PAGED = (0, 1)
pytestmark = pytest.mark.timeout(600)


def commands(page: Path) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_every_command_of_a_tutorial_runs(page: Path, walked: Walk, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(walked.out, folder)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    found = commands(page)
    assert len(found) >= 5
    for command in found:
        result = subprocess.run(
            ["/bin/sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        allowed = HEALTHY_OR_PAGED if command.startswith(("pitfalls monitor status", "pitfalls monitor run")) else (0,)
        assert result.returncode in allowed, f"{command}\n{result.stderr}"
        assert "Traceback" not in result.stderr
    assert (folder / "april.parquet").is_file()
    assert list((folder / "look").glob("drift-2013-04-18.*"))
