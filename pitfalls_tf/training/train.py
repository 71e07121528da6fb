"""From a setup, or from a run's manifest, to a folder of runs with the model to deploy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.fitting.arithmetic import WITHOUT_EFFECT
from pitfalls_tf.training import run_folder as folders
from pitfalls_tf.training import tensorboard
from pitfalls_tf.training.progress import EpochCounter
from pitfalls_tf.training.runs import Ensemble, median
from pitfalls_tf.training.setup import read
from pitfalls_tf.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pitfalls_tf.training.progress import TrainingProgress
    from pitfalls_tf.training.runs import Run
    from pitfalls_tf.training.setup import Setup

    Report = Callable[[TrainingProgress], None]


def check_environment(then: Mapping[str, Any], now: Mapping[str, Any], *, pinned: bool = False) -> None:
    """Refuse to repeat a run in an environment where the bits of its weights would differ.

    Args:
        then: the environment of the run.
        now: that of this process.
        pinned: whether the arithmetic of both is the same and pinned, so that cores may differ.
    """
    free = WITHOUT_EFFECT if pinned else frozenset()
    different = [name for name in now if name not in free and then.get(name) != now[name]]
    if different:
        raise CannotRun(
            "Weights repeat bit for bit only in the environment that they were trained in.",
            got="; ".join(f"{name} {now[name]}" for name in different),
            expected="; ".join(f"{name} {then.get(name)}" for name in different),
            fix="Use the same environment, or train again: pitfalls train SETUP.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOutput:
    """The folder above RUNS/SETUP, whether older runs there are deleted first, and a folder for TensorBoard's logs."""

    runs: Path
    fresh: bool = False
    tensorboard: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """What was trained.

    unscored       domains of which no held-out row has a label
    deployed_rows  which fit is deployed, and which rows it has seen, in words
    without_model  why there is no model to deploy; None where there is one
    """

    ensemble: Ensemble
    unscored: tuple[str, ...]
    deployed_rows: str
    without_model: str | None


def train(setup: Setup, *, seeds: int, output: TrainingOutput, progress: Report) -> TrainingResult:
    """Train seeds 0 to `seeds` - 1 into RUNS/SETUP, and write the median seed's model.

    Finished runs are kept unless `output.fresh`, so that a larger number of seeds continues a smaller one.

    Cost: by network and rows; of `flights`, five folds, about 5 s of processor time a seed, and 1.6 GB.
    """
    if seeds < 1:
        raise BadInput(
            "Training needs at least one seed.", got=f"{seeds} seeds", expected="at least 1", fix="Pass --seeds 5."
        )
    # The setup's names and rows are checked before a folder is made or anything in it is deleted.
    return _train(Trainer(setup), range(seeds), output, progress)


def train_again(manifest: Path, *, output: TrainingOutput, progress: Report) -> TrainingResult:
    """Train the run of a manifest again into RUNS/SETUP: the same weights, bit for bit."""
    record = folders.read_run_manifest(manifest)
    trainer = Trainer(read(record["setup"]))
    seed = int(record["seed"])
    trainer.check_same(record, manifest)
    here = folders.as_written(trainer.manifest(seed))
    check_environment({"arithmetic": record.get("arithmetic", {})}, {"arithmetic": here["arithmetic"]})
    check_environment(record["environment"], here["environment"], pinned=bool(here["arithmetic"]))
    result = _train(trainer, (seed,), output, progress)
    folder = folders.folder_of(result.ensemble.folder, seed)
    new_record = folders.read_manifest(folder)
    if new_record.get("weights") != record.get("weights"):
        raise CannotRun(
            "The weights differ from those of the manifest.",
            got=f"{new_record.get('weights')} in {folder}",
            expected=f"{record.get('weights')} of {manifest}",
            fix="Compare the code and the machine with those that trained it first.",
        )
    return result


def _train(trainer: Trainer, seeds: Sequence[int], output: TrainingOutput, progress: Report) -> TrainingResult:
    folder = output.runs / trainer.setup.name
    with folders.exclusive(folder):
        if output.fresh:
            folders.clear(folder)
        run_epochs, deployed_epochs = trainer.epochs
        counter = EpochCounter(len(seeds), run_epochs=run_epochs, deployed_epochs=deployed_epochs, report=progress)
        runs = _read_finished(trainer, seeds, folder, counter)
        missing = [seed for seed in seeds if seed not in runs]
        size = trainer.group()
        for start in range(0, len(missing), size):
            for seed, fits in trainer.fit(missing[start : start + size], counter.epoch).items():
                runs[seed] = trainer.write(seed, fits, folders.folder_of(folder, seed))
                if output.tensorboard is not None:
                    tensorboard.write(fits, output.tensorboard / trainer.setup.name / runs[seed].folder.name)
                counter.run_ended(seed, "diverged" if runs[seed].diverged else "fitted")
        in_order = tuple(runs[seed] for seed in seeds)
        ensemble = Ensemble(setup=trainer.setup.name, folder=folder, runs=in_order, deployed=median(in_order))
        _deploy(trainer, ensemble, counter)
        folders.write_ensemble(ensemble)
    return TrainingResult(
        ensemble=ensemble,
        unscored=trainer.unscored,
        deployed_rows=trainer.deployed_rows,
        without_model=trainer.without_model,
    )


def _read_finished(trainer: Trainer, seeds: Sequence[int], folder: Path, counter: EpochCounter) -> dict[int, Run]:
    runs = {}
    for seed in seeds:
        path = folders.folder_of(folder, seed)
        if path.is_dir():
            trainer.check_same(folders.read_manifest(path), path)
            runs[seed] = folders.read_run(path)
            counter.run_ended(seed, "kept")
    return runs


def _deploy(trainer: Trainer, ensemble: Ensemble, counter: EpochCounter) -> None:
    """Write the median seed's model and reference table, unless they are there."""
    if folders.deployed_seed(ensemble.folder) != ensemble.deployed.seed:
        folders.withdraw(ensemble.folder)
        reference = trainer.reference(ensemble.deployed)
        if reference is not None:
            folders.write_atomically(ensemble.reference, lambda path: pq.write_table(reference, path))
        if trainer.without_model is None:
            model = trainer.deployed(ensemble.deployed, counter.deployment_epoch)
            folders.write_atomically(ensemble.model, model.save)
    counter.deployed(ensemble.deployed.seed)
