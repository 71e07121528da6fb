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


def test_the_lines_of_each_package_and_room_are_about_those_of_the_tree(root: Path, modules: dict[str, Path]) -> None:
    page = (root / "docs/architecture.md").read_text("utf-8").split("## Where the lines are")[1]
    said = re.findall(r"^\| `([\w/]+)` \| ([\d,]+) \| ([\d,]+) \|$", page, re.MULTILINE)
    counts = {name: len(path.read_text("utf-8").splitlines()) for name, path in modules.items()}
    found = {}
    for place, files, lines in said:
        inside = [count for name, count in counts.items() if name.startswith(f"{place}/")]
        found[place] = (len(inside), sum(inside))
        assert int(files.replace(",", "")) == pytest.approx(len(inside), rel=0.1, abs=10), found
        assert int(lines.replace(",", "")) == pytest.approx(sum(inside), rel=0.1, abs=1_000), found
    rooms = {"/".join(name.split("/")[:2]) for name in modules if name.count("/") > 1}
    large = {room for room in rooms if sum(n for name, n in counts.items() if name.startswith(f"{room}/")) > 3_500}
    assert {"monitoring", "serving", "pitfalls_tf"} | large <= found.keys()


def test_the_walks_name_files(root: Path) -> None:
    assert len(PATHS.findall((root / "docs/architecture.md").read_text("utf-8"))) > 30
