"""Tests are found by name: PACKAGE/ROOM/noun.py has tests/PACKAGE/ROOM/test_noun.py, or several test_noun_*.py."""

from __future__ import annotations

import ast
from pathlib import Path, PurePosixPath

PACKAGES = ("monitoring", "serving", "pitfalls_tf")
#: Sources without a test file of their name, each with the reason.
WITHOUT_TESTS: dict[str, str] = {}
#: Folders of tests that are of a whole server: clients of other projects, and fuzzing.
WHOLE = ("serving/clients/", "serving/fuzzing/")
#: Rooms whose tests have at least as many lines as their code.
CORE = ("monitoring/judging", "monitoring/evidence", "monitoring/traffic", "serving/inference")


def sources(modules: dict[str, Path]) -> dict[str, Path]:
    """What wants tests: every module but packages' own files and migrations, which are tested as a chain."""
    return {
        name: path
        for name, path in modules.items()
        if not PurePosixPath(name).name.startswith("__") and "/migrations/" not in name
    }


def test_files(root: Path) -> list[str]:
    """Paths of test files below the mirrored folders, without `tests/`."""
    return [
        path.relative_to(root / "tests").as_posix()
        for package in PACKAGES
        for path in sorted((root / "tests" / package).rglob("test_*.py"))
    ]


test_files.__test__ = False  # type: ignore[attr-defined] # pytest collects by name


def belongs(test: str, source: str) -> bool:
    """Whether a test file is of a source by its folder and name.

    >>> belongs("serving/rest/test_routes_of_labels.py", "serving/rest/routes.py")
    True
    """
    of, noun = PurePosixPath(source).parent, PurePosixPath(source).stem
    stem = PurePosixPath(test).stem
    return PurePosixPath(test).parent == of and (stem == f"test_{noun}" or stem.startswith(f"test_{noun}_"))


def lines(path: Path) -> int:
    """Lines that are neither blank nor docstrings."""
    text = path.read_text("utf-8")
    documented = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            documented |= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return sum(bool(line.strip()) for number, line in enumerate(text.splitlines(), 1) if number not in documented)


def test_every_file_has_tests_of_its_name(root: Path, modules: dict[str, Path]) -> None:
    tests = test_files(root)
    without = [name for name in sources(modules) if not any(belongs(test, name) for test in tests)]
    assert set(without) == set(WITHOUT_TESTS)


def test_every_test_file_names_a_file(root: Path, modules: dict[str, Path]) -> None:
    names = [*sources(modules), *(name.removesuffix("/__init__.py") + ".py" for name in modules)]
    of_rooms = [test for test in test_files(root) if not test.startswith(WHOLE)]
    assert not [test for test in of_rooms if not any(belongs(test, name) for name in names)]


def test_the_core_has_as_many_lines_of_tests_as_of_code(root: Path, modules: dict[str, Path]) -> None:
    short = {}
    for room in CORE:
        code = sum(lines(path) for name, path in modules.items() if name.startswith(f"{room}/"))
        tests = sum(lines(path) for path in (root / "tests" / room).rglob("*.py"))
        if tests < code:
            short[room] = (tests, code)
    assert not short
