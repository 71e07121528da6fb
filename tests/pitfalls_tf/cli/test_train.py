"""``pitfalls train``: one answer on stdout, the right exit code for wrong input."""

from __future__ import annotations

import json
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pitfalls_tf.cli.output import Output, encode
from pitfalls_tf.cli.train import training_progress
from tests.pitfalls_tf.small_table import write_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from pitfalls_tf.training.setup import Setup


def test_an_unknown_setup_is_wrong_input(pitfalls: Callable[..., Result], tmp_path: Path) -> None:
    result = pitfalls("train", "fligths", "--out", tmp_path / "runs")
    assert result.exit_code == 2
    assert "Did you mean flights?" in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "runs").exists()


def test_the_folder_must_be_named_and_seeds_counted(pitfalls: Callable[..., Result], tmp_path: Path) -> None:
    assert pitfalls("train", "flights").exit_code == 2
    assert pitfalls("train", "flights", "--out", tmp_path, "--seeds", "0").exit_code == 2


def test_training_prints_one_document_and_its_progress_on_stderr(
    pitfalls: Callable[..., Result], small: Setup, tmp_path: Path
) -> None:
    result = pitfalls("train", "flights", "--out", tmp_path, "--seeds", "2", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert encode(document) == result.stdout
    assert [run["seed"] for run in document["runs"]] == [0, 1]
    assert document["deployed"] in {0, 1}
    assert document["spread"]["brier"]["worst_minus_median"] >= 0
    for name in ("model", "reference"):
        assert (tmp_path / "small").joinpath(document[name].rsplit("/", 1)[1]).is_file()
    assert "seed 1 fitted" in result.stderr
    assert document["without_model"] is None

    shown = pitfalls("train", "flights", "--out", tmp_path, "--seeds", "2")
    assert shown.exit_code == 0
    assert "worst - median" in shown.stdout
    assert "seed 1 kept" in shown.stderr


def test_a_setup_or_a_manifest_but_not_both(pitfalls: Callable[..., Result], small: Setup, tmp_path: Path) -> None:
    assert pitfalls("train", "--out", tmp_path).exit_code == 2
    assert pitfalls("train", "flights", "--from", tmp_path / "manifest.json", "--out", tmp_path).exit_code == 2
    missing = pitfalls("train", "--from", tmp_path / "manifest.json", "--out", tmp_path)
    assert missing.exit_code == 2
    assert "No such manifest" in missing.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_table_is_trained_and_one_of_its_runs_made_again(pitfalls: Callable[..., Result], tmp_path: Path) -> None:
    """The whole program: two seeds of a table, then the second alone from its manifest, the same bits."""
    path = tmp_path / "rows.parquet"
    write_rows(path)
    columns = ("--table", path, "--label", "outcome", "--time", "when", "--domain", "site")
    small = ("--epochs", "2", "--batch", "32", "--remedy", "batch_norm")
    made = pitfalls("train", "table", *columns, *small, "--seeds", "2", "--out", tmp_path / "runs", "--json")
    assert made.exit_code == 0, made.stderr
    document = json.loads(made.stdout)
    assert "seed 1 fitted" in made.stderr
    assert document["without_model"] is None
    run = Path(document["runs"][1]["folder"])
    again = pitfalls("train", "--from", run / "manifest.json", "--out", tmp_path / "again", "--json")
    assert again.exit_code == 0, again.stderr
    other = Path(json.loads(again.stdout)["runs"][0]["folder"])
    for name in ("manifest.json", "metrics.json", "domains.json"):
        assert (run / name).read_bytes() == (other / name).read_bytes()
    with np.load(run / "fit.npz") as one, np.load(other / "fit.npz") as two:
        assert one.files == two.files
        assert all((one[name] == two[name]).all() for name in one.files)


def test_what_a_source_does_not_have_is_wrong_input(pitfalls: Callable[..., Result], tmp_path: Path) -> None:
    for arguments, words in (
        (("rodents", "--label", "species"), "The rows of rodents are built in"),
        (("table", "--label", "y"), "Training on a table needs its columns"),
        (("table", "--label", "y", "--split", "domain"), "no --table, --time, --domain, --held-out"),
        (("digits", "--remedy", "focl"), "Did you mean focal"),
        (("rodents", "--architecture", "lenet"), "another kind"),
        (("flights", "--label", "late"), "The rows of flights are built in"),
        (("flights", "--split", "folds", "--remedy", "coral"), "one held-out part"),
    ):
        result = pitfalls("train", *arguments, "--out", tmp_path / "runs")
        assert result.exit_code == 2
        assert words in result.stderr
    assert not (tmp_path / "runs").exists()


def test_shown_steps_are_lines_with_the_estimated_remaining_time(capsys: pytest.CaptureFixture[str]) -> None:
    ticks = count()
    with training_progress(Output(as_json=False, stdout=sys.stdout), lambda: 10.0 * next(ticks)) as report:
        report(2, 10, "kept", shown=True)
        report(3, 10, "epoch 1", shown=False)
        report(4, 10, "seed 1", shown=True)
        report(10, 10, "model", shown=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    # The first line starts the clock; the next one is read 10 s later, after 2 of the 8 remaining steps.
    assert captured.err.splitlines() == ["2 of 10: kept", "4 of 10: seed 1, about 30 s left", "10 of 10: model"]


def test_long_times_are_in_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter((0.0, 60.0))
    with training_progress(Output(as_json=False, stdout=sys.stdout), lambda: next(times)) as report:
        report(0, 4, "data", shown=False)
        report(1, 4, "seed 0", shown=True)
    assert capsys.readouterr().err == "1 of 4: seed 0, about 3 min left\n"
