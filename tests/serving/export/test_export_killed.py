"""An export killed at any of its steps leaves nothing that a server would load, and nothing that the next one keeps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from serving.export.staging import PREFIX
from serving.models.version_folders import find_versions

# Every step that Python takes in the file system is an audit event; the process kills itself at the one it is told.
STEPS = """
import os, signal, sys
from pathlib import Path
steps, last, models = 0, int(sys.argv[2]), os.path.realpath(sys.argv[3])
def step(event, arguments):
    global steps
    named = any(isinstance(one, (str, os.PathLike)) and os.fspath(one).startswith(models) for one in arguments)
    if named and event.partition(".")[0] in {"open", "os", "shutil", "tempfile"}:
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)
"""
STAGING = (
    STEPS
    + """
sys.path.insert(0, sys.argv[1])
from serving.export.staging import staged_version
sys.addaudithook(step)
with staged_version(Path(models) / "own") as staging:
    for name in ("saved_model.pb", "variables/variables.index", "assets.extra/manifest.json"):
        (staging.folder / name).parent.mkdir(exist_ok=True)
        (staging.folder / name).write_text(name)
    staging.publish()
print(steps)
"""
)
EXPORT = (
    STEPS
    + """
sys.path.insert(0, sys.argv[1])
from datetime import UTC, datetime
from tests.serving.export_model import PROVENANCE, reference_table, small_model
from serving.export.export import export_bundle
sys.addaudithook(step)
export_bundle(small_model(), folder=Path(models) / "own", reference=reference_table(), provenance=PROVENANCE,
              clock=lambda: datetime(2024, 5, 1, tzinfo=UTC))
print(steps)
"""
)
CHECKOUT = Path(__file__).parents[3]
WHOLE = {"saved_model.pb", "variables/variables.index", "assets.extra/manifest.json"}


def run(script: str, models: Path, last: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, str(CHECKOUT), str(last), str(models)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def is_whole(version: Path) -> bool:
    return all((version / name).is_file() for name in WHOLE)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_writing_a_version_killed_at_every_step(tmp_path: Path) -> None:
    done = run(STAGING, tmp_path / "whole", 0)
    assert done.returncode == 0, done.stderr
    steps = int(done.stdout)
    assert steps > 20
    for last in range(1, steps + 1):
        models = tmp_path / str(last)
        assert run(STAGING, models, last).returncode == -9
        left = find_versions(models / "own") if (models / "own").is_dir() else {}
        assert all(is_whole(version) for version in left.values()), last
        done = run(STAGING, models, 0)
        assert done.returncode == 0, done.stderr
        names = sorted(path.name for path in (models / "own").iterdir())
        assert names == sorted([*map(str, left), str(len(left) + 1)]), "the next export swept what was left"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_real_export_killed_on_its_way(tmp_path: Path) -> None:
    done = run(EXPORT, tmp_path / "whole", 0)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "whole/own/1/saved_model.pb").is_file()
    steps = int(done.stdout)
    models = tmp_path / "models"
    (models / "own").mkdir(parents=True)
    for last in range(3, steps, max(steps // 6, 1)):
        done = run(EXPORT, models, last)
        assert done.returncode == -9, done.stderr
        assert all(is_whole(version) for version in find_versions(models / "own").values())
        staging = [path.name for path in (models / "own").iterdir() if not path.name.isdecimal()]
        assert all(name.startswith(PREFIX) for name in staging)
