"""Tests are named after what they test: a file or room PACKAGE/ROOM/NAME has tests/PACKAGE/ROOM/test_NAME*.py."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

PACKAGES = ("monitoring", "serving", "pitfalls_tf")
#: Folders of tests that are of a whole server: clients of other projects, and fuzzing.
WHOLE = ("serving/clients/", "serving/fuzzing/")


def is_named_after(test: str, source: str) -> bool:
    """Whether a test file is named after a file or room.

    >>> is_named_after("serving/rest/test_routes_of_labels.py", "serving/rest/routes")
    True
    >>> is_named_after("serving/rest/test_rest.py", "serving/rest")
    True
    >>> is_named_after("serving/rest/test_routes.py", "serving/inference/routes")
    False
    """
    path = PurePosixPath(test)
    room, name = PurePosixPath(source).parent, PurePosixPath(source).name
    return path.parent in {room, PurePosixPath(source)} and f"{path.stem}_".startswith(f"test_{name}_")


def test_every_test_file_is_named_after_a_file_or_a_room(root: Path, modules: dict[str, Path]) -> None:
    names = [name.removesuffix(".py").removesuffix("/__init__") for name in modules]
    tests = [
        path.relative_to(root / "tests").as_posix()
        for package in PACKAGES
        for path in sorted((root / "tests" / package).rglob("test_*.py"))
    ]
    of_rooms = [test for test in tests if not test.startswith(WHOLE)]
    assert len(of_rooms) > 500
    near: dict[PurePosixPath, list[str]] = {}
    for name in names:
        for folder in (PurePosixPath(name).parent, PurePosixPath(name)):
            near.setdefault(folder, []).append(name)
    assert not [
        test
        for test in of_rooms
        if not any(is_named_after(test, name) for name in near.get(PurePosixPath(test).parent, ()))
    ]
