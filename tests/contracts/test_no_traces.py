"""Nothing in the tree depends on the machine it was written on or names a package registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEXT = {
    "",
    ".cfg",
    ".css",
    ".html",
    ".in",
    ".j2",
    ".js",
    ".json",
    ".lock",
    ".mako",
    ".md",
    ".py",
    ".sh",
    ".toml",
    ".service",
    ".tpl",
    ".txt",
    ".yaml",
    ".yml",
}
FOLDERS = (".ci", "benchmarks", "deploy", "docs", "monitoring", "pitfalls_tf", "serving", "tests")
OWN_FOLDERS = re.compile("/(root|home/[a-z]+|work|Users)/")
REGISTRIES = re.compile(r"(pypi|anaconda|npmjs)\.(org|com)|pythonhosted|extra-index")


@pytest.fixture(scope="module")
def texts(root: Path) -> dict[str, str]:
    """Every text file of the tree by its path, this one apart; what is generated or installed is no part of it."""
    # In a further worktree .git is a file of git's own, with the path of the first.
    files = [path for path in root.iterdir() if path.is_file() and path.name != ".git"]
    files += [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file()]
    kept = [
        path for path in files if path.suffix in TEXT and "__pycache__" not in path.parts and path != Path(__file__)
    ]
    return {path.relative_to(root).as_posix(): path.read_text("utf-8", errors="replace") for path in kept}


def test_no_file_mentions_a_folder_of_somebodys_machine(texts: dict[str, str]) -> None:
    found = {name: OWN_FOLDERS.search(text) for name, text in texts.items()}
    assert not {name: match.group() for name, match in found.items() if match}


def test_no_file_names_a_package_registry(texts: dict[str, str]) -> None:
    found = {name: REGISTRIES.search(text) for name, text in texts.items()}
    assert not {name: match.group() for name, match in found.items() if match}
