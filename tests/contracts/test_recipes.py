"""The recipes of CONTRIBUTING.md are true: what each adds works, and touches as many product files as it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.recipes import RECIPES, TABLES, Change, Recipe

#: Runs each recipe's use in a folder of its own, all in one process: that imports the product once, which costs most.
PROGRAM = """
if __name__ == "__main__":
    import contextlib, io, json, os, sys, traceback
    from pathlib import Path

    failures = {}
    for name, use in json.loads(Path(sys.argv[1]).read_text("utf-8")).items():
        folder, said = Path(name).resolve(), io.StringIO()
        folder.mkdir()
        with contextlib.chdir(folder), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                exec(compile(use, name, "exec"), dict(globals()))
            except BaseException:
                failures[name] = said.getvalue() + traceback.format_exc()
    print(json.dumps(failures))
"""


def add(changes: tuple[Change, ...], tree: Path) -> None:
    """Change the product as a recipe says."""
    for change in changes:
        path = tree / change.path
        text = path.read_text("utf-8") if change.old else ""
        assert change.old or not path.exists()
        assert not change.old or text.count(change.old) == 1, f"{change.path} has no such place: {change.old}"
        path.write_text(text.replace(change.old, change.new) if change.old else change.new, "utf-8")


def failures_of(recipes: tuple[Recipe, ...], root: Path, folder: Path) -> dict[str, str]:
    """Apply recipes to a copy of the product, compiled files as they are, and use what each adds.

    Returns:
        What was said by each use that failed.
    """
    for package in ("monitoring", "serving", "pitfalls_tf"):
        shutil.copytree(root / package, folder / "tree" / package)
    for recipe in recipes:
        add(recipe.changes, folder / "tree")
    program, uses = folder / "use.py", folder / "uses.json"
    program.write_text(f"{TABLES}\n{PROGRAM}", "utf-8")
    uses.write_text(json.dumps({recipe.name: recipe.use for recipe in recipes}), "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(folder / "tree"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, str(program), str(uses)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    failures: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return failures


@pytest.fixture(scope="module")
def failures(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What went wrong with all recipes in one copy, where no two change the same line."""
    return failures_of(RECIPES, root, tmp_path_factory.mktemp("recipes"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_what_a_recipe_adds_works(recipe: Recipe, failures: dict[str, str]) -> None:
    assert recipe.name not in failures, failures[recipe.name]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_it_works_without_the_other_recipes(recipe: Recipe, root: Path, tmp_path: Path) -> None:
    assert not failures_of((recipe,), root, tmp_path)


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
