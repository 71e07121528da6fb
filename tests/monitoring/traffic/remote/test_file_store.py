"""Files of a store: listed, read and copied whole, with what the store says of them."""

from __future__ import annotations

import ctypes.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.remote.file_store import FileStore, StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterator


class ObjectStore(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Objects in memory: to rename one is an error."""

    protocol = "abfss"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.replace("abfss://", "memory://")))

    def mv(self, *_: Any, **__: Any) -> None:
        raise PermissionError("Objects of this bucket may not be deleted.")


@pytest.fixture(params=["local", "memory", "abfss"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FileStore]:
    """An empty store on this machine's disk, one in memory, and one of objects."""
    if request.param == "local":
        yield FileStore(f"local://{tmp_path}/store")
        return
    fsspec.register_implementation("abfss", ObjectStore, clobber=True)
    memory = fsspec.filesystem("memory")
    yield FileStore(f"{request.param}://test-file-store")
    if memory.exists("/test-file-store"):
        memory.rm("/test-file-store", recursive=True)


def put(store: FileStore, key: str, folder: Path, text: str = "text") -> None:
    local = folder / "local.txt"
    local.write_text(text)
    store.put(local, key)


def test_what_is_put_is_listed_with_its_size_and_read_back(store: FileStore, tmp_path: Path) -> None:
    put(store, "a/b.txt", tmp_path, "12345")
    put(store, "c d%.txt", tmp_path, "1")
    assert store.find() == ["a/b.txt", "c d%.txt"]
    assert {key: one.size for key, one in store.listing().items()} == {"a/b.txt": 5, "c d%.txt": 1}
    assert list(store.listing("a")) == ["a/b.txt"]
    assert store.read("a/b.txt") == b"12345"
    store.get("a/b.txt", tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "12345"


def test_what_is_written_is_replaced_and_nothing_is_left_beside_it(store: FileStore, tmp_path: Path) -> None:
    put(store, "a/c.txt", tmp_path, "333")
    put(store, "a/c.txt", tmp_path, "4444")
    store.write("a/b.json", b"1")
    store.write("a/b.json", b"22")
    assert {key: one.size for key, one in store.listing().items()} == {"a/b.json": 2, "a/c.txt": 4}
    files, root = fsspec.url_to_fs(store.url)
    assert len(files.find(root)) == 2


def test_a_folder_that_is_not_there_is_empty(store: FileStore) -> None:
    assert (store.find(), store.listing("none"), store.matching("*.txt")) == ([], {}, [])


def test_a_stamp_changes_with_the_file(tmp_path: Path) -> None:
    store = FileStore(f"local://{tmp_path}/store")
    put(store, "a.txt", tmp_path, "one")
    before, stamp = store.listing()["a.txt"], store.stamp("a.txt")
    assert store.listing()["a.txt"] == before
    (tmp_path / "store" / "a.txt").write_text("two")
    os.utime(tmp_path / "store" / "a.txt", (1, 1))
    after = store.listing()["a.txt"]
    assert before.size == after.size == 3
    assert before.stamp != after.stamp
    assert store.stamp("a.txt") != stamp


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ({"size": 3, "ETag": '"a"', "LastModified": "monday"}, StoredFile(3, '"a"')),
        ({"size": 3, "generation": 17, "md5Hash": "x", "etag": ""}, StoredFile(3, "17")),
        ({"size": None, "mtime": 1.5}, StoredFile(None, "1.5")),
        ({"name": "only"}, StoredFile(None, "")),
    ],
)
def test_the_stamp_is_what_the_driver_knows_best(
    monkeypatch: pytest.MonkeyPatch, described: dict[str, object], expected: StoredFile
) -> None:
    store = FileStore("memory://stamps")
    monkeypatch.setattr(store._files, "find", lambda *_, **__: {"/stamps/a": described})
    assert store.listing() == {"a": expected}


def test_files_that_are_being_written_are_left_out(store: FileStore, tmp_path: Path) -> None:
    put(store, "a.txt", tmp_path)
    put(store, "b.txt.7.tmp", tmp_path)
    assert store.find() == ["a.txt"]


def test_patterns_match_below_the_store(store: FileStore, tmp_path: Path) -> None:
    for key in ("x/1.csv", "x/2.txt", "y/1.csv"):
        put(store, key, tmp_path)
    assert store.matching("*/1.csv") == ["x/1.csv", "y/1.csv"]


def test_what_cannot_be_read_is_an_error_that_names_the_file(store: FileStore, tmp_path: Path) -> None:
    for ask in (store.read, store.stamp, store.parquet, lambda key: store.get(key, tmp_path / "copy")):
        with pytest.raises(CannotRun, match=r"none\.txt"):
            ask("none.txt")


@pytest.mark.parametrize("url", ["nowhere://me:hush@bucket/a", "nowhere://bucket/a?key=hush"])
def test_a_url_without_a_driver_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(BadInput, match="No installed driver") as raised:
        FileStore(url)
    assert "hush" not in str(raised.value)


@pytest.mark.skipif(ctypes.util.find_library("hdfs") is not None, reason="Hadoop's library is here")
def test_hdfs_without_hadoop_is_an_error_that_says_what_to_install() -> None:
    with pytest.raises(
        BadInput, match=r"cannot open it\. Got hdfs://node:9000/models: Unable to load libhdfs"
    ) as raised:
        FileStore("hdfs://node:9000/models")
    assert raised.value.fix.startswith("Install Hadoop, set HADOOP_HOME and CLASSPATH")


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
