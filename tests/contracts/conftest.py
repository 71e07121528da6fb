"""The tree under contract: where it is, and what it consists of."""

from __future__ import annotations

import ast
import configparser
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parents[2]

#: Every node of each file of the three packages, the module first, by its path in the checkout.
Nodes: TypeAlias = dict[str, tuple[ast.AST, ...]]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def modules() -> dict[str, Path]:
    """Every Python file of the three packages, by its path in the checkout."""
    found = [
        path for package in ("monitoring", "serving", "pitfalls_tf") for path in sorted((ROOT / package).rglob("*.py"))
    ]
    return {path.relative_to(ROOT).as_posix(): path for path in found}


@pytest.fixture(scope="session")
def nodes(modules: dict[str, Path]) -> Nodes:
    """Every node of each of these files, the module first: parsed once, a million nodes, 250 MB."""
    return {name: nodes_of(path) for name, path in modules.items()}


def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file, the module first."""
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


@pytest.fixture(scope="session")
def setup() -> configparser.RawConfigParser:
    """setup.cfg, read."""
    parser = configparser.RawConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser
