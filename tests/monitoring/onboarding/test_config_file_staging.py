"""A staging folder leaves nothing behind, and files are put in place all together or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.errors import CannotRun
from monitoring.onboarding.config_file import put_in_place, staging


def test_the_staging_folder_is_gone_afterwards_and_the_destination_stays(tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    with staging(out) as aside:
        assert aside.is_relative_to(out)
        (aside / "a").write_text("a")
    assert list(out.iterdir()) == []


def test_folders_that_were_made_are_removed_if_the_block_raises(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), staging(tmp_path / "new" / "folder"):
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_there_stays_with_its_files_if_the_block_raises(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(CannotRun, match="cannot be written"), staging(tmp_path) as aside:
        (aside / "a" / "b").write_text("b")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_an_error_of_the_disk_says_which_folder_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotRun) as caught, staging(tmp_path / "file" / "folder"):
        pass
    assert str(tmp_path / "file" / "folder") in caught.value.got
    assert "--out" in caught.value.fix


def test_files_and_folders_replace_those_of_their_name(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "baseline").mkdir(parents=True)
    (out / "baseline" / "old").write_text("old")
    (out / "monitor.toml").write_text("old")
    with staging(out) as aside:
        (aside / "baseline").mkdir()
        (aside / "baseline" / "new").write_text("new")
        (aside / "monitor.toml").write_text("new")
        put_in_place(aside, ("baseline", "monitor.toml"), out)
    assert (out / "monitor.toml").read_text() == "new"
    assert [path.name for path in (out / "baseline").iterdir()] == ["new"]
    assert sorted(path.name for path in out.iterdir()) == ["baseline", "monitor.toml"]


@pytest.mark.parametrize("was_there", [True, False])
def test_if_one_name_cannot_be_put_in_place_all_are_as_before(tmp_path: Path, was_there: bool) -> None:
    out = tmp_path / "out"
    out.mkdir()
    if was_there:
        (out / "baseline").mkdir()
        (out / "baseline" / "old").write_text("old")
        (out / "monitor.toml").write_text("old")
    with staging(out) as aside:
        (aside / "baseline").mkdir()
        (aside / "monitor.toml").write_text("new")
        with pytest.raises(FileNotFoundError):
            put_in_place(aside, ("baseline", "monitor.toml", "missing"), out)
    found = {str(path.relative_to(out)): path.read_text() for path in out.rglob("*") if path.is_file()}
    assert found == ({"baseline/old": "old", "monitor.toml": "old"} if was_there else {})
