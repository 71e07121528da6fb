"""Nobody but their owner reads new files, unless a variable allows it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from pitfalls_tf.cli.file_modes import restrict_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize(
    ("variable", "modes"), [(None, (0o600, 0o700)), ("027", (0o640, 0o750)), ("22", (0o644, 0o755))]
)
def test_new_files_and_folders_are_as_the_variable_allows(
    variable: str | None, modes: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PITFALLS_UMASK", raising=False)
    if variable is not None:
        monkeypatch.setenv("PITFALLS_UMASK", variable)
    restrict_files()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    found = (tmp_path / "folder" / "file", tmp_path / "folder")
    assert tuple(stat.S_IMODE(path.stat().st_mode) for path in found) == modes


def test_another_value_is_refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PITFALLS_UMASK", "u=rwx")
    with pytest.raises(SystemExit) as caught:
        restrict_files()
    assert (caught.value.code, "PITFALLS_UMASK cannot be used" in capfd.readouterr().err) == (2, True)
