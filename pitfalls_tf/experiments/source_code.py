"""Digest of the code that makes a run, so that a stored run is not used after its code has changed.

The digest covers given modules and all modules of this project that they import, including imports inside functions.
Comments, docstrings, blank lines and imports for type checkers do not change it.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

PACKAGES: Final = ("monitoring", "pitfalls_tf", "serving")

_C: Final = ".c"


@lru_cache(maxsize=16)
def digest(modules: tuple[str, ...]) -> str:
    """Digest of modules and of every module of the project that they import, directly or indirectly.

    Modules that are imported by a name computed at run time are not found; name them too. Cost: about 5 ms per module,
    the first time.

    Raises:
        ModuleNotFoundError: one of `modules` does not exist.

    >>> len(digest(("pitfalls_tf.experiments.experiment",)))
    64
    """
    sha = hashlib.sha256()
    for name, text in sorted(_closure(modules).items()):
        sha.update(f"\x00{name}\x00{text}".encode())
    return sha.hexdigest()


def imported(modules: Sequence[str]) -> tuple[str, ...]:
    """Names of the modules that `digest` covers.

    >>> imported(["pitfalls_tf.experiments.source_code"])
    ('pitfalls_tf.experiments.source_code',)
    """
    return tuple(sorted(_closure(modules)))


def _stripped_tree(source: str) -> ast.Module:
    """The syntax tree of a module without docstrings and without imports for type checkers.

    >>> plain = ast.dump(_stripped_tree("x = 1  # one"))
    >>> plain == ast.dump(_stripped_tree("'''About x.'''" + chr(10) + "x = 1"))
    True
    >>> plain == ast.dump(_stripped_tree("x = 2"))
    False
    """
    stripped = _Stripper().visit(ast.parse(source))
    assert isinstance(stripped, ast.Module)  # noqa: S101 - for the type checker
    return stripped


class _Stripper(ast.NodeTransformer):
    """Removes docstrings and code for type checkers."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return [self.visit(statement) for statement in node.orelse]
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """A string expression has no effect, wherever it stands."""
        is_string = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_string else self.generic_visit(node)


def _closure(modules: Sequence[str]) -> dict[str, str]:
    """The normalised source of each module that is reached, by name."""
    sources: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in sources:
            continue
        path = _path(name)
        if path is None:
            raise ModuleNotFoundError(name)
        if path.suffix == _C:
            sources[name] = path.read_text(encoding="utf-8")
            continue
        tree = _stripped_tree(path.read_text(encoding="utf-8"))
        sources[name] = ast.dump(tree)
        waiting += [name for name in _imported_names(tree) if _path(name) is not None]
    return sources


def _imported_names(tree: ast.Module) -> Iterator[str]:
    """Full names that a module imports from this project: modules, and members of modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".", 1)[0] in PACKAGES)


@cache
def _path(name: str) -> Path | None:
    """Source file of a module, also of a C extension that is not compiled; None for a name that is not a module."""
    parent, _, _ = name.rpartition(".")
    if parent and not _is_package(parent):
        return None
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.origin is not None and Path(spec.origin).suffix == ".py":
        return Path(spec.origin)
    package = _path(parent) if parent else None
    source = None if package is None else package.with_name(name.rpartition(".")[2] + _C)
    return source if source is not None and source.is_file() else None


def _is_package(name: str) -> bool:
    path = _path(name)
    return path is not None and path.name == "__init__.py"
