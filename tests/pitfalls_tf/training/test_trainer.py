"""A trainer: nothing learnt from held-out rows, the same bits in any order, a model that is what was scored."""

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
from pitfalls_tf.fitting.fit_rows import FitRows
from pitfalls_tf.fitting.fits import Epoch
from pitfalls_tf.remedies.remedy import RemedyContext
from pitfalls_tf.rows.table import Table
from pitfalls_tf.training import trainer as training
from pitfalls_tf.training import weights
from pitfalls_tf.training.setup import HeldOut, Setup
from pitfalls_tf.training.trainer import Trainer, check_combination, recipe_with_remedy
from tests.pitfalls_tf.small_examples import RECIPE, rows
from tests.pitfalls_tf.small_table import small_setup

if TYPE_CHECKING:
    from pitfalls_tf.training.runs import Run


def made(trainer: Trainer, folder: Path, *seeds: int) -> list[Run]:
    """Runs of these seeds, fitted together."""
    folder.mkdir(exist_ok=True)
    fitted = trainer.fit(seeds, lambda _seed, _epoch: None)
    return [trainer.write(seed, fits, folder / f"seed-{seed:04d}") for seed, fits in fitted.items()]


def predictions(run: Run) -> np.ndarray:
    table = pq.read_table(run.folder / "held_out.parquet")
    return np.asarray(table["probabilities"].combine_chunks().flatten()).reshape(len(table), -1)


