"""docs/architecture.md: its picture is what the import contracts say, and every file that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contracts.architecture_picture import PICTURE, draw

PATHS = re.compile(r"`((?:monitoring|serving|pitfalls_tf|tests|docs|benchmarks)/[\w/]+\.(?:py|md|c|svg))(?::(\w+))?`")
PAGES = ("docs/architecture.md", "docs/glossary.md", "docs/method.md", "CONTRIBUTING.md")


def test_the_picture_is_that_of_the_contracts(root: Path) -> None:
    assert (root / PICTURE).read_text("utf-8") == draw(root), "write it again: make picture"


@pytest.mark.parametrize("page", PAGES)
def test_every_file_and_name_that_a_page_mentions_is_there(root: Path, page: str) -> None:
    mentioned = [
        one
        for one in PATHS.findall((root / page).read_text("utf-8"))
        if not {"VERB", "NAME", "PACKAGE"} & set(re.split(r"\W|_", one[0]))
    ]
    missing = []
    for path, name in mentioned:
        if not (root / path).is_file():
            missing.append(path)
        elif name and not re.search(
            rf"\b(def|class) {name}\b|^{name}\b", (root / path).read_text("utf-8"), re.MULTILINE
        ):
            missing.append(f"{path}:{name}")
    assert not missing


def test_the_walks_name_files(root: Path) -> None:
    assert len(PATHS.findall((root / "docs/architecture.md").read_text("utf-8"))) > 30
