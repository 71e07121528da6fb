"""Version folders, models in a folder, and which versions a policy serves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from serving.models.version_folders import ModelSource, VersionPolicy, check_files, discover, find_versions, modified_ns

if TYPE_CHECKING:
    from pathlib import Path


@given(found=st.sets(st.integers(0, 99)), count=st.integers(0, 5))
def test_policies_choose_among_what_is_there(found: set[int], count: int) -> None:
    newest_first = tuple(sorted(found, reverse=True))
    assert VersionPolicy(count=count).choose(list(found)) == newest_first[: max(1, count)]
    assert VersionPolicy(kind="all").choose(list(found)) == newest_first
    assert VersionPolicy(kind="none").choose(list(found)) == ()
    chosen = VersionPolicy(kind="specific", numbers=(3, 5)).choose(list(found))
    assert set(chosen) == found & {3, 5}


def test_only_numbered_folders_are_versions(tmp_path: Path) -> None:
    for name in ("1", "00000123", "-2", "tmp", "1.5", "99999999999999999999", "²"):
        (tmp_path / name).mkdir()
    (tmp_path / "7").write_text("a file")
    assert find_versions(tmp_path) == {1: tmp_path / "1", 123: tmp_path / "00000123"}


def test_models_are_the_folders_with_versions(tmp_path: Path) -> None:
    (tmp_path / "b" / "1").mkdir(parents=True)
    (tmp_path / "a" / "2").mkdir(parents=True)
    (tmp_path / ".hidden" / "1").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    assert [source.name for source in discover(tmp_path)] == ["a", "b"]
    assert discover(tmp_path)[0] == ModelSource(name="a", base=tmp_path / "a")
    with pytest.raises(BadInput, match="one model, not a folder of models"):
        discover(tmp_path / "a")
    with pytest.raises(BadInput, match="No such models folder"):
        discover(tmp_path / "nowhere")


def test_a_version_is_changed_when_its_folder_graph_or_variables_are(tmp_path: Path) -> None:
    assert modified_ns(tmp_path / "none") == 0
    version = tmp_path / "1"
    (version / "variables").mkdir(parents=True)
    files = [version / "saved_model.pb", version / "variables" / "variables.index"]
    for file in files:
        file.write_bytes(b"")
    for second, part in enumerate([version, version / "variables", *files], start=1):
        os.utime(part, ns=(0, second * 10**9))
    assert modified_ns(version) == 4 * 10**9
    os.utime(version, ns=(0, 9 * 10**9))
    assert modified_ns(version) == 9 * 10**9
    os.utime(files[0], ns=(0, 10 * 10**9))
    assert modified_ns(version) == 10 * 10**9


def test_a_versions_files_lie_in_its_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("planted")
    version = tmp_path / "models" / "1"
    (version / "assets").mkdir(parents=True)
    (version / "assets" / "words").write_text("a")
    (version / "assets" / "same").symlink_to("words")
    (tmp_path / "models" / "2").symlink_to("1")
    for number in ("1", "2"):
        check_files(tmp_path / "models" / number)
    for place, target in (("assets/far", secret), ("assets.extra", tmp_path), ("assets/nowhere", "../../../missing")):
        (version / place).symlink_to(target)
        with pytest.raises(BadInput, match=f"leads out of its folder.*{place} -> .*cp -rL"):
            check_files(tmp_path / "models" / "2")
        (version / place).unlink()
    os.mkfifo(version / "assets" / "pipe")
    with pytest.raises(BadInput, match=r"neither a file nor a folder.*assets/pipe"):
        check_files(version)
