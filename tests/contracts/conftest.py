"""The tree under contract: where it is, and what it consists of."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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
def setup() -> configparser.RawConfigParser:
    """setup.cfg, read."""
    parser = configparser.RawConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser
