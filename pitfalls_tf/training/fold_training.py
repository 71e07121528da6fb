"""Conventional training: every seed is scored on days it was not fitted on, and the median seed is deployed.

A run is K fits, one per fold of days, whose held-out predictions together cover every row; its metrics are of those.
The deployed model is one more fit with the median seed, on all days, for as many epochs as the folds had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from monitoring.errors import BadInput
from pitfalls_tf.training import runs as folders
from pitfalls_tf.training.environment import check_environment
from pitfalls_tf.training.fold_trainer import Trainer
from pitfalls_tf.training.named_setups import find
from pitfalls_tf.training.runs import Ensemble, Run

if TYPE_CHECKING:
    from pathlib import Path

    from pitfalls_tf.training.named_setups import Setup


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far training has come: fits done of all, kept ones included, and what the last one was."""

    done: int
    total: int
    stage: str


def train_ensemble(
    setup: Setup, *, seeds: int, out: Path, fresh: bool = False, progress: Callable[[Progress], None]
) -> Ensemble:
    """Train `seeds` runs of a setup into OUT/SETUP and summarise them. Finished runs are kept unless `fresh`.

    Args:
        setup: what to train.
        seeds: how many; they are 0, 1, and so on, so that a larger number continues a smaller one.
        out: the runs folder.
        fresh: delete what training wrote into OUT/SETUP before.
        progress: called after every fit.

    Raises:
        BadInput: the folder holds runs of other rows, or of another setup by the same name.
        CannotRun: the folder cannot be written or is being written, or every run diverged.

    Cost: for `flights`, about 8 s a seed on two cores, and 1.3 GB.
    """
    if seeds < 1:
        raise BadInput("No seeds, no runs.", got=f"{seeds} seeds", expected="at least 1", fix="Pass --seeds 5.")
    folder = out / setup.name
    with folders.exclusive(folder):
        if fresh:
            folders.clear(folder)
        return _train(Trainer(setup, setup.load()), folder, range(seeds), progress)


def train_again(manifest: Path, *, out: Path, progress: Callable[[Progress], None]) -> Ensemble:
    """Train the run of a manifest again, folds and deployed model, into OUT/SETUP: the same weights, bit for bit.

    Raises:
        BadInput: it is no run's manifest, or its setup or rows are not today's.
        CannotRun: the libraries, threads or kernels are others than the manifest's, which change the last bits; or see
            `train_ensemble`.

    Cost: a seed of `train_ensemble`.
    """
    kept = read_run_manifest(manifest)
    setup = find(str(kept["setup"].get("name")))
    folder = out / setup.name
    with folders.exclusive(folder):
        trainer = Trainer(setup, setup.load())
        trainer.check_manifest(kept, manifest)
        now = folders.as_written(trainer.manifest(int(kept["seed"])))["environment"]
        check_environment(kept["environment"], now)
        return _train(trainer, folder, (int(kept["seed"]),), progress)


def read_run_manifest(manifest: Path) -> dict[str, Any]:
    """A run's manifest.

    Raises:
        BadInput: there is none, or it is of something else.
    """
    if not manifest.is_file():
        raise BadInput(
            "No such manifest.",
            got=str(manifest),
            expected="a run's manifest.json",
            fix="Name one: RUNS/SETUP/seed-0000/manifest.json.",
        )
    kept = folders.read_manifest(manifest.parent, manifest.name)
    if not {"setup", "seed", "data", "environment"} <= set(kept) or not isinstance(kept["setup"], dict):
        raise BadInput(
            "Not the manifest of a run.",
            got=f"{manifest} with {', '.join(sorted(kept)) or 'nothing'}",
            expected="setup, seed, data and environment",
            fix="Name one: RUNS/SETUP/seed-0000/manifest.json.",
        )
    return kept


def _train(trainer: Trainer, folder: Path, seeds: Sequence[int], progress: Callable[[Progress], None]) -> Ensemble:
    fits = trainer.setup.folds.count
    done = 0

    def fitted(stage: str, *, count: int = 1) -> None:
        nonlocal done
        done += count
        progress(Progress(done=done, total=len(seeds) * fits + 1, stage=stage))

    runs: list[Run] = []
    for seed in seeds:
        run_folder = folders.folder_of(folder, seed)
        if run_folder.is_dir():
            trainer.check_same(run_folder)
            runs.append(folders.read_run(run_folder))
            fitted(f"seed {seed} kept", count=fits)
        else:
            runs.append(trainer.run(seed, run_folder, fitted))
    ensemble = Ensemble(setup=trainer.setup.name, folder=folder, runs=tuple(runs), deployed=folders.median(runs))
    if folders.deployed_seed(folder) != ensemble.deployed.seed:
        folders.withdraw(folder)
        model, reference = trainer.final(ensemble.deployed.seed), trainer.reference(ensemble.deployed)
        folders.write_aside(ensemble.reference, lambda path: pq.write_table(reference, path))
        folders.write_aside(ensemble.model, model.save)
    folders.write_ensemble(ensemble)
    fitted(f"seed {ensemble.deployed.seed} deployed")
    return ensemble
