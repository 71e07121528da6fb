"""What a machine can confine is said, and where it must and cannot, nothing is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitoring.errors import CannotRun
from serving.confinement.confinement import ConfineMode, Support, check_support, has_gpu, with_links

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
    models, releases = tmp_path / "models", tmp_path / "releases" / "m"
    for folder in (models / "m", models / "other" / "1", releases / "1"):
        folder.mkdir(parents=True)
    assert with_links([models]) == (models,)
    (models / "m" / "1").symlink_to(releases / "1")
    (models / "m" / "2").symlink_to(tmp_path / "gone")
    assert with_links([models]) == (models, releases)


def test_a_gpu_is_one_that_graphs_may_run_on(tmp_path: Path) -> None:
    (tmp_path / "dri").mkdir()
    assert not has_gpu(tmp_path)
    (tmp_path / "nvidia0").touch()
    assert has_gpu(tmp_path)
