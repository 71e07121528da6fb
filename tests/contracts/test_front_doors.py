"""What a package exports is listed, sorted, and complete."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path, PurePosixPath
from types import ModuleType


def doors(modules: dict[str, Path]) -> list[str]:
    """Dotted names of the packages that export something."""
    packages = [name for name in modules if name.endswith("__init__.py")]
    return [
        ".".join(PurePosixPath(name).parent.parts)
        for name in packages
        if "/migrations/" not in name and any(_binds_names(node) for node in _body(modules[name]))
    ]


def _body(path: Path) -> list[ast.stmt]:
    return ast.parse(path.read_text("utf-8")).body


def _binds_names(node: ast.stmt) -> bool:
    from_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
    return (
        isinstance(node, ast.Import | ast.ImportFrom | ast.ClassDef | ast.FunctionDef | ast.Assign) and not from_future
    )


def test_each_front_door_lists_what_it_exports_and_nothing_else(modules: dict[str, Path]) -> None:
    wrong = {}
    for name in doors(modules):
        door = importlib.import_module(name)
        listed = list(getattr(door, "__all__", []))
        own_rooms = {key for key, value in vars(door).items() if isinstance(value, ModuleType)}
        missing = [entry for entry in listed if not hasattr(door, entry)]
        if not listed or listed != sorted(listed) or missing or set(listed) & own_rooms:
            wrong[name] = {"listed": listed, "missing": missing}
    assert not wrong


def test_the_three_packages_have_a_list(modules: dict[str, Path]) -> None:
    for name in ("monitoring", "serving", "pitfalls_tf"):
        assert "__all__" in modules[f"{name}/__init__.py"].read_text("utf-8"), name
