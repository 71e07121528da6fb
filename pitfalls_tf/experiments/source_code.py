"""The code that made a run, as a digest: other code makes other runs, and a kept one is not taken for its own.

Of a few modules and all that they import from this project, functions that import late included. What changes no
result changes no digest: comments, docstrings, blank lines, and imports for type checkers alone.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PACKAGES: Final = ("monitoring", "pitfalls_tf", "serving")

_C: Final = ".c"


@lru_cache(maxsize=16)
def digest(modules: tuple[str, ...]) -> str:
    """sha256 of the modules and of every module of the project that they import, directly or not.

    Whatever they load by a name that is put together while they run is not seen: name it too.

    >>> digest(("pitfalls_tf.architectures.optimiser",)) == digest(("pitfalls_tf.architectures.optimiser",))
    True

    Cost: about 5 ms for each module that is found, the first time.

    Raises:
        ModuleNotFoundError: one of `modules` is none.
    """
    found = hashlib.sha256()
    for name, text in sorted(_closure(modules).items()):
        found.update(f"\x00{name}\x00{text}".encode())
    return found.hexdigest()


def imported(modules: Sequence[str]) -> tuple[str, ...]:
    """Names of the modules that `digest` looks at, sorted.

    >>> imported(["pitfalls_tf.experiments.source_code"])
    ('pitfalls_tf.experiments.source_code',)
    """
    return tuple(sorted(_closure(modules)))


def essence(source: str) -> str:
    """What of a module's text can change what it does, as one line.

    >>> essence("x = 1  # one") == essence("'''About x.'''" + chr(10) + "x = 1")
    True
    >>> essence("x = 1") == essence("x = 2")
    False
    """
    return ast.dump(_bare(source))


def _bare(source: str) -> ast.Module:
    bare = _Bare().visit(ast.parse(source))
    assert isinstance(bare, ast.Module)  # noqa: S101 - for the type checker
    return bare


class _Bare(ast.NodeTransformer):
    """Leaves out docstrings and what is there for type checkers alone."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return [self.visit(one) for one in node.orelse]
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """A text that stands alone does nothing, wherever it stands."""
        alone = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if alone else self.generic_visit(node)


def _closure(modules: Sequence[str]) -> dict[str, str]:
    """The essence of each module that is reached."""
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = _path(name)
        if path is None:
            raise ModuleNotFoundError(name)
        if path.suffix == _C:
            found[name] = path.read_text(encoding="utf-8")
            continue
        tree = _bare(path.read_text(encoding="utf-8"))
        found[name] = ast.dump(tree)
        waiting += [one for one in _names(tree) if _path(one) is not None]
    return found


def _names(tree: ast.Module) -> Iterator[str]:
    """Full names of what a module may import from this project, modules or what is in them."""
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
    """Where a module's text is, in C whether it was compiled or not; None for a name that is no module."""
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
