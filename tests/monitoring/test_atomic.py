"""A file or folder is there whole or not at all, whatever fails and whoever else writes."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.atomic import (
    PendingFile,
    lock_file,
    publish,
    replacing,
    rewrite_text,
    scratch_folder,
    staging_folder,
    sweep_folders,
    sync_folder,
    write_bytes,
    write_text,
)
from tests.small_disk import small_disk

PREFIX = ".build-"
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60).filter(
    lambda name: name not in {".", ".."} and len(name.encode()) <= 255
)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES, st.lists(st.binary(max_size=200), min_size=1, max_size=3))
def test_what_was_written_last_is_read_and_nothing_else_is_there(
    tmp_path_factory: pytest.TempPathFactory, name: str, contents: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("folder") / name
    for content in contents:
        write_bytes(path, content, durable=False)
        assert path.read_bytes() == content
    assert names_in(path.parent) == [name]


def test_text_keeps_its_line_ends_and_names_may_be_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_text(path, "ä\r\nb\n")
    assert path.read_bytes() == "ä\r\nb\n".encode()
    assert names_in(tmp_path) == [path.name]


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_bytes(tmp_path / "atomic", b"")
    assert stat.S_IMODE((tmp_path / "atomic").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_file_of_somebody_s_keeps_its_permissions_and_a_link_stays_one(tmp_path: Path) -> None:
    file, link = tmp_path / "models.config", tmp_path / "link"
    file.write_text("before")
    file.chmod(0o664)
    link.symlink_to(file)
    before = os.umask(0o077)
    try:
        rewrite_text(link, "after")
    finally:
        os.umask(before)
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode), link.is_symlink()) == ("after", 0o664, True)
    with pytest.raises(FileNotFoundError):
        rewrite_text(tmp_path / "none", "after")


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_a_block_that_raises_leaves_the_old_file_and_nothing_else(tmp_path: Path, stop: type[BaseException]) -> None:
    path = tmp_path / "a"
    write_bytes(path, b"old")

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise stop

    with pytest.raises(stop):
        fail()
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a"]


def test_a_folder_that_is_not_there_or_a_destination_that_is_a_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_bytes(tmp_path / "nowhere" / "a", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_bytes(tmp_path / "folder", b"")
    assert names_in(tmp_path) == ["folder"]


# Some bytes fit, more do not: written in one go, piece by piece, and what is flushed at the end only.
FULL_DISK = """
import errno, resource, signal, sys
from pathlib import Path
from monitoring.atomic import staging_folder, publish, replacing, write_bytes

folder = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, resource.RLIM_INFINITY))
for pieces in ([b"x" * 20_000], [b"x" * 900] * 20, [b"x" * 6_000]):
    try:
        with replacing(folder / "a") as file:
            for piece in pieces:
                file.write(piece)
    except OSError as error:
        assert error.errno == errno.EFBIG, error
    else:
        raise AssertionError("it did not fit")
try:
    with staging_folder(folder, ".build-") as building:
        (building / "b").write_bytes(b"x" * 20_000)
        publish(building, folder / "version")
except OSError as error:
    assert error.errno == errno.EFBIG, error
else:
    raise AssertionError("it did not fit")
"""


def test_a_file_that_cannot_grow_leaves_the_old_one_and_no_remnant(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"old")
    done = subprocess.run([sys.executable, "-c", FULL_DISK, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names_in(tmp_path) == ["a"]


def test_a_full_disk_leaves_the_old_file_and_as_much_room_as_before(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        write_bytes(disk / "a", b"old" * 1000)
        free = os.statvfs(disk).f_bavail
        with pytest.raises(OSError, match="No space left") as caught:
            write_bytes(disk / "a", bytes(2 << 20))
        assert caught.value.errno == errno.ENOSPC
        assert (disk / "a").read_bytes() == b"old" * 1000
        assert names_in(disk) == ["a"]
        assert os.statvfs(disk).f_bavail == free


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is synced and renamed, in order; it is done, too."""
    made: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def recorded_fsync(descriptor: int) -> None:
        made.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "contents")
        fsync(descriptor)

    def recorded_rename(path: Path, target: Path) -> Path:
        made.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(Path, "rename", recorded_rename)
    return made


@pytest.mark.parametrize(
    ("durable", "expected"), [(True, ["contents", "rename", "folder"]), (False, ["rename"])], ids=["durable", "not"]
)
def test_durable_contents_are_synced_before_the_rename_and_the_folder_after_it(
    tmp_path: Path, calls: list[str], durable: bool, expected: list[str]
) -> None:
    write_bytes(tmp_path / "a", b"x", durable=durable)
    assert calls == expected


def test_a_folder_is_published_when_everything_in_it_is_synced(tmp_path: Path, calls: list[str]) -> None:
    with staging_folder(tmp_path, PREFIX) as building:
        (building / "inner").mkdir()
        (building / "inner" / "a").write_bytes(b"x")
        publish(building, tmp_path / "1")
    assert sorted(calls[:3]) == ["contents", "folder", "folder"]
    assert calls[3:] == ["rename", "folder"]
    calls.clear()
    with staging_folder(tmp_path, PREFIX) as building:
        publish(building, tmp_path / "2", durable=False)
    assert calls == ["rename"]


