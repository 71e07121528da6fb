"""``pitfalls demo``: its flags; the pipeline itself runs in tests/end_to_end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Pitfalls = Callable[..., Result]


def test_a_folder_with_other_files_is_wrong_input(pitfalls: Pitfalls, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    result = pitfalls("demo", "--out", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "was not made by a demo" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("arguments", [("--seeds", "0"), ("--until", "April"), ("--until", "2013-04-31")])
def test_invalid_flags_are_usage_errors(pitfalls: Pitfalls, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = pitfalls("demo", "--out", tmp_path / "demo", *arguments)
    assert result.exit_code == 2
    assert "Usage: pitfalls demo" in result.stderr
    assert not (tmp_path / "demo").exists()
