"""A file of a store is replaced whole, or it is as it was."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from monitoring.errors import CannotRun
from monitoring.traffic.remote.file_store import FileStore


def test_a_file_is_replaced_even_by_one_of_its_size(tmp_path: Path) -> None:
    store = FileStore(tmp_path.as_uri())
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(b"old")
    store.write("a/one", b"new")
    assert store.read("a/one") == b"new"
    assert store.find() == ["a/one"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["one"]


def test_in_a_store_without_renames_too(monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileStore("memory://log")
    store.write("one", b"old")

    def mv(*_: object, **__: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "mv", mv)
    store.write("one", b"new")
    assert store.read("one") == b"new"
    assert store.find() == ["one"]


def test_a_store_that_takes_nothing_is_an_error_with_its_address(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = FileStore((tmp_path / "file").as_uri())
    with pytest.raises(CannotRun, match=r"The file store cannot be written\..*file/one"):
        store.write("one", b"new")
