"""Training: nothing learnt from held-out days, nothing trained twice, nothing lost when killed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.rows.table import Table
from pitfalls_tf.training.named_setups import Setup
from pitfalls_tf.training.runs import Ensemble, clear, exclusive, median, read_ensemble, read_run

if TYPE_CHECKING:
    from pitfalls_tf.training.fold_training import Progress


def train(setup: Setup, out: Path, *, seeds: int = 2, fresh: bool = False) -> tuple[Ensemble, list[str]]:
    """The ensemble, and the stages that were reported."""
    from pitfalls_tf.training.fold_training import train_ensemble

    stages: list[str] = []
    ensemble = train_ensemble(
        setup, seeds=seeds, out=out, fresh=fresh, progress=lambda progress: stages.append(progress.stage)
    )
    return ensemble, stages


def predictions(folder: Path) -> np.ndarray:
    table = pq.read_table(folder / "out_of_fold.parquet")
    return np.asarray(table["probabilities"].combine_chunks().flatten()).reshape(-1, 2)


def inodes(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


def test_each_seed_predicts_every_row_and_the_median_one_is_deployed(
    small: Setup, few_flights: Table, tmp_path: Path
) -> None:
    import keras

    ensemble, stages = train(small, tmp_path, seeds=3)
    assert len(stages) == 3 * 3 + 1
    for run in ensemble.runs:
        shares = predictions(run.folder)
        assert shares.shape == (len(few_flights), 2)
        assert shares.sum(axis=1) == pytest.approx(1.0)
        history = pq.read_table(run.folder / "history.parquet")
        assert history.num_rows == 3 * 2
        assert run.metrics is not None
        assert run.metrics.rows == len(few_flights.labelled()) < len(few_flights)
    briers = [run.metrics.brier for run in ensemble.runs if run.metrics]
    assert len(set(briers)) == 3
    assert ensemble.deployed.metrics is not None
    assert ensemble.deployed.metrics.brier == np.median(briers) == ensemble.spread["brier"].median
    assert ensemble.spread["brier"].worst_minus_median == pytest.approx(max(briers) - np.median(briers))
    assert read_ensemble(tmp_path) == ensemble

    reference = pq.read_table(ensemble.reference)
    names = [feature.name for feature in few_flights.features]
    assert reference.column_names == ["prediction_id", "event_time", *names, "probabilities", "label", "label_time"]
    assert reference["prediction_id"].to_pylist() == [
        f"reference-{row}:0" for row in few_flights.rows["row_id"].to_pylist()
    ]
    assert reference["label"].null_count == few_flights.rows["label"].null_count > 0
    found = np.asarray(reference["probabilities"].combine_chunks().flatten()).reshape(-1, 2)
    assert found == pytest.approx(predictions(ensemble.deployed.folder), abs=1e-6)
    model = keras.models.load_model(ensemble.model)
    assert {tensor.name for tensor in model.inputs} == set(names)
    assert set(model.output) == {"logits", "probabilities", "embedding"}


def test_held_out_labels_and_values_are_never_learnt_from(small: Setup, few_flights: Table, tmp_path: Path) -> None:
    from pitfalls_tf.training.fold_trainer import Trainer

    trainer = Trainer(small, few_flights)
    fold = pq.read_table(trainer.run(0, tmp_path / "seed-0000", lambda _: None).folder / "out_of_fold.parquet")["fold"]
    held_out = fold.to_numpy() == 0
    rows = few_flights.rows
    flipped = {"on_time": "late", "late": "on_time", None: None}
    labels = [flipped[label] if out else label for label, out in zip(rows["label"].to_pylist(), held_out, strict=True)]
    spoilt = rows.set_column(rows.column_names.index("label"), "label", pa.array(labels, pa.string()))
    first = int(np.flatnonzero(held_out)[0])
    temps = rows["temp"].to_numpy().copy()
    temps[first] = 1e6
    spoilt = spoilt.set_column(rows.column_names.index("temp"), "temp", pa.array(temps, from_pandas=False))
    other = Trainer(small, replace(few_flights, rows=spoilt)).run(0, tmp_path / "seed-0001", lambda _: None)

    before, after = predictions(tmp_path / "seed-0000"), predictions(other.folder)
    untouched = held_out & (np.arange(len(held_out)) != first)
    assert (before[untouched] == after[untouched]).all()
    assert (before[~held_out] != after[~held_out]).any()


def test_the_same_manifest_gives_the_same_weights_in_any_order(
    small: Setup, few_flights: Table, tmp_path: Path
) -> None:
    from pitfalls_tf.training.fold_trainer import Trainer

    one, other = Trainer(small, few_flights), Trainer(small, few_flights)
    assert one.manifest(1) == other.manifest(1)
    one.run(0, tmp_path / "seed-0000", lambda _: None)
    one.run(1, tmp_path / "seed-0001", lambda _: None)
    other.run(1, tmp_path / "alone", lambda _: None)
    assert (predictions(tmp_path / "seed-0001") == predictions(tmp_path / "alone")).all()
    assert (predictions(tmp_path / "seed-0000") != predictions(tmp_path / "alone")).any()
    finals = [trainer.final(1).get_weights() for trainer in (one, other)]
    assert all((first == second).all() for first, second in zip(*finals, strict=True))
    written = json.loads((tmp_path / "seed-0001" / "manifest.json").read_text("utf-8"))
    assert written["seed"] == 1
    assert written["data"]["digest"] == few_flights.digest()
    assert {"intra_op_threads", "onednn", "libraries"} <= set(written["environment"])


def test_a_killed_training_goes_on_where_it_stopped(small: Setup, tmp_path: Path) -> None:
    from pitfalls_tf.training.fold_training import train_ensemble

    def kill(progress: Progress) -> None:
        if progress.stage.startswith("seed 1, fold 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_ensemble(small, seeds=2, out=tmp_path / "killed", progress=kill)
    folder = tmp_path / "killed" / "small"
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "seed-0000"]
    # As a kill in the middle of writing leaves it.
    (folder / ".seed-0001-abc").mkdir()
    (folder / ".seed-0001-abc" / "history.parquet").touch()
    (folder / ".unfinished-model.keras").touch()
    kept = inodes(folder / "seed-0000")

    ensemble, stages = train(small, tmp_path / "killed")
    assert stages[0] == "seed 0 kept"
    assert inodes(folder / "seed-0000") == kept
    assert not [path for path in folder.iterdir() if path.name.startswith((".seed", ".unfinished"))]
    whole, _ = train(small, tmp_path / "whole")
    for one, other in zip(ensemble.runs, whole.runs, strict=True):
        assert one.metrics == other.metrics
        assert (predictions(one.folder) == predictions(other.folder)).all()

    before = inodes(folder)
    again, stages = train(small, tmp_path / "killed")
    assert again == ensemble
    assert stages == ["seed 0 kept", "seed 1 kept", f"seed {ensemble.deployed.seed} deployed"]
    assert {name for name, inode in inodes(folder).items() if before[name] != inode} <= {"ensemble.json"}


def test_runs_made_otherwise_are_refused_and_kept(small: Setup, tmp_path: Path) -> None:
    train(small, tmp_path, seeds=1)
    (tmp_path / "small" / "notes.txt").write_text("mine", "utf-8")
    before = inodes(tmp_path)
    wider = replace(small, network=replace(small.network, hidden=(16, 4)))
    with pytest.raises(BadInput, match=r"another setup.*--fresh"):
        train(wider, tmp_path, seeds=1)
    assert inodes(tmp_path) == before
    _, stages = train(wider, tmp_path, seeds=1, fresh=True)
    assert stages[0] == "seed 0, fold 1 of 3"
    assert (tmp_path / "small" / "notes.txt").read_text("utf-8") == "mine"


def test_diverged_runs_are_kept_reported_and_never_deployed(small: Setup, tmp_path: Path) -> None:
    wild = replace(small, optimisation=replace(small.optimisation, learning_rate=1e38))
    with pytest.raises(CannotRun, match="2 of 2 runs diverged"):
        train(wild, tmp_path)
    lost = read_run(tmp_path / "small" / "seed-0001")
    assert lost.diverged
    assert np.isnan(predictions(lost.folder)).any()
    assert not (tmp_path / "small" / "model.keras").exists()

    healthy, _ = train(small, tmp_path / "healthy", seeds=1)
    runs = (lost, *healthy.runs)
    assert median(runs) == healthy.deployed
    mixed = replace(healthy, runs=runs)
    assert mixed.diverged == (1,)
    assert mixed.spread["brier"].median == healthy.spread["brier"].median


def test_a_folder_in_use_or_unwritable_is_said_so(small: Setup, tmp_path: Path) -> None:
    with exclusive(tmp_path / "small"), pytest.raises(CannotRun, match="Another training"):
        train(small, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match="cannot be written"):
        train(small, tmp_path / "file")
    with pytest.raises(BadInput, match="0 seeds"):
        train(small, tmp_path, seeds=0)


def test_rows_without_any_label_are_refused(small: Setup, few_flights: Table) -> None:
    from pitfalls_tf.training.fold_trainer import Trainer

    unknown = few_flights.take(np.flatnonzero(few_flights.targets() < 0))
    with pytest.raises(BadInput, match="nothing to learn from"):
        Trainer(small, unknown)


def test_a_folder_without_runs_or_with_a_broken_one_is_said_so(small: Setup, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no finished runs"):
        read_ensemble(tmp_path)
    train(small, tmp_path, seeds=1)
    (tmp_path / "small" / "model.keras").unlink()
    train(small, tmp_path, seeds=1)
    assert (tmp_path / "small" / "model.keras").is_file()
    (tmp_path / "small" / "seed-0000" / "metrics.json").write_text("{", "utf-8")
    with pytest.raises(BadInput, match=r"metrics\.json"):
        train(small, tmp_path, seeds=1)
    clear(tmp_path / "small")
    assert [path.name for path in (tmp_path / "small").iterdir()] == [".lock"]


def test_a_manifest_makes_the_same_weights_again_or_says_why_not(small: Setup, tmp_path: Path) -> None:
    import keras

    from pitfalls_tf.training.fold_training import train_again

    ensemble, _ = train(small, tmp_path / "first")
    manifest = ensemble.deployed.folder / "manifest.json"
    again = train_again(manifest, out=tmp_path / "again", progress=lambda _: None)
    assert again.deployed.metrics == ensemble.deployed.metrics
    assert (predictions(again.deployed.folder) == predictions(ensemble.deployed.folder)).all()
    weights = [keras.models.load_model(one.model).get_weights() for one in (ensemble, again)]
    assert all((np.asarray(one) == np.asarray(other)).all() for one, other in zip(*weights, strict=True))

    document = json.loads(manifest.read_text("utf-8"))
    for change, error, words in (
        ({"environment": {**document["environment"], "onednn": None}}, CannotRun, "onednn"),
        ({"data": {**document["data"], "digest": "0"}}, BadInput, "another data"),
        ({"setup": {**document["setup"], "name": "smal"}}, BadInput, "Did you mean small"),
        ({"setup": "small"}, BadInput, "Not the manifest"),
    ):
        changed = tmp_path / "changed.json"
        changed.write_text(json.dumps({**document, **change}), "utf-8")
        with pytest.raises(error, match=words):
            train_again(changed, out=tmp_path / "other", progress=lambda _: None)
    with pytest.raises(BadInput, match="No such manifest"):
        train_again(tmp_path / "none.json", out=tmp_path / "other", progress=lambda _: None)
