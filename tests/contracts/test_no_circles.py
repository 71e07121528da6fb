"""No circle of imports: not between files, not between folders; imports for type checkers and late ones count."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import pytest

from tests.contracts.conftest import Nodes, nodes_of

Graph = Mapping[str, set[str]]


def dotted(name: str) -> str:
    """The module's name, from its path in the checkout."""
    return ".".join(PurePosixPath(name).with_suffix("").parts).removesuffix(".__init__")


def imports(inside: Iterable[ast.AST], known: set[str]) -> Iterator[str]:
    """Modules of the project that a file of some nodes imports anywhere."""
    for node in inside:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in known:
                    yield full
                elif node.module in known:
                    yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)


def read_imports(nodes: Nodes) -> dict[str, set[str]]:
    """Each module with the modules that it imports."""
    known = {dotted(name) for name in nodes}
    return {dotted(name): set(imports(inside, known)) - {dotted(name)} for name, inside in nodes.items()}


@pytest.fixture(scope="module")
def import_graph(nodes: Nodes) -> Graph:
    """Each module of the tree with the modules that it imports."""
    return read_imports(nodes)


def children(graph: Graph, parent: str) -> dict[str, set[str]]:
    """The files and folders right below a package, with which of them each imports."""
    below = f"{parent}."
    found: dict[str, set[str]] = {}
    for module, targets in graph.items():
        if module.startswith(below):
            own = module.removeprefix(below).split(".")[0]
            others = {target.removeprefix(below).split(".")[0] for target in targets if target.startswith(below)}
            found.setdefault(own, set()).update(others - {own})
    return found


def circles(graph: Graph) -> set[frozenset[str]]:
    """Nodes that reach one another, as sets of two or more.

    >>> circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == {frozenset("abc")}
    True
    """
    reach = {node: reachable(graph, node) for node in graph}
    found = {frozenset({node, *(other for other in reach[node] if node in reach.get(other, ()))}) for node in graph}
    return {circle for circle in found if len(circle) > 1}


def reachable(graph: Graph, start: str) -> set[str]:
    """Every node that imports lead to from one."""
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += graph.get(node, ())
    return found


def test_no_circle_of_files(import_graph: Graph) -> None:
    assert not circles(import_graph)


def test_no_circle_of_folders(modules: dict[str, Path], import_graph: Graph) -> None:
    packages = [dotted(name) for name in modules if name.endswith("/__init__.py")]
    found = {package: circles(children(import_graph, package)) for package in packages}
    assert not {package: circle for package, circle in found.items() if circle}


def test_a_circle_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.b import B\n")
    (tmp_path / "b.py").write_text("def late():\n    from p import a\n")
    graph = read_imports({"p/a.py": nodes_of(tmp_path / "a.py"), "p/b.py": nodes_of(tmp_path / "b.py")})
    assert circles(graph) == {frozenset({"p.a", "p.b"})}
