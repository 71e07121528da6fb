"""Version, changelog, lock and declared requirements tell the same story."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.contracts.conftest import Nodes

if TYPE_CHECKING:
    from configparser import RawConfigParser
    from pathlib import Path


def requirements(lines: str) -> list[Requirement]:
    """The requirements in a setup.cfg value."""
    return [Requirement(line) for line in lines.splitlines() if line.strip() and not line.startswith("#")]


@pytest.fixture(scope="module")
def pins(root: Path) -> dict[str, list[str]]:
    """What the lock pins: versions by name, more than one where Pythons or platforms differ."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(
        r"^([\w.-]+)==([^\s;]+)", (root / "requirements.lock").read_text("utf-8"), re.MULTILINE
    ):
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


def test_the_changelog_knows_this_version(root: Path, setup: RawConfigParser) -> None:
    released = re.findall(r"^## \[(\d[^\]]*)\]", (root / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert released[0] == setup["metadata"]["version"]


def test_the_lock_satisfies_what_setup_cfg_asks_for(setup: RawConfigParser, pins: dict[str, list[str]]) -> None:
    asked = requirements(setup["options"]["install_requires"])
    asked += [needed for lines in setup["options.extras_require"].values() for needed in requirements(lines)]
    unmet = {
        str(needed): pins.get(canonicalize_name(needed.name))
        for needed in asked
        if not all(needed.specifier.contains(version) for version in pins.get(canonicalize_name(needed.name), ["0"]))
    }
    assert not unmet, "run: make lock"


def test_each_file_in_the_lock_has_a_hash(root: Path) -> None:
    entries = re.split(r"\n(?=\S)", (root / "requirements.lock").read_text("utf-8").strip())
    assert not [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry and not entry.startswith("#")]


def test_each_library_that_is_imported_is_declared(setup: RawConfigParser, nodes: Nodes) -> None:
    extras = (lines for name, lines in setup["options.extras_require"].items() if name not in {"test", "docs", "dev"})
    asked = (needed for lines in (setup["options"]["install_requires"], *extras) for needed in requirements(lines))
    declared = {canonicalize_name(needed.name) for needed in asked}
    providers = packages_distributions()
    undeclared: dict[str, set[str]] = {}
    for name, inside in nodes.items():
        for library in _libraries(inside):
            owners = {canonicalize_name(owner) for owner in providers.get(library.split(".")[0], [library])}
            if not owners & declared:
                undeclared.setdefault(library, set()).add(name)
    assert not undeclared


def _libraries(inside: Iterable[ast.AST]) -> set[str]:
    """Names of the modules that a file of some nodes imports from outside the standard library and this project."""
    names: set[str] = set()
    for node in inside:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    ours = {"monitoring", "serving", "pitfalls_tf", *sys.stdlib_module_names}
    return {name for name in names if name.split(".")[0] not in ours}


def test_every_decision_is_in_the_list_of_decisions(root: Path) -> None:
    folder = root / "docs" / "decisions"
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+)\)", (folder / "README.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(name for _, name in listed) == sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert all(name.startswith(number) for number, name in listed)
