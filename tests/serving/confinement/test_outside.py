"""A process outside opens the files and does the tasks that it was made for, and no others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitoring.errors import BadInput, CannotRun
from serving.confinement.outside import Outside, file_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def double(document: Any, say: Callable[[str], None]) -> Any:
    say(f"doubling {document}")
    if document == "bad":
        raise BadInput("No number.", got="bad", expected="a number", fix="Give one.")
    if document == "missing":
        raise FileNotFoundError(2, "No such file or directory")
    return {"pid": os.getpid(), "result": document * 2}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "tokens").write_text("first\n")
    return tmp_path / "tokens"


@pytest.fixture
def outside(file: Path) -> Iterator[Outside]:
    started = Outside([file], {"double": double})
    yield started
    started.close()


def test_it_opens_its_files_anew_each_time(outside: Outside, file: Path) -> None:
    path = file_at(file, outside)
    assert path == file
    assert path.read_text() == "first\n"
    file.rename(file.with_name("old"))
    with pytest.raises(FileNotFoundError):
        path.read_text()
    file.write_text("second\n")
    with path.open("rb") as opened:
        assert opened.read() == b"second\n"
    with pytest.raises(PermissionError):
        outside.open(file.with_name("old"))


def test_it_does_its_tasks(outside: Outside) -> None:
    said: list[str] = []
    answer = outside.call("double", 21, said.append)
    assert answer["result"] == 42
    assert answer["pid"] != os.getpid()
    assert said == ["doubling 21"]
    with pytest.raises(BadInput, match=r"No number.*got bad|No number. Got bad"):
        outside.call("double", "bad", said.append)
    with pytest.raises(FileNotFoundError):
        outside.call("double", "missing", said.append)
    assert outside.call("double", "x" * 300_000, said.append)["result"] == "x" * 600_000


def test_one_that_has_ended_is_said(file: Path) -> None:
    outside = Outside([file], {"double": double})
    pid = outside.call("double", 1, print)["pid"]
    os.kill(pid, 9)
    with pytest.raises((CannotRun, OSError)):
        outside.call("double", 1, print)
    with pytest.raises(OSError):  # noqa: PT011 - the socket's own, or that of no answer
        outside.open(file)
    outside.close()
