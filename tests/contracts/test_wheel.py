"""The wheel is complete, and works where there is no checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from pitfalls_tf.cli import VERBS

pytestmark = pytest.mark.slow

PACKAGES = ("monitoring", "serving", "pitfalls_tf")


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints; its stderr is shown when it fails."""
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False, timeout=170)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, because building writes beside the sources."""
    copy = tmp_path_factory.mktemp("source") / "tree"
    copy.mkdir()
    for name in PACKAGES:
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in root.iterdir():
        if path.is_file():
            shutil.copy(path, copy)
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", copy / "dist", cwd=copy)
    (built,) = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment that holds the wheel, and sees this one's libraries but not its editable install.

    The libraries come in by a path file: one inside a folder that is itself added that way is not read, which is how
    an editable install announces itself. Downloading them again would test the registry and take a minute.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True, clear=True)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=folder)
    (libraries,) = (folder / "lib").glob("python*/site-packages")
    (libraries / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return folder


def test_each_file_of_the_packages_is_in_the_wheel(root: Path, wheel: Path) -> None:
    here = {
        path.relative_to(root).as_posix() for name in PACKAGES for path in (root / name).rglob("*") if path.is_file()
    }
    expected = {name for name in here if "__pycache__" not in name}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == expected


def test_the_command_runs_from_the_wheel_in_any_folder(environment: Path, tmp_path: Path) -> None:
    assert run(environment / "bin" / "pitfalls", "--help", cwd=tmp_path).startswith("Usage: pitfalls")
    assert run(environment / "bin" / "pitfalls", "--version", cwd=tmp_path).startswith("pitfalls ")


def test_it_is_the_wheel_that_runs_and_not_the_checkout(environment: Path, tmp_path: Path) -> None:
    program = "import monitoring, serving, pitfalls_tf as p; print(monitoring.__file__, serving.__file__, p.__file__)"
    places = run(environment / "bin" / "python", "-c", program, cwd=tmp_path).split()
    assert all(Path(place).is_relative_to(environment) for place in places), places


def test_each_verb_loads_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    program = """
import importlib
from pitfalls_tf.cli import VERBS
for verb in VERBS.values():
    importlib.import_module(verb.module)
print(len(VERBS))
"""
    assert int(run(environment / "bin" / "python", "-c", program, cwd=tmp_path)) == len(VERBS)
