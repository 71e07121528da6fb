"""``pitfalls export``: flags and errors; the bundle itself is tested with serving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from monitoring.errors import BadInput
from pitfalls_tf.cli.export import split_names

Pitfalls = Callable[..., Result]


@pytest.mark.parametrize("text", ["", "a,", "a,,b", "a,b,a", " "])
def test_empty_and_repeated_names_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="Invalid names for --classes"):
        split_names(text, "--classes", "no,yes")


def test_names_are_optional_and_stripped() -> None:
    assert split_names(None, "--classes", "no,yes") == ()
    assert split_names(" no , yes ", "--classes", "no,yes") == ("no", "yes")


def test_a_model_that_does_not_exist_is_wrong_input(pitfalls: Pitfalls, tmp_path: Path) -> None:
    result = pitfalls("export", tmp_path / "none.keras", "--name", "m", "--models", tmp_path / "models")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "The model to export does not exist." in result.stderr
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("flag", "value"), [("--reference", "r.parquet"), ("--features", "a,b"), ("--label", "y"), ("--custom", "m")]
)
def test_a_runs_folder_takes_no_flags_for_files(pitfalls: Pitfalls, tmp_path: Path, flag: str, value: str) -> None:
    (tmp_path / "runs").mkdir()
    result = pitfalls("export", tmp_path / "runs", "--name", "m", "--models", tmp_path / "models", flag, value)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"with {flag}" in result.stderr
