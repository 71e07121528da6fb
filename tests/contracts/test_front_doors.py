"""What a package exports is listed, exists, and is complete. (That a list is sorted is the linter's rule RUF022.)"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path, PurePosixPath
from types import ModuleType

import pytest

OURS = ("monitoring", "serving", "pitfalls_tf")


def binds_names(path: Path) -> bool:
    """Whether a package's own file holds more than its docstring."""
    for node in ast.parse(path.read_text("utf-8")).body:
        from_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if (
            isinstance(node, ast.Import | ast.ImportFrom | ast.ClassDef | ast.FunctionDef | ast.Assign)
            and not from_future
        ):
            return True
    return False


def doors(modules: dict[str, Path]) -> list[str]:
    """Dotted names of the packages that export something. Verbs and migrations have other doors than imports."""
    packages = [PurePosixPath(name).parent for name, path in modules.items() if path.name == "__init__.py"]
    imported = [package for package in packages if "migrations" not in package.parts and package.parts[1:2] != ("cli",)]
    return [".".join(package.parts) for package in imported if binds_names(modules[f"{package}/__init__.py"])]


def exported(door: ModuleType) -> set[str]:
    """Public names of this project's own classes and functions that the package holds."""
    return {
        name
        for name, value in vars(door).items()
        if not name.startswith("_") and str(getattr(value, "__module__", "")).split(".")[0] in OURS
    }


def test_each_front_door_lists_all_that_it_exports_and_nothing_else(modules: dict[str, Path]) -> None:
    wrong = {}
    for name in doors(modules):
        door = importlib.import_module(name)
        listed = set(getattr(door, "__all__", ()))
        unlisted, absent = exported(door) - listed, {entry for entry in listed if not hasattr(door, entry)}
        if unlisted or absent or not listed:
            wrong[name] = {"unlisted": sorted(unlisted), "absent": sorted(absent)}
    assert not wrong


@pytest.mark.parametrize("name", OURS)
def test_the_three_packages_have_a_list(name: str) -> None:
    assert isinstance(importlib.import_module(name).__all__, list)
