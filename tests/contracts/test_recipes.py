"""The recipes of CONTRIBUTING.md are true: what each adds works, and touches as many product files as it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.recipes import RECIPES, TABLES, Recipe


@pytest.fixture
def tree(root: Path, tmp_path: Path) -> Path:
    """A copy of the product, compiled files as they are."""
    for package in ("monitoring", "serving", "pitfalls_tf"):
        shutil.copytree(root / package, tmp_path / "tree" / package)
    return tmp_path / "tree"


def add(recipe: Recipe, tree: Path) -> None:
    """Change the product as the recipe says."""
    for change in recipe.changes:
        path = tree / change.path
        text = path.read_text("utf-8") if change.old else ""
        assert change.old or not path.exists()
        assert not change.old or text.count(change.old) == 1, f"{change.path} has no such place: {change.old}"
        path.write_text(text.replace(change.old, change.new) if change.old else change.new, "utf-8")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_what_a_recipe_adds_works(recipe: Recipe, tree: Path, tmp_path: Path) -> None:
    add(recipe, tree)
    program = tmp_path / "use.py"
    program.write_text(f"{TABLES}\nif __name__ == '__main__':\n{_indented(recipe.use)}", "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, str(program)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _indented(text: str) -> str:
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))


def test_contributing_says_how_many_product_files_each_touches(root: Path) -> None:
    page = (root / "CONTRIBUTING.md").read_text("utf-8")
    said = {
        name: (int(count), frozenset(re.findall(r"`((?:monitoring|pitfalls_tf)/[\w/]+)", files)))
        for name, count, files in re.findall(r"^\| (an? [\w ]+) \| (\d) \| (.+) \|$", page, re.MULTILINE)
    }
    assert {name: count for name, (count, _) in said.items()} == {each.name: len(each.files) for each in RECIPES}
    # a file that is added is named by its folder, one that is changed by its path
    for recipe in RECIPES:
        places = {change.path if change.old else str(Path(change.path).parent) for change in recipe.changes}
        assert said[recipe.name][1] == {place.removesuffix(".py") for place in places}, recipe.name
