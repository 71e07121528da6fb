"""``pitfalls train``: one answer on stdout, the right exit code for wrong input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pitfalls_tf.cli.output import encode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from pitfalls_tf.setups import Setup


def test_an_unknown_setup_is_wrong_input(pitfalls: Callable[..., Result], tmp_path: Path) -> None:
    result = pitfalls("train", "fligths", "--out", tmp_path / "runs")
    assert result.exit_code == 2
    assert "Did you mean flights?" in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "runs").exists()


def test_the_folder_must_be_named_and_seeds_counted(pitfalls: Callable[..., Result], tmp_path: Path) -> None:
    assert pitfalls("train", "flights").exit_code == 2
    assert pitfalls("train", "flights", "--out", tmp_path, "--seeds", "0").exit_code == 2


def test_training_answers_with_one_document_and_says_the_rest_on_stderr(
    pitfalls: Callable[..., Result], small: Setup, tmp_path: Path
) -> None:
    result = pitfalls("train", small.name, "--out", tmp_path, "--seeds", "2", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert encode(document) == result.stdout
    assert [run["seed"] for run in document["runs"]] == [0, 1]
    assert document["deployed"] in {0, 1}
    assert document["spread"]["brier"]["worst_minus_median"] >= 0
    for name in ("model", "reference"):
        assert (tmp_path / "small").joinpath(document[name].rsplit("/", 1)[1]).is_file()
    assert "seed 1, fold 3 of 3" in result.stderr

    shown = pitfalls("train", small.name, "--out", tmp_path, "--seeds", "2")
    assert shown.exit_code == 0
    assert "worst - median" in shown.stdout
    assert "seed 1 kept" in shown.stderr


def test_a_setup_or_a_manifest_but_not_both(pitfalls: Callable[..., Result], small: Setup, tmp_path: Path) -> None:
    assert pitfalls("train", "--out", tmp_path).exit_code == 2
    assert pitfalls("train", small.name, "--from", tmp_path / "manifest.json", "--out", tmp_path).exit_code == 2
    missing = pitfalls("train", "--from", tmp_path / "manifest.json", "--out", tmp_path)
    assert missing.exit_code == 2
    assert "No such manifest" in missing.stderr
