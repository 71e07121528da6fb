"""Training: nothing trained twice, nothing lost when killed, and every bit made again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.training.domain_metrics import scores_of_runs
from pitfalls_tf.training.run_folder import exclusive, read_ensemble, read_manifest
from pitfalls_tf.training.setup import HeldOut, Setup
from pitfalls_tf.training.train import TrainingOutput, TrainingResult, check_environment, train, train_again
from tests.pitfalls_tf.small_table import small_setup, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from pitfalls_tf.rows.table import Table
    from pitfalls_tf.training.progress import TrainingProgress


def trained(setup: Setup, out: Path, *, seeds: int = 2, **output: Any) -> tuple[TrainingResult, list[str]]:
    """The result, and the milestones that were reported."""
    milestones: list[str] = []

    def report(now: TrainingProgress) -> None:
        assert 0 <= now.done <= now.total
        if now.milestone:
            milestones.append(now.stage)

    return train(setup, seeds=seeds, output=TrainingOutput(runs=out, **output), progress=report), milestones


def again(manifest: Path, out: Path) -> TrainingResult:
    return train_again(manifest, output=TrainingOutput(runs=out), progress=lambda _now: None)


def inodes(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=["folds", "one held-out part"])
def setup(request: pytest.FixtureRequest, tmp_path: Path) -> Setup:
    """The same behaviour is asked of both ways of holding rows out."""
    if request.param == "folds":
        found: Setup = request.getfixturevalue("small")
        return found
    return small_setup(tmp_path / "rows.parquet")


def test_seeds_are_scored_and_the_median_one_deployed(setup: Setup, tmp_path: Path) -> None:
    result, milestones = trained(setup, tmp_path, seeds=3)
    found = result.ensemble
    fitted = ["seed 0 fitted", "seed 1 fitted", "seed 2 fitted"]
    assert milestones == [*fitted, f"seed {found.deployed.seed} deployed"]
    briers = [run.metrics.brier for run in found.runs if run.metrics]
    assert len(set(briers)) == 3
    assert found.deployed.metrics is not None
    assert found.deployed.metrics.brier == np.median(briers) == found.spread["brier"].median
    assert found.spread["brier"].worst_minus_median == pytest.approx(max(briers) - np.median(briers))
    assert read_ensemble(found.folder) == found
    assert result.without_model is None
    held = pq.read_table(found.deployed.folder / "held_out.parquet")
    assert found.deployed.metrics.rows == len(held) - held["label"].null_count
    name, scores = scores_of_runs(found.folder)
    assert name == setup.name
    assert {row["domain"] for row in scores} == {*held["domain"].to_pylist()} - {*result.unscored}
    assert pq.read_table(found.reference).num_rows == len(held)
    model = keras.models.load_model(found.model)
    assert set(model.output) == {"logits", "probabilities", "embedding"}


def test_folds_predict_every_row_and_the_reference_has_them_all(
    small: Setup, few_flights: Table, tmp_path: Path
) -> None:
    result, _ = trained(small, tmp_path)
    reference = pq.read_table(result.ensemble.reference)
    names = [feature.name for feature in few_flights.features]
    assert reference.column_names == ["prediction_id", "event_time", *names, "probabilities", "label", "label_time"]
    assert reference["prediction_id"].to_pylist() == [
        f"reference-{row}:0" for row in few_flights.rows["row_id"].to_pylist()
    ]
    assert reference["label"].null_count == few_flights.rows["label"].null_count > 0
    model = keras.models.load_model(result.ensemble.model)
    assert {tensor.name for tensor in model.inputs} == set(names)
    assert "on all" in result.deployed_rows


def test_a_killed_training_goes_on_where_it_stopped(setup: Setup, tmp_path: Path) -> None:
    def kill(now: TrainingProgress) -> None:
        if now.milestone and now.stage.startswith("seed 1"):
            raise KeyboardInterrupt

    out = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        train(setup, seeds=4, output=TrainingOutput(runs=out), progress=kill)
    folder = out / setup.name
    finished = sorted(path.name for path in folder.glob("seed-*"))
    assert finished == ["seed-0000", "seed-0001"]
    kept = inodes(folder / "seed-0000")
    result, milestones = trained(setup, out, seeds=4)
    assert milestones[:4] == ["seed 0 kept", "seed 1 kept", "seed 2 fitted", "seed 3 fitted"]
    assert inodes(folder / "seed-0000") == kept
    whole, _ = trained(setup, tmp_path / "whole", seeds=4)
    assert [run.metrics for run in whole.ensemble.runs] == [run.metrics for run in result.ensemble.runs]

    before = inodes(folder)
    unchanged, milestones = trained(setup, out, seeds=4)
    assert unchanged == result
    assert milestones[:4] == [f"seed {seed} kept" for seed in range(4)]
    assert {name for name, inode in inodes(folder).items() if before.get(name) != inode} <= {"ensemble.json"}


def test_runs_of_another_setup_are_refused_and_kept_until_fresh(setup: Setup, tmp_path: Path) -> None:
    trained(setup, tmp_path, seeds=1)
    (tmp_path / setup.name / "notes.txt").write_text("mine", "utf-8")
    before = inodes(tmp_path)
    other = replace(setup, epochs=1)
    with pytest.raises(BadInput, match=r"another setup.*--fresh"):
        trained(other, tmp_path, seeds=1)
    assert inodes(tmp_path) == before
    _, milestones = trained(other, tmp_path, seeds=1, fresh=True)
    assert milestones[0] == "seed 0 fitted"
    assert (tmp_path / setup.name / "notes.txt").read_text("utf-8") == "mine"


def test_a_missing_model_is_made_again(setup: Setup, tmp_path: Path) -> None:
    result, _ = trained(setup, tmp_path, seeds=1)
    before = keras.models.load_model(result.ensemble.model).get_weights()
    result.ensemble.model.unlink()
    trained(setup, tmp_path, seeds=1)
    after = keras.models.load_model(result.ensemble.model).get_weights()
    assert all((np.asarray(one) == np.asarray(other)).all() for one, other in zip(before, after, strict=True))


def test_diverged_runs_are_kept_reported_and_never_deployed(setup: Setup, tmp_path: Path) -> None:
    wild = replace(setup, learning_rate=1e38)
    with pytest.raises(CannotRun, match="2 of 2 runs diverged"):
        trained(wild, tmp_path)
    folder = tmp_path / setup.name
    assert json.loads((folder / "seed-0001" / "metrics.json").read_text("utf-8"))["diverged"]
    assert not (folder / "seed-0001" / "domains.json").exists()
    assert not (folder / "model.keras").exists()


def test_a_manifest_makes_the_same_bits_again_or_says_why_not(setup: Setup, tmp_path: Path) -> None:
    result, _ = trained(setup, tmp_path / "first")
    run = result.ensemble.deployed
    manifest = run.folder / "manifest.json"
    kept = read_manifest(run.folder)
    # Alone, where it was one of a group.
    repeated = again(manifest, tmp_path / "again").ensemble
    assert read_manifest(repeated.deployed.folder) == kept
    assert repeated.deployed.metrics == run.metrics
    with np.load(run.folder / "fit.npz") as one, np.load(repeated.deployed.folder / "fit.npz") as other:
        assert one.files == other.files
        assert all((one[name] == other[name]).all() for name in one.files)
    models = [keras.models.load_model(one.model).get_weights() for one in (result.ensemble, repeated)]
    assert all((np.asarray(one) == np.asarray(other)).all() for one, other in zip(*models, strict=True))

    changed = tmp_path / "changed.json"
    for change, error, words in (
        ({"environment": {**kept["environment"], "onednn": None}}, CannotRun, "onednn"),
        ({"data": {**kept["data"], "digest": "0"}}, BadInput, "another data"),
        ({"weights": "0"}, CannotRun, "weights differ"),
        ({"setup": {"name": "flights", "optimisation": {}}}, BadInput, "Train it again"),
        ({"setup": "small"}, BadInput, "Not the manifest"),
    ):
        changed.write_text(json.dumps({**kept, **change}), "utf-8")
        with pytest.raises(error, match=words):
            again(changed, tmp_path / "again")
    with pytest.raises(BadInput, match="No such manifest"):
        again(tmp_path / "none.json", tmp_path / "again")


def test_a_folder_in_use_or_unwritable_and_no_seeds_are_refused(small: Setup, tmp_path: Path) -> None:
    with exclusive(tmp_path / "small"), pytest.raises(CannotRun, match="Another training"):
        trained(small, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match="cannot be written"):
        trained(small, tmp_path / "file")
    with pytest.raises(BadInput, match="0 seeds"):
        trained(small, tmp_path, seeds=0)


def test_remedies_without_a_single_model_say_so(tmp_path: Path) -> None:
    result, _ = trained(small_setup(tmp_path / "rows.parquet", remedy="standardised"), tmp_path, seeds=1)
    assert "prepares rows outside the network" in (result.without_model or "")
    assert not result.ensemble.model.exists()
    assert result.ensemble.reference.exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda setup, _: replace(setup, batch=1_000), "fewer training rows than a batch"),
        (
            lambda setup, path: replace(
                setup, table=replace(write_rows(path), domain=None, ignored=("site",)), remedy="irm"
            ),
            r"irm cannot be applied to this recipe.*one domain",
        ),
        (lambda setup, _: replace(setup, remedy="batch_norm+layer_norm"), "batch_norm has no effect"),
        (
            lambda setup, _: replace(setup, held_out=HeldOut(split="domain", domains=("east",))),
            r"No row is of that domain.*east",
        ),
        (
            lambda setup, path: replace(
                setup,
                table=write_rows(path, outcome=pa.array(np.where(np.arange(600) < 450, "late", "on time"))),
                held_out=HeldOut(split="time"),
            ),
            r"fewer than two classes.*only 'late'",
        ),
        (
            lambda setup, path: replace(
                setup,
                table=write_rows(
                    path, outcome=pa.array([None if row >= 440 else ("late", "on time")[row % 2] for row in range(600)])
                ),
                held_out=HeldOut(split="time"),
            ),
            "no labels to score",
        ),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(
    changed: Callable[[Setup, Path], Setup], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "rows.parquet"
    with pytest.raises(BadInput, match=words):
        trained(changed(small_setup(path), path), tmp_path)
    assert not list(tmp_path.glob("*/seed-*"))


def test_gaps_are_learnt_from_and_domains_without_labels_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    sizes = np.random.default_rng(0).normal(size=600).astype(np.float32)
    sizes[::7] = np.nan
    labels = [None if place % 2 else ("late", "on time")[place // 2 % 2] for place in range(600)]
    own = write_rows(path, size=pa.array(sizes), outcome=pa.array(labels))
    result, _ = trained(replace(small_setup(tmp_path / "other.parquet"), table=own), tmp_path, seeds=1)
    assert result.unscored == ("north",)
    assert result.ensemble.deployed.metrics is not None


def test_epochs_are_written_for_tensorboard(setup: Setup, tmp_path: Path) -> None:
    board = tmp_path / "board"
    result, _ = trained(setup, tmp_path, seeds=1, tensorboard=board)
    assert len(list((board / result.ensemble.setup / "seed-0000").iterdir())) == 1


HERE = {"python": "3.11.7", "libraries": {"keras": "3.15"}, "onednn": True}


def test_the_same_environment_passes_and_more_of_it_then_does_no_harm() -> None:
    check_environment(HERE, HERE)
    check_environment({**HERE, "host": "elsewhere"}, HERE)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ({**HERE, "onednn": False}, r"onednn True; expected onednn False"),
        ({**HERE, "libraries": {"keras": "3.14"}}, r"libraries .*3\.15.* expected libraries .*3\.14"),
        ({"python": "3.11.7"}, r"libraries .*; onednn True"),
    ],
)
def test_what_differs_is_named(before: dict[str, object], words: str) -> None:
    with pytest.raises(CannotRun, match=words):
        check_environment(before, HERE)
