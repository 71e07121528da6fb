"""docs/reference/errors.md names every error class and what it ends as."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from monitoring.errors import BadInput, CannotRun, PitfallsError
from tests.contracts.conftest import Nodes

if TYPE_CHECKING:
    from pathlib import Path

ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \|", re.MULTILINE)


def error_classes(nodes: Nodes) -> set[str]:
    """Names of all classes in the tree that descend from an exception, wherever they are defined."""
    classes = [node for inside in nodes.values() for node in inside if isinstance(node, ast.ClassDef)]
    bases = {node.name: {ast.unparse(base).split(".")[-1] for base in node.bases} for node in classes}
    found = {name for name, above in bases.items() if any(re.search("(Error|Exception)$", base) for base in above)}
    while True:
        more = {name for name, above in bases.items() if above & found} - found
        if not more:
            return found
        found |= more


def test_each_error_class_is_in_the_reference(root: Path, nodes: Nodes) -> None:
    page = (root / "docs/reference/errors.md").read_text("utf-8")
    assert {name for name, _ in ROW.findall(page)} == error_classes(nodes)


def test_the_exit_codes_in_the_reference_are_those_of_the_classes(root: Path) -> None:
    documented = dict(ROW.findall((root / "docs/reference/errors.md").read_text("utf-8")))
    kinds: tuple[type[PitfallsError], ...] = (PitfallsError, BadInput, CannotRun)
    assert [documented[kind.__name__] for kind in kinds] == [f"exit {kind.exit_code}" for kind in kinds]
