"""Setups composed of names: runs that repeat bit for bit, none lost, none trained twice, bad input said so."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.training.domain_metrics import scores_of_runs
from pitfalls_tf.training.output import Place
from pitfalls_tf.training.runs import as_written, read_ensemble, read_manifest
from pitfalls_tf.training.setup import ComposedSetup, HeldOut, read
from tests.pitfalls_tf.composed_table import small_setup, write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from pitfalls_tf.training.trainer import Step, Trained


def train(setup: ComposedSetup, out: Path, *, seeds: int = 2, **place: Any) -> tuple[Trained, list[str]]:
    """What was trained, and the runs that were told of."""
    from pitfalls_tf.training.train import train_composed

    stages: list[str] = []

    def told(step: Step) -> None:
        assert 0 <= step.done <= step.total
        if step.run:
            stages.append(step.stage)

    return train_composed(setup, seeds=seeds, place=Place(out=out, **place), told=told), stages


def test_a_setup_is_read_back_from_its_manifest(tmp_path: Path) -> None:
    for setup in (
        ComposedSetup(source="digits", remedy="coral", held_out=HeldOut(split="domain", domains=("uci",))),
        small_setup(tmp_path / "rows.parquet", learning_rate=0.1, stopping=3),
    ):
        assert read(as_written(setup.document())) == setup
    with pytest.raises(BadInput, match="no setup of ours"):
        read({"name": "flights", "source": "flights"})


def test_names_are_checked_before_anything_is_loaded() -> None:
    with pytest.raises(BadInput, match=r"No such network.*Did you mean mlp"):
        _ = ComposedSetup(source="flights", architecture="mlpp").network
    with pytest.raises(BadInput, match="another kind"):
        _ = ComposedSetup(source="rodents", architecture="lenet").network
    with pytest.raises(BadInput, match=r"No such remedy.*Did you mean focal"):
        _ = ComposedSetup(source="rodents", remedy="focl").fix
    for rate in (-0.1, 0.0, float("nan"), float("inf")):
        with pytest.raises(BadInput, match=r"No step goes downhill.*own 0\.001"):
            _ = ComposedSetup(source="rodents", learning_rate=rate).recipe


def test_seeds_are_scored_kept_and_the_median_one_deployed(tmp_path: Path) -> None:
    import keras

    from pitfalls_tf.training.trainer import ComposedTrainer

    setup = small_setup(tmp_path / "rows.parquet", stopping=5)
    trained, stages = train(setup, tmp_path, seeds=3)
    found = trained.ensemble
    assert stages == ["seed 0 fitted", "seed 1 fitted", "seed 2 fitted"]
    assert read_ensemble(tmp_path) == found
    assert trained.unscored == ()

    run = found.deployed
    held = pq.read_table(run.folder / "held_out.parquet")
    assert run.metrics is not None
    assert run.metrics.rows == len(held)
    name, scores = scores_of_runs(found.folder)
    assert name == "rows"
    assert {row["domain"] for row in scores} == {"north", "south"}
    history = pq.read_table(run.folder / "history.parquet")
    assert history["epoch"].to_pylist() == [1, 2]
    assert history["validation_brier"].null_count == 0

    # The kept fit, the deployed model and the written predictions are one and the same.
    said = np.asarray(held["probabilities"].combine_chunks().flatten()).reshape(-1, 2)
    trainer = ComposedTrainer(setup)
    rows = trainer._rows.scored
    assert trainer.fits(run).predict(rows.inputs)[0] == pytest.approx(said, abs=1e-6)
    reference = pq.read_table(found.reference)
    model = keras.models.load_model(found.model)
    inputs = {
        "size": np.asarray(reference["size"]).reshape(-1, 1),
        "kind": np.asarray(reference["kind"].to_pylist(), dtype=object).reshape(-1, 1),
    }
    answered = model({name: keras.ops.convert_to_tensor(column) for name, column in inputs.items()})
    assert np.asarray(answered["probabilities"]) == pytest.approx(said, abs=1e-5)


def test_a_manifest_makes_the_same_bits_again_or_says_why_not(tmp_path: Path) -> None:
    from pitfalls_tf.training.train import train_composed_again

    setup = small_setup(tmp_path / "rows.parquet", architecture="wide_and_deep")
    trained, _ = train(setup, tmp_path / "first")
    where = trained.ensemble.runs[1].folder / "manifest.json"
    kept = read_manifest(where.parent)
    # Alone, where it was one of a group.
    again = train_composed_again(kept, where, place=Place(out=tmp_path / "again"), told=lambda _: None)
    made = read_manifest(again.ensemble.deployed.folder)
    assert made == kept
    with np.load(where.parent / "fit.npz") as one, np.load(again.ensemble.deployed.folder / "fit.npz") as other:
        assert all((one[name] == other[name]).all() for name in one.files)
        assert one.files == other.files

    for change, error, words in (
        ({"environment": {**kept["environment"], "onednn": None}}, CannotRun, "onednn"),
        ({"data": {**kept["data"], "digest": "0"}}, BadInput, "another data"),
        ({"weights": "0"}, CannotRun, "not the same bits"),
    ):
        with pytest.raises(error, match=words):
            train_composed_again({**kept, **change}, where, place=Place(out=tmp_path / "again"), told=lambda _: None)


def test_an_interrupted_training_goes_on_and_others_are_refused(tmp_path: Path) -> None:
    from pitfalls_tf.training.train import train_composed

    setup = small_setup(tmp_path / "rows.parquet")

    def kill(step: Step) -> None:
        if step.run and step.stage.startswith("seed 1"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_composed(setup, seeds=4, place=Place(out=tmp_path / "killed"), told=kill)
    folder = tmp_path / "killed" / setup.name
    assert sorted(path.name for path in folder.glob("seed-*")) == ["seed-0000", "seed-0001"]
    kept = (folder / "seed-0000" / "fit.npz").stat().st_ino
    trained, stages = train(setup, tmp_path / "killed", seeds=4)
    assert stages == ["seed 0 kept", "seed 1 kept", "seed 2 fitted", "seed 3 fitted"]
    assert (folder / "seed-0000" / "fit.npz").stat().st_ino == kept
    whole, _ = train(setup, tmp_path / "whole", seeds=4)
    assert [run.metrics for run in whole.ensemble.runs] == [run.metrics for run in trained.ensemble.runs]

    with pytest.raises(BadInput, match=r"another setup.*--fresh"):
        train(replace(setup, batch=16), tmp_path / "killed")
    _, stages = train(replace(setup, batch=16), tmp_path / "killed", seeds=1, fresh=True)
    assert stages == ["seed 0 fitted"]


def test_diverged_seeds_are_kept_reported_and_never_deployed(tmp_path: Path) -> None:
    setup = small_setup(tmp_path / "rows.parquet", learning_rate=1e38)
    with pytest.raises(CannotRun, match="2 of 2 runs diverged"):
        train(setup, tmp_path)
    folder = tmp_path / setup.name
    assert json.loads((folder / "seed-0001" / "metrics.json").read_text("utf-8"))["diverged"]
    assert not (folder / "seed-0001" / "domains.json").exists()
    assert not (folder / "model.keras").exists()


def test_an_adapting_remedy_is_scored_on_rows_it_has_not_seen(tmp_path: Path) -> None:
    from pitfalls_tf.training.prepared_rows import prepare

    held_out = HeldOut(split="domain", domains=("north",))
    setup = small_setup(tmp_path / "rows.parquet", held_out=held_out, remedy="batch_norm+coral")
    roles = prepare(setup).roles
    parts = (roles.training, roles.target, roles.scored)
    assert len(np.unique(np.concatenate(parts))) == sum(map(len, parts)) == 600
    assert "half of the held-out rows to adapt to" in roles.described
    trained, _ = train(setup, tmp_path, seeds=1)
    assert trained.ensemble.setup == "rows-batch_norm+coral-domain"


def test_remedies_without_a_single_model_say_so(tmp_path: Path) -> None:
    trained, _ = train(small_setup(tmp_path / "rows.parquet", remedy="seed_ensembling", epochs=1), tmp_path, seeds=1)
    assert "5 networks predict together" in (trained.without_model or "")
    assert not trained.ensemble.model.exists()
    from pitfalls_tf.training import weights

    assert len(weights.read(trained.ensemble.deployed.folder)) == 5


def test_what_cannot_be_learnt_from_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    setup = small_setup(path)
    with pytest.raises(BadInput, match="fewer rows than a batch"):
        train(replace(setup, batch=1_000), tmp_path)
    one = replace(write_rows(path), domain=None, ignored=("site",))
    with pytest.raises(BadInput, match=r"irm is not for this recipe.*one domain"):
        train(replace(setup, table=one, remedy="irm"), tmp_path)
    for undone, joined in (("batch_norm", "batch_norm+layer_norm"), ("focal", "focal+dropout+symmetric_cross_entropy")):
        with pytest.raises(BadInput, match=f"{undone} leaves no trace here"):
            train(replace(setup, remedy=joined), tmp_path)
    with pytest.raises(BadInput, match=r"No row is of that domain.*east"):
        train(replace(setup, held_out=HeldOut(split="domain", domains=("east",))), tmp_path)
    with pytest.raises(BadInput, match="Which domains"):
        train(replace(setup, held_out=HeldOut(split="domain")), tmp_path)
    with pytest.raises(BadInput, match="no moment"):
        train(replace(setup, held_out=HeldOut(split="time", at="spring")), tmp_path)
    early = np.arange(600) < 450
    late = pa.array(np.where(early, "late", "on time"))
    with pytest.raises(BadInput, match=r"nothing to tell apart.*only 'late'"):
        train(replace(setup, table=write_rows(path, outcome=late), held_out=HeldOut(split="time")), tmp_path)
    none = pa.array([None if place >= 440 else ("late", "on time")[place % 2] for place in range(600)])
    with pytest.raises(BadInput, match="Nothing can be scored"):
        train(replace(setup, table=write_rows(path, outcome=none), held_out=HeldOut(split="time")), tmp_path)
    assert not list(tmp_path.glob("*/seed-*"))


def test_gaps_are_learnt_from_and_domains_without_labels_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    sizes = np.random.default_rng(0).normal(size=600).astype(np.float32)
    sizes[::7] = np.nan
    labels = [None if place % 2 else ("late", "on time")[place // 2 % 2] for place in range(600)]
    own = write_rows(path, size=pa.array(sizes), outcome=pa.array(labels))
    trained, _ = train(replace(small_setup(tmp_path / "other.parquet"), table=own), tmp_path, seeds=1)
    assert trained.unscored == ("north",)
    assert trained.ensemble.deployed.metrics is not None


def test_groups_are_never_empty_however_large_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pitfalls_tf.training import trainer as training

    trainer = training.ComposedTrainer(small_setup(tmp_path / "rows.parquet"))
    assert trainer.group() >= 1
    monkeypatch.setattr(training, "MEMORY_SHARE", 0.0)
    assert trainer.group() == 1


def test_epochs_are_written_for_tensorboard(tmp_path: Path) -> None:
    import tensorflow as tf

    board = tmp_path / "board"
    trained, _ = train(small_setup(tmp_path / "rows.parquet"), tmp_path, seeds=1, tensorboard=board)
    (log,) = (board / trained.ensemble.setup / "seed-0000").iterdir()
    found = {
        (value.tag, event.step): float(tf.make_ndarray(value.tensor))
        for event in tf.compat.v1.train.summary_iterator(str(log))
        for value in event.summary.value
    }
    history = pq.read_table(trained.ensemble.deployed.folder / "history.parquet")
    assert [found["loss", epoch] for epoch in (1, 2)] == pytest.approx(history["loss"].to_pylist())