def test_held_out_labels_and_values_are_never_learnt_from(
    small: Setup, few_flights: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (before,) = made(Trainer(small), tmp_path / "before", 0)
    held_out = pq.read_table(before.folder / "held_out.parquet")["fold"].to_numpy() == 0
    rows = few_flights.rows
    flipped = {"on_time": "late", "late": "on_time", None: None}
    labels = [flipped[label] if out else label for label, out in zip(rows["label"].to_pylist(), held_out, strict=True)]
    spoilt = rows.set_column(rows.column_names.index("label"), "label", pa.array(labels, pa.string()))
    first = int(np.flatnonzero(held_out)[0])
    temps = rows["temp"].to_numpy().copy()
    temps[first] = 1e6
    spoilt = spoilt.set_column(rows.column_names.index("temp"), "temp", pa.array(temps, from_pandas=False))
    monkeypatch.setattr("pitfalls_tf.sources.flights.load", lambda: replace(few_flights, rows=spoilt))
    (after,) = made(Trainer(small), tmp_path / "after", 0)

    untouched = held_out & (np.arange(len(held_out)) != first)
    assert (predictions(before)[untouched] == predictions(after)[untouched]).all()
    assert (predictions(before)[~held_out] != predictions(after)[~held_out]).any()


def test_a_run_has_the_same_bits_alone_and_in_a_group_and_folds_differ(small: Setup, tmp_path: Path) -> None:
    one, other = Trainer(small), Trainer(small)
    assert one.manifest(1) == other.manifest(1)
    first, second = made(one, tmp_path / "together", 0, 1)
    (alone,) = made(other, tmp_path / "alone", 1)
    assert weights.digest(weights.read(second.folder)) == weights.digest(weights.read(alone.folder))
    assert (predictions(first) != predictions(second)).any()
    finals = [trainer.deployed(alone).get_weights() for trainer in (one, other)]
    assert all((left == right).all() for left, right in zip(*finals, strict=True))
    folds = weights.read(alone.folder)
    assert len(folds) == 3
    assert (folds[0].weights[0] != folds[1].weights[0]).any()


def test_a_manifest_says_which_rows_were_scored_and_which_the_deployed_model_has_seen(
    small: Setup, few_flights: Table, tmp_path: Path
) -> None:
    folds, single = Trainer(small).manifest(3), Trainer(small_setup(tmp_path / "rows.parquet")).manifest(3)
    labelled = len(few_flights.labelled())
    assert folds["seed"] == 3
    assert folds["data"]["digest"] == few_flights.digest()
    assert folds["data"]["scored"] == labelled
    assert sum(folds["data"]["training"]) == 2 * labelled, "each row is in two of three folds' training rows"
    assert folds["metrics_over"].startswith(f"{labelled} labelled rows")
    assert f"all {labelled} labelled rows, the scored ones included" in folds["deployed_model"]
    assert single["data"]["training"] + single["data"]["scored"] == 600
    assert "has seen none of the held-out rows" in single["deployed_model"]
    assert {"intra_op_threads", "onednn", "libraries"} <= set(folds["environment"])
    json.dumps(folds, default=str)


def test_runs_of_another_setup_or_other_rows_are_not_the_same(small: Setup) -> None:
    trainer, path = Trainer(small), Path("seed-0000/manifest.json")
    manifest = json.loads(json.dumps(trainer.manifest(0), default=str))
    trainer.check_same(manifest | {"environment": {}}, path)
    for name, value in (
        ("data", {**manifest["data"], "digest": "0"}),
        ("setup", {**manifest["setup"], "batch": 65}),
        ("setup", {"name": "flights", "optimisation": {}}),
        ("setup", None),
    ):
        with pytest.raises(BadInput, match=f"another {name}.*--fresh"):
            trainer.check_same({**manifest, name: value}, path)


def test_the_kept_fit_the_deployed_model_and_the_written_predictions_are_one_and_the_same(tmp_path: Path) -> None:
    trainer = Trainer(small_setup(tmp_path / "rows.parquet", stopping=5))
    (run,) = made(trainer, tmp_path, 4)
    (fits,) = trainer.read_fits(run)
    scored = trainer._rows.fits[0].scored
    assert fits.predict(scored.inputs)[0] == pytest.approx(predictions(run), abs=1e-6)
    reference = trainer.reference(run)
    assert reference is not None
    inputs = {
        "size": np.asarray(reference["size"]).reshape(-1, 1),
        "kind": np.asarray(reference["kind"].to_pylist(), dtype=object).reshape(-1, 1),
    }
    answered = trainer.deployed(run)({name: keras.ops.convert_to_tensor(column) for name, column in inputs.items()})
    assert np.asarray(answered["probabilities"]) == pytest.approx(predictions(run), abs=1e-5)


def test_with_folds_the_deployed_model_is_fitted_on_all_rows_and_says_how_far_it_is(
    small: Setup, tmp_path: Path
) -> None:
    trainer, epochs = Trainer(small), list[Epoch]()
    (run,) = made(trainer, tmp_path, 0)
    model = trainer.deployed(run, epochs.append)
    assert [epoch.number for epoch in epochs] == [1, 2]
    assert trainer.epochs == (3 * 2, 2)
    kernels = [fits.members[0].weights[0] for fits in trainer.read_fits(run)]
    core = model.get_layer("core").get_weights()[0]
    assert all((core != kernel).any() for kernel in kernels)


def test_a_deployed_fit_that_diverges_is_said(small: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(small)
    (run,) = made(trainer, tmp_path, 0)
    recipe = trainer._deployed_recipe
    assert recipe is not None
    wild = replace(recipe, optimiser=replace(recipe.optimiser, learning_rate=1e38))
    monkeypatch.setattr(trainer, "_deployed_recipe", wild)
    with pytest.raises(CannotRun, match="fit on all rows diverged"):
        trainer.deployed(run)


def test_members_that_predict_together_leave_no_single_model(tmp_path: Path) -> None:
    trainer = Trainer(small_setup(tmp_path / "rows.parquet", remedy="seed_ensembling", epochs=1))
    assert "5 networks predict together" in (trainer.without_model or "")
    assert trainer.manifest(0)["deployed_model"] == "none"
    first, second = made(trainer, tmp_path, 0, 1)
    assert len(weights.read(first.folder)) == 5
    seeds = [{member.seed for member in weights.read(run.folder)} for run in (first, second)]
    assert not seeds[0] & seeds[1]
    (fits,) = trainer.read_fits(first)
    mean = fits.predict(trainer._rows.fits[0].scored.inputs).mean(axis=0)
    assert mean == pytest.approx(predictions(first), abs=1e-6)
    rows = Trainer(small_setup(tmp_path / "rows.parquet", remedy="standardised"))
    assert "prepares rows outside the network" in (rows.without_model or "")


def test_any_remedy_and_stopping_go_with_folds(tmp_path: Path) -> None:
    setup = small_setup(
        tmp_path / "rows.parquet",
        remedy="coral_between_sources+source_normalised",
        held_out=HeldOut(split="folds"),
        stopping=2,
    )
    trainer = Trainer(setup)
    (run,) = made(trainer, tmp_path, 0)
    assert run.metrics is not None
    assert run.metrics.rows == 600
    history = pq.read_table(run.folder / "history.parquet")
    assert set(history["fold"].to_pylist()) == set(range(5))
    assert set(history["seed"].to_pylist()) == {0}
    assert history["validation_brier"].null_count == 0


def test_epochs_are_reported_by_run(small: Setup) -> None:
    reported: list[tuple[int, int]] = []
    Trainer(small).fit((5, 8), lambda seed, epoch: reported.append((seed, epoch.number)))
    assert sorted(reported) == sorted([(seed, number) for seed in (5, 8) for number in (1, 2)] * 3)


def test_groups_are_never_empty_however_large_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(small_setup(tmp_path / "rows.parquet"))
    assert trainer.group() >= 1
    monkeypatch.setattr(training, "MEMORY_SHARE", 0.0)
    assert trainer.group() == 1


def test_rows_without_any_label_are_refused(small: Setup, few_flights: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = few_flights.take(np.flatnonzero(few_flights.targets() < 0))
    monkeypatch.setattr("pitfalls_tf.sources.flights.load", lambda: unknown)
    folds: Any = replace(small.held_out.folds, count=2, block_days=1)  # type: ignore[type-var] # there are folds
    with pytest.raises(BadInput, match="no labels to score"):
        Trainer(replace(small, held_out=HeldOut(split="folds", folds=folds)))


TRAINING, TARGET = rows(90, seed=1), rows(40, seed=2)
BARE = replace(RECIPE, architecture=replace(RECIPE.architecture, norm="none", dropout=0.0))  # type: ignore[type-var] # a dataclass
PLAIN = RemedyContext(recipe=BARE, training=TRAINING, target=TARGET)


@pytest.mark.parametrize(
    ("undone", "names"),
    [
        ("batch_norm", "batch_norm+layer_norm"),
        ("focal", "focal+dropout+generalised_cross_entropy"),
        ("gradient_clipping", "gradient_clipping+gradient_clipping"),
    ],
)
def test_a_remedy_that_another_undoes_is_refused(undone: str, names: str) -> None:
    with pytest.raises(BadInput, match=f"{undone} has no effect"):
        check_combination(names, PLAIN)


@pytest.mark.parametrize("names", ["focal", "dropout+gradient_clipping", "standardised+focal", "seed_ensembling+focal"])
def test_remedies_that_all_have_an_effect_pass(names: str) -> None:
    check_combination(names, PLAIN)


def test_a_setups_remedy_changes_its_recipe_for_the_rows_of_a_fit() -> None:
    setup = Setup(source="rodents")
    given = FitRows(training=TRAINING, target=TARGET)
    assert recipe_with_remedy(setup, given) == setup.recipe
    aligned = recipe_with_remedy(replace(setup, remedy="coral_between_sources+dropout"), given)
    assert len(aligned.penalties) == 1
    assert aligned.architecture == replace(setup.recipe.architecture, dropout=0.5)  # type: ignore[type-var] # a dataclass
    with pytest.raises(BadInput, match="no target rows"):
        recipe_with_remedy(replace(setup, remedy="coral"), FitRows(training=TRAINING))
