"""docs/reference/constants.md has the constants of the method with the values of the code, and misses none."""

from __future__ import annotations

import ast
import importlib
import re
from fractions import Fraction
from pathlib import Path

import pytest

ROW = re.compile(r"^\| `([a-z_.]+\.[A-Z][A-Z0-9_]*)` \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)
NAMED = re.compile(r"`(?:[a-z_.]+\.)?([A-Z][A-Z0-9_]{3,})`")

#: Constants of how scores are stored, shown or counted, on which no evidence depends.
APART = {
    "evidence.simulation": {"BATCH"},
    "evidence.simulation_cache": {"MAX_RESULTS"},
    "watches.descriptions": {"LONGEST", "LONGEST_MESSAGE"},
    "watches.label_delays": {"EDGES"},
    "watches.scoring": {"LEFT_TO_RIGHT_COLUMNS", "EXACT_ROWS"},
}

#: Named in the text and defined elsewhere.
ELSEWHERE = {"SCORE_ONE"}


@pytest.fixture(scope="module")
def page(pytestconfig: pytest.Config) -> str:
    return (pytestconfig.rootpath / "docs/reference/constants.md").read_text("utf-8")


@pytest.fixture(scope="module")
def texts(pytestconfig: pytest.Config) -> str:
    pages = ("method.md", "concepts/scores.md")
    return "".join((pytestconfig.rootpath / "docs" / name).read_text("utf-8") for name in pages)


def numbers(text: str) -> tuple[float, ...]:
    return tuple(float(Fraction(part)) if "/" in part else float(part) for part in text.split(", "))


def defined(module: Path) -> set[str]:
    """Names of the public numeric constants that a file assigns."""
    names = set()
    for node in ast.parse(module.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            numeric = all(isinstance(part, ast.Constant | ast.BinOp) for part in parts)
            text = any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts)
            if name.isupper() and not name.startswith("_") and numeric and not text:
                names.add(name)
    return names


def test_every_constant_has_the_value_of_the_code(page: str) -> None:
    rows = ROW.findall(page)
    assert len(rows) > 50
    for dotted, text in rows:
        module, _, name = dotted.rpartition(".")
        value = getattr(importlib.import_module(f"monitoring.{module}"), name)
        assert numbers(text.strip()) == (value if isinstance(value, tuple) else (value,)), dotted


@pytest.mark.parametrize("room", ["evidence", "watches"])
def test_every_constant_of_the_rooms_is_in_the_table(page: str, room: str, pytestconfig: pytest.Config) -> None:
    documented = {dotted for dotted, _ in ROW.findall(page)}
    for file in sorted((pytestconfig.rootpath / "monitoring" / room).glob("*.py")):
        module = f"{room}.{file.stem}"
        missing = {f"{module}.{name}" for name in defined(file) - APART.get(module, set())} - documented
        assert not missing


def test_the_texts_name_no_constant_that_does_not_exist(page: str, texts: str) -> None:
    known = {dotted.rpartition(".")[2] for dotted, _ in ROW.findall(page)} | ELSEWHERE
    assert set(NAMED.findall(texts)) <= known