@pytest.mark.parametrize(("number", "raises"), [(errno.EINVAL, False), (errno.ENOTSUP, False), (errno.EIO, True)])
def test_a_file_system_that_cannot_sync_a_folder_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, raises: bool
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    if raises:
        with pytest.raises(OSError, match="Input/output"):
            sync_folder(tmp_path)
    else:
        sync_folder(tmp_path)


def test_a_sync_that_fails_before_the_rename_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes(tmp_path / "a", b"old")

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="broken"):
        write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names_in(tmp_path) == ["a"]


def test_many_writers_at_once_leave_one_whole_content_and_readers_see_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_bytes(path, b"0" * 5000, durable=False)
    start = threading.Barrier(5)

    def write(letter: bytes) -> None:
        start.wait()
        for _ in range(50):
            write_bytes(path, letter * 5000, durable=False)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"1", b"2", b"3", b"4")]
    for thread in threads:
        thread.start()
    start.wait()
    while any(thread.is_alive() for thread in threads):
        content = path.read_bytes()
        assert content == content[:1] * 5000
    for thread in threads:
        thread.join()
    assert names_in(tmp_path) == ["a"]


DYING = """
import os, signal, sys
from pathlib import Path
from monitoring.atomic import staging_folder, replacing

folder = Path(sys.argv[1])
with replacing(folder / "a") as file, staging_folder(folder, ".build-") as building:
    file.write(b"half")
    file.flush()
    (building / "b").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_left_is_deleted_by_the_next_and_a_living_one_is_left_alone(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"old")
    done = subprocess.run([sys.executable, "-c", DYING, tmp_path], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (tmp_path / "a").read_bytes() == b"old"
    assert len(names_in(tmp_path)) == 3
    living = PendingFile(tmp_path / "a")
    assert len(names_in(tmp_path)) == 3
    write_bytes(tmp_path / "a", b"new")
    with staging_folder(tmp_path, PREFIX) as building:
        assert sweep_folders(tmp_path, PREFIX) == 0
        assert building.is_dir()
    assert len(names_in(tmp_path)) == 2
    living.file.write(b"newest")
    living.commit()
    assert (tmp_path / "a").read_bytes() == b"newest"
    assert names_in(tmp_path) == ["a"]


def test_a_discarded_file_is_gone_and_may_be_discarded_again(tmp_path: Path) -> None:
    aside = PendingFile(tmp_path / "a")
    aside.file.write(b"x")
    aside.discard()
    aside.discard()
    assert names_in(tmp_path) == []


def test_a_folder_takes_no_place_that_is_taken_and_both_stay_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "theirs").touch()
    with staging_folder(tmp_path, PREFIX) as building:
        (building / "ours").touch()
        with pytest.raises(OSError, match="not empty"):
            publish(building, tmp_path / "1")
        assert names_in(building) == ["ours"]
    assert names_in(tmp_path) == ["1"]
    assert names_in(tmp_path / "1") == ["theirs"]


def test_single_files_of_a_folder_aside_take_the_place_of_files(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_text("old")
    with staging_folder(tmp_path, PREFIX) as building:
        (building / "model.keras").write_text("new")
        (building / "notes").write_text("not published")
        publish(building / "model.keras", tmp_path / "model.keras")
    assert names_in(tmp_path) == ["model.keras"]
    assert (tmp_path / "model.keras").read_text() == "new"


def test_a_block_that_raises_leaves_no_folder(tmp_path: Path) -> None:
    def fail() -> None:
        with staging_folder(tmp_path, PREFIX) as building:
            (building / "a").touch()
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert names_in(tmp_path) == []


def test_folders_and_files_of_others_are_not_swept(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}theirs").mkdir()
    (tmp_path / f"{PREFIX}theirs" / "a").touch()
    (tmp_path / f"{PREFIX}file").touch()
    (tmp_path / f"{PREFIX}empty").mkdir()
    assert sweep_folders(tmp_path, PREFIX) == 1
    assert names_in(tmp_path) == [f"{PREFIX}file", f"{PREFIX}theirs"]


@pytest.mark.skipif(os.geteuid() != 0, reason="files of another user are made")
def test_a_folder_of_another_user_is_not_swept(tmp_path: Path) -> None:
    theirs = tmp_path / f"{PREFIX}theirs"
    theirs.mkdir()
    (theirs / "lock").touch()
    os.chown(theirs, 65_534, 65_534)
    assert sweep_folders(tmp_path, PREFIX) == 0
    assert (theirs / "lock").exists()


def test_a_scratch_folder_is_closed_to_others_and_gone_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with scratch_folder() as folder:
        (folder / "a").touch()
        (outer,) = tmp_path.iterdir()
        assert outer.stat().st_mode & 0o777 == 0o700
        with scratch_folder() as other:
            assert other != folder
        assert (folder / "a").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_held_by_one_descriptor_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    one, other = os.open(path, os.O_RDWR), os.open(path, os.O_RDWR)
    try:
        assert lock_file(one)
        assert not lock_file(other)
        os.close(one)
        assert lock_file(other)
    finally:
        os.close(other)
