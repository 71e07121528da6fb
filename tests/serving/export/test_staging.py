"""A version appears whole or not at all, whoever dies meanwhile and however many write at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from monitoring.errors import CannotRun
from serving.export.staging import PREFIX, StagedVersion, staged_version
from serving.models.version_folders import find_versions

# Dies by SIGKILL at the moment that it is given.
DYING = """
import os, shutil, signal, sys
from pathlib import Path
from monitoring import atomic
from serving.export.staging import staged_version

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

moment = sys.argv[2]
if moment == "made":
    atomic.os.open = die
if moment == "deleting":
    real = shutil.rmtree
    shutil.rmtree = lambda path, **options: (real(path, **options), die())
with staged_version(Path(sys.argv[1])) as writing:
    (writing.folder / "saved_model.pb").write_bytes(b"half")
    if moment == "written":
        die()
    if moment == "published":
        writing.publish()
        die()
    if moment == "synced":
        Path.rename = die
        writing.publish()
"""


def publish_one(model: Path, content: str) -> Path:
    with staged_version(model) as writing:
        (writing.folder / "saved_model.pb").write_text(content)
        return writing.publish()


def leftovers(model: Path) -> list[Path]:
    return sorted(model.glob(f"{PREFIX}*"))


def test_versions_count_up_and_nothing_else_is_left(tmp_path: Path) -> None:
    model = tmp_path / "models" / "flights"
    assert [publish_one(model, content).name for content in "abc"] == ["1", "2", "3"]
    assert sorted(path.name for path in model.iterdir()) == ["1", "2", "3"]
    assert [path.name for path in (model / "2").iterdir()] == ["saved_model.pb"]


@pytest.mark.parametrize(("taken", "expected"), [("007", "8"), ("1700000000", "1700000001"), ("v9", "1")])
def test_the_next_number_follows_the_largest(tmp_path: Path, taken: str, expected: str) -> None:
    (tmp_path / taken).mkdir()
    assert publish_one(tmp_path, "x").name == expected


def test_a_file_with_a_number_for_a_name_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "1").write_text("mine")
    assert publish_one(tmp_path, "x").name == "2"
    assert (tmp_path / "1").read_text() == "mine"


def test_a_version_that_appears_meanwhile_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.rename

    def late(path: Path, target: Path) -> Path:
        if target.name == "1":
            target.mkdir()
            (target / "saved_model.pb").write_text("theirs")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", late)
    assert publish_one(tmp_path, "ours").name == "2"
    assert [(tmp_path / name / "saved_model.pb").read_text() for name in "12"] == ["theirs", "ours"]


def test_many_at_once_get_a_number_each(tmp_path: Path) -> None:
    start = threading.Barrier(8)
    published: list[Path] = []

    def one(content: str) -> None:
        start.wait()
        published.append(publish_one(tmp_path, content))

    threads = [threading.Thread(target=one, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(find_versions(tmp_path)) == list(range(1, 9))
    assert {(path / "saved_model.pb").read_text() for path in published} == set("01234567")
    assert not leftovers(tmp_path)


def test_what_was_not_published_is_deleted(tmp_path: Path) -> None:
    def fail(writing: StagedVersion) -> None:
        (writing.folder / "saved_model.pb").write_text("half")
        raise CannotRun("It broke.", got="a", expected="b", fix="c")

    with pytest.raises(CannotRun), staged_version(tmp_path) as writing:
        fail(writing)
    assert not list(tmp_path.iterdir())


def test_an_export_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    with staged_version(tmp_path) as slow:
        (slow.folder / "saved_model.pb").write_text("slow")
        assert len(leftovers(tmp_path)) == 1
        assert publish_one(tmp_path, "quick").name == "1"
        assert slow.publish().name == "2"
    assert (tmp_path / "2" / "saved_model.pb").read_text() == "slow"


@pytest.mark.parametrize("moment", ["made", "written", "synced", "published", "deleting"])
def test_killed_at_any_moment_it_leaves_no_half_version(tmp_path: Path, moment: str) -> None:
    done = subprocess.run([sys.executable, "-c", DYING, tmp_path, moment], check=False, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    assert len(leftovers(tmp_path)) == 1
    whole = [1] if moment == "published" else []
    assert sorted(find_versions(tmp_path)) == whole
    assert int(publish_one(tmp_path, "next").name) == len(whole) + 1
    assert not leftovers(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with (
        pytest.raises(CannotRun, match=r"The models folder cannot be written.*models/flights"),
        staged_version(tmp_path / "models" / "flights"),
    ):
        pytest.fail("there is nowhere to write")
