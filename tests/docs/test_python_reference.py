"""docs/reference/python.md has every public name, and each has an example that runs, or that a notebook runs."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = ("monitoring", "serving", "pitfalls_tf")
DIRECTIVE = re.compile(r"^\.\. auto(?:class|function|exception):: (\S+)$", re.MULTILINE)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_page_has_every_public_name_of_a_package(package: str, pytestconfig: pytest.Config) -> None:
    page: Path = pytestconfig.rootpath / "docs" / "reference" / "python.md"
    documented = set(DIRECTIVE.findall(page.read_text("utf-8")))
    public = {f"{package}.{name}" for name in importlib.import_module(package).__all__}
    assert public <= documented


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_an_example_that_runs(package: str, pytestconfig: pytest.Config) -> None:
    door = importlib.import_module(package)
    examples = {name: inspect.getdoc(getattr(door, name)) or "" for name in door.__all__}
    assert not [name for name, text in examples.items() if ">>> " not in text]
    notebooks = "".join(path.read_text("utf-8") for path in (pytestconfig.rootpath / "docs").rglob("*.ipynb"))
    skipped = [name for name, text in examples.items() if "+SKIP" in text]
    assert not [name for name in skipped if not re.search(rf"\b{name}\(", notebooks)], "run by no notebook either"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_method_says_what_it_does(package: str) -> None:
    door = importlib.import_module(package)
    silent = [
        f"{name}.{method}"
        for name in door.__all__
        for method, value in vars(getattr(door, name)).items()
        if not method.startswith("_")
        and (callable(value) or isinstance(value, property | classmethod | staticmethod))
        and not inspect.getdoc(getattr(getattr(door, name), method))
    ]
    assert not silent
