"""A cached file is made once for each stamp of its source, and goes with the process."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from monitoring.traffic.remote.local_cache import LocalCache


@pytest.fixture
def cache() -> LocalCache:
    return LocalCache()


def test_a_file_is_made_again_when_its_source_has_changed_and_the_old_one_is_deleted(cache: LocalCache) -> None:
    made: list[Path] = []

    def make(path: Path) -> None:
        made.append(path)
        path.write_text(f"{len(made)}")

    first = cache.get("source", "1", ".csv", make)
    assert cache.get("source", "1", ".csv", make) == first
    assert first.suffix == ".csv"
    second = cache.get("source", "2", ".csv", make)
    assert second.read_text() == "2"
    assert not first.exists()
    assert cache.get("other", "2", ".csv", make).read_text() == "3"
    assert len(made) == 3


def test_a_file_that_cannot_be_made_leaves_nothing_and_keeps_the_one_before(cache: LocalCache) -> None:
    first = cache.get("source", "1", "", lambda path: path.touch())

    def fail(path: Path) -> None:
        path.write_text("half")
        raise ValueError(path)

    with pytest.raises(ValueError, match="pitfalls-") as caught:
        cache.get("source", "2", "", fail)
    assert not Path(str(caught.value)).exists()
    assert cache.get("source", "1", "", fail) == first


def test_each_source_has_one_folder(cache: LocalCache) -> None:
    folder = cache.folder("s3://a")
    (folder / "inside").touch()
    assert cache.folder("s3://a") == folder
    assert cache.folder("s3://b") != folder
    assert [path.name for path in folder.iterdir()] == ["inside"]


def test_threads_that_want_one_file_make_it_once(cache: LocalCache) -> None:
    start = threading.Barrier(4)
    made: list[Path] = []

    def work() -> None:
        start.wait()
        cache.get("source", "1", "", made.append)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


PROCESS = """
from monitoring.traffic.remote.local_cache import LOCAL_CACHE
print(LOCAL_CACHE.get("source", "1", ".csv", lambda path: path.touch()), end="")
"""


def test_the_files_go_with_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, check=True)
    path = Path(done.stdout)
    assert path.name == "1.csv"
    assert not path.parent.exists()
