"""docs/glossary.md and the code have the same words: each noun exists, and words that are not used are not used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from monitoring.config.routes import ROUTES
from tests.contracts.conftest import Nodes

ENTRY = re.compile(r"^\| ([^|`]+?) \| ([^|]+?) \| `([\w/]+\.py)(?::(\w+))?` \|", re.MULTILINE)

#: Where a word that is not used stands all the same, with the reason.
ALLOWED = {
    ("yardstick", "monitoring/evidence/method.py"): "a key of the digest that identifies stored evidence",
    ("yardstick", "monitoring/deployment/deployment.py"): "a key of the digest that identifies stored evidence",
    ("elsewhere", "serving/capture/traffic_log.py"): "a folder's name in archives that exist",
}


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    """The glossary."""
    return (root / "docs/glossary.md").read_text("utf-8")


def banned(page: str) -> set[str]:
    """The words of the last table's first column."""
    rows = re.findall(r"^\| ([a-z, ]+) \| [^|]+ \|$", page.split("## Not used")[1], re.MULTILINE)
    return {word.strip() for row in rows for word in row.split(",")} - {"not"}


def words(text: str) -> set[str]:
    """The lower-case words of a name or a sentence, plurals as singulars.

    >>> sorted(words("LabelDesk.tellings owed"))
    ['desk', 'label', 'owed', 'telling']
    """
    parts = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower())
    return {part.removesuffix("s") for part in parts}


def spoken(inside: Sequence[ast.AST]) -> Iterator[str]:
    """Every name that a module defines or takes, and every text that is no docstring."""
    documented = {id(node.value) for node in inside if isinstance(node, ast.Expr)}
    for node in inside:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node.value


def test_every_noun_is_in_the_code(root: Path, page: str) -> None:
    entries = ENTRY.findall(page)
    assert len(entries) > 50
    missing = []
    for noun, _, path, name in entries:
        text = (root / path).read_text("utf-8") if (root / path).is_file() else ""
        if not text or (name and not re.search(rf"^class {name}\b", text, re.MULTILINE)):
            missing.append(f"{noun}: {path}:{name}")
    assert not missing


def test_a_noun_stands_once(page: str) -> None:
    nouns = [noun for noun, *_ in ENTRY.findall(page)]
    assert len(nouns) == len(set(nouns))


def test_the_routes_are_those_of_the_config(page: str) -> None:
    (said,) = re.findall(r"^\| route \| how people are notified: (.*), or a plug-in \|", page, re.MULTILINE)
    assert said.lower().split(", ") == list(ROUTES)


def test_words_that_are_not_used_are_in_no_name_and_no_message(nodes: Nodes, page: str) -> None:
    not_used = {word.removesuffix("s") for word in banned(page)}
    assert not_used
    found = {}
    for name, inside in nodes.items():
        if "/migrations/" in name:
            continue
        said = {word for text in spoken(inside) for word in words(text)}
        hits = {word for word in said & not_used if (word, name) not in ALLOWED}
        if hits:
            found[name] = hits
    assert not found
