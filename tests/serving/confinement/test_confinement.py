"""What a machine can confine is said, and where it must and cannot, nothing is started."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from monitoring.errors import CannotRun
from serving.confinement.confinement import ConfineMode, Support, check_support, has_gpu, with_links
from serving.confinement.landlock import NETWORK_ABI

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_kernel_lacks_is_named() -> None:
    none, old, new = (
        Support(abi=0, has_seccomp=False),
        Support(abi=3, has_seccomp=True),
        Support(abi=7, has_seccomp=True),
    )
    assert none.parts() == ()
    assert [len(none.missing()), len(old.missing()), len(new.missing())] == [2, 1, 0]
    assert old.missing() == ("TCP connections need Linux 6.7",)
    assert new.parts() == ("files (Landlock 7)", "TCP connections", "programs and system calls (seccomp)")
    for support in (none, Support(abi=7, has_seccomp=False), Support(abi=1, has_seccomp=True)):
        check_support(ConfineMode.AUTO, support)
        with pytest.raises(CannotRun, match="--confine auto"):
            check_support(ConfineMode.REQUIRED, support)
    check_support(ConfineMode.REQUIRED, old)


def test_where_versions_are_linked_from_is_read_too(tmp_path: Path) -> None:
    models, releases, elsewhere = tmp_path / "models", tmp_path / "releases" / "m", tmp_path / "elsewhere" / "n"
    for folder in (models / "m", models / "other" / "1", releases / "1", elsewhere / "1"):
        folder.mkdir(parents=True)
    (releases / "1" / "saved_model.pb").touch()
    (elsewhere / "1" / "saved_model.pbtxt").touch()
    assert with_links(models, 2) == (models,)
    (models / "m" / "1").symlink_to(releases / "1")
    (models / "m" / "2").symlink_to(tmp_path / "gone")
    (models / "n").symlink_to(elsewhere)
    assert with_links(models, 2) == (models, elsewhere.parent, releases)
    assert with_links(models / "m", 1) == (models / "m", releases)
    assert with_links(models / "n", 1) == (models / "n", elsewhere.parent)


def test_no_link_inside_of_a_version_makes_anything_readable(tmp_path: Path) -> None:
    """Nor does one that leads to what is no version: both may come out of somebody's archive."""
    secret, version = tmp_path / "secret", tmp_path / "models" / "m" / "1"
    secret.mkdir()
    (secret / "key").touch()
    version.mkdir(parents=True)
    (version / "saved_model.pb").touch()
    (version / "assets").symlink_to(secret)
    (version / "README").symlink_to(secret / "key")
    (version.parent / "2").symlink_to(secret)
    (version.parents[1] / "n").symlink_to(secret)
    for depth, folder in enumerate([version, version.parent, version.parents[1]]):
        assert with_links(folder, depth) == (folder,)


TRIED = """
import sys
from pathlib import Path
from serving.confinement.confinement import (
    ConfineMode, Needs, Support, check_in_force, confine_calls, confine_files, still_possible
)

support = Support.of_this_machine()
print(len(still_possible(support)))
confine_files(Needs(read=tuple(map(Path, sys.argv[1:]))), support)
print(confine_calls(support))
check_in_force(ConfineMode.REQUIRED, support)
"""


@pytest.mark.skipif(not Support.of_this_machine().is_whole, reason="this kernel confines no process")
def test_what_is_given_up_is_tried() -> None:
    support = Support.of_this_machine()
    for folders, said, code in (([], "", 0), (["/"], ". Not: a flag names the folder /", 1)):
        done = subprocess.run(
            [sys.executable, "-c", TRIED, *folders], check=False, capture_output=True, text=True, timeout=60
        )
        before, sentence = done.stdout.splitlines()
        assert int(before) == (4 if support.abi >= NETWORK_ABI else 2)
        assert sentence.startswith(f"Confined to what it needs: {', '.join(support.parts())}{said}")
        assert done.returncode == code
        assert ("The confinement is not in force" in done.stderr) == bool(code)


def test_a_gpu_is_one_that_graphs_may_run_on(tmp_path: Path) -> None:
    (tmp_path / "dri").mkdir()
    assert not has_gpu(tmp_path)
    (tmp_path / "nvidia0").touch()
    assert has_gpu(tmp_path)
