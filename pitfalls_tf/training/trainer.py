"""A setup with its rows: fits its runs, scores them on held-out rows, and builds the model to deploy."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.fitting.arithmetic import arithmetic
from pitfalls_tf.fitting.ensemble import FitJob, fit_jobs
from pitfalls_tf.fitting.fit_rows import FitRows
from pitfalls_tf.fitting.fits import Epoch, Fits
from pitfalls_tf.fitting.program import Program
from pitfalls_tf.fitting.recipe import Recipe
from pitfalls_tf.remedies import catalogue
from pitfalls_tf.remedies.remedy import RemedyContext, unchanged_recipe, unchanged_rows
from pitfalls_tf.rows import feature_encoding
from pitfalls_tf.training import deployed_model, weights
from pitfalls_tf.training import run_folder as folders
from pitfalls_tf.training.domain_metrics import write_domains
from pitfalls_tf.training.held_out import HeldOutRows
from pitfalls_tf.training.prepared_rows import prepare, with_remedy
from pitfalls_tf.training.row_roles import BLOCK_DAYS
from pitfalls_tf.training.runs import Run
from pitfalls_tf.training.setup import Setup, read
from serving.export.manifest import environment


def recipe_with_remedy(setup: Setup, rows: FitRows) -> Recipe:
    """The setup's recipe, changed by its remedy."""
    recipe, remedy = setup.recipe, setup.find_remedy()
    if remedy is None:
        return recipe
    changed = remedy.apply(recipe, rows.training, rows.target)
    check_combination(remedy.name, RemedyContext(recipe=recipe, training=rows.training, target=rows.target))
    return changed


def check_combination(names: str, context: RemedyContext) -> None:
    """Refuse remedies of which one has no effect, such as two losses: the later replaces the earlier one."""
    parts = names.split("+")
    if len(parts) == 1:
        return
    whole = catalogue.find(names).change_recipe(context)
    for place, name in enumerate(parts):
        others = "+".join(parts[:place] + parts[place + 1 :])
        # Preprocessing and seed ensembling leave recipes alone.
        if (
            catalogue.find(name).change_recipe is not unchanged_recipe
            and catalogue.find(others).change_recipe(context) == whole
        ):
            raise BadInput(
                f"{name} has no effect in this combination.",
                got=f"{names}, which is the same as {others}",
                expected="remedies that do not undo each other, or change what is there already",
                fix=f"Leave out {name}.",
            )


MEMBER_SEEDS: Final = 100_000  # members that predict together have seeds that no single run has
MEMORY_SHARE: Final = 0.25  # of the machine's, for what a group of runs holds at once


class Trainer:
    """A setup with its rows, ready to fit any seeds.

    A run is one fit, or one per fold; its metrics are over the held-out rows of all its fits. Weights, dropout and the
    order of rows follow from the seed alone: a run is the same in any group, or alone.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        prepared = prepare(setup)
        self._recipes = [recipe_with_remedy(setup, fit.rows) for fit in prepared.fits]
        deployed = prepared.deployed
        self._deployed_recipe = None if deployed is None else recipe_with_remedy(setup, deployed)
        self._rows = with_remedy(prepared, setup)
        remedy = setup.find_remedy()
        self._together = 1 if remedy is None else remedy.seeds
        self._held_out = HeldOutRows(self._rows, block_days=BLOCK_DAYS.get(setup.source, 1))

    @property
    def recipe(self) -> Recipe:
        """How a run's fits are fitted, the remedy included; that of the first, where rows make a difference."""
        return self._recipes[0]

    @property
    def epochs(self) -> tuple[int, int]:
        """The most epochs of a run's fits together, and of the deployed model's own fit, 0 where it has none."""
        run = sum(recipe.epochs for recipe in self._recipes) * self._together
        return run, 0 if self._deployed_recipe is None else self._deployed_recipe.epochs

    @property
    def without_model(self) -> str | None:
        """Why no single model can be deployed; None where one can."""
        remedy = self.setup.find_remedy()
        if self._together > 1:
            return f"{self._together} networks predict together; their weights are in each run's {weights.FIT}."
        if remedy is not None and remedy.row_transform is not unchanged_rows:
            return f"{self.setup.remedy} prepares rows outside the network, which a served model would have to do."
        return None

    @property
    def unscored(self) -> tuple[str, ...]:
        """Domains of which no held-out row has a label."""
        return self._held_out.unlabelled_domains

    @property
    def deployed_rows(self) -> str:
        """Which fit is deployed, and which rows it has seen."""
        if self.without_model is not None:
            return "none"
        if self._rows.deployed is None:
            return "the fit that was scored; it has seen none of the held-out rows"
        return (
            f"one more fit with the same seed, on all {self._held_out.labelled} labelled rows, the scored ones included"
        )

    def manifest(self, seed: int) -> dict[str, Any]:
        """Everything that makes this run what it is: with the same manifest, the same weights."""
        training = [int(fit.rows.training.labelled.sum()) for fit in self._rows.fits]
        return {
            "setup": self.setup.document(),
            "seed": seed,
            "classes": list(self._held_out.classes),
            "data": {
                "digest": self._rows.digest,
                "training": training[0] if len(training) == 1 else training,
                "scored": self._held_out.labelled,
                "split": self._rows.described,
            },
            "metrics_over": f"{self._held_out.labelled} labelled rows, each scored by a fit that was not trained on it",
            "deployed_model": self.deployed_rows,
            "environment": asdict(environment()),
            "arithmetic": arithmetic(),
        }

    def check_same(self, manifest: Mapping[str, Any], path: Path) -> None:
        """Refuse a run of another setup or of other rows; another environment is allowed."""
        data = folders.as_written(self.manifest(int(manifest["seed"])))["data"]
        different = [] if _is_setup(manifest.get("setup"), self.setup) else ["setup"]
        different += [] if manifest.get("data") == data else ["data"]
        if different:
            raise BadInput(
                "A run was trained with another setup or other rows.",
                got=f"{path} with another {' and '.join(different)}",
                expected=f"runs of setup {self.setup.name} as it is now",
                fix="Name another folder with --out, or start over with --fresh.",
            )

    def group(self) -> int:
        """How many runs are fitted at a time.

        A member holds its weights, the optimiser's slots, an average, gradients, and the best epoch's weights.

        Returns:
            One run per core, or fewer if they would take more than a quarter of the memory; at least one.
        """
        network = self.recipe.architecture.build(self._rows.fits[0].rows.training.shape)
        copies = 4 + self.recipe.optimiser.slots
        bytes_each = 4 * network.count_params() * copies * self._together
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        cores = len(os.sched_getaffinity(0))
        return max(1, min(cores, int(MEMORY_SHARE * memory / max(bytes_each, 1))))

    def fit(self, seeds: Sequence[int], progress: Callable[[int, Epoch], None]) -> dict[int, tuple[Fits, ...]]:
        """Fit runs together.

        Args:
            progress: called after each epoch of each member, from its thread: the run's seed, the epoch.

        Returns:
            By seed, the fits of the run: one, or one per fold; each with several members where several networks
            predict together.
        """
        members = {seed: self._member_seeds(seed) for seed in seeds}
        owner = {number: seed for seed, numbers in members.items() for number in numbers}
        fitted: list[Fits] = []
        # As few folds at a time as keep all cores busy: their rows are on the device together.
        size = -(-len(os.sched_getaffinity(0)) // len(owner))
        for start in range(0, len(self._recipes), size):
            fitted += self._fit_folds(range(len(self._recipes))[start : start + size], owner, progress)
        return {seed: tuple(_members(fits, numbers) for fits in fitted) for seed, numbers in members.items()}

    def write(self, seed: int, fits: Sequence[Fits], folder: Path) -> Run:
        """Score a run on the held-out rows, and write its folder in one rename."""
        probabilities = self._held_out.predict(fits)
        run = self._held_out.score(seed, probabilities, folder)
        members = [member for fit in fits for member in fit.members]
        with folders.staged(folder) as unfinished:
            weights.write(members, unfinished)
            pq.write_table(_history(fits), unfinished / folders.HISTORY)
            pq.write_table(self._held_out.table(probabilities), unfinished / folders.HELD_OUT)
            if not run.diverged:
                write_domains(self._held_out.score_domains(probabilities), unfinished)
            folders.write_run(run, self.manifest(seed) | {"weights": weights.digest(members)}, into=unfinished)
        return run

    def reference(self, run: Run) -> pa.Table | None:
        """The reference table of a written run's held-out predictions; None for images, which have no times."""
        flat = pq.read_table(run.folder / folders.HELD_OUT)["probabilities"].combine_chunks().flatten()
        return self._held_out.reference(np.asarray(flat, dtype=np.float64))

    def deployed(self, run: Run, progress: Callable[[Epoch], None] = lambda _epoch: None) -> keras.Model:
        """Build the model to deploy of a written run.

        With one held-out part it is the fit that was scored; with folds one more fit with the run's seed on all rows.

        Returns:
            A model of raw inputs by name, or images, to logits, probabilities and embedding.
        """
        if self._rows.deployed is None:
            network = self.read_fits(run)[0].model(run.seed)
        else:
            network = self._fit_deployed(run.seed, progress)
        encoding = self._rows.encoding
        if encoding is None:
            return deployed_model.of_images(network)
        return deployed_model.with_preprocessing(feature_encoding.preprocessing_model(encoding), network)

    def read_fits(self, run: Run) -> tuple[Fits, ...]:
        """The scored fits of a written run, as they were."""
        members, size = weights.read(run.folder), self._together
        all_fits = []
        for fold, (recipe, fit_rows) in enumerate(zip(self._recipes, self._rows.fits, strict=True)):
            program = Program(replace(recipe, post_fit=(), stopping=None), fit_rows.rows.training.shape)
            all_fits.append(Fits(recipe=recipe, program=program, members=members[fold * size : (fold + 1) * size]))
        return tuple(all_fits)

    def _fit_folds(
        self, folds: Sequence[int], owner: Mapping[int, int], progress: Callable[[int, Epoch], None]
    ) -> list[Fits]:
        """The fits of some folds with members of these numbers, each of which belongs to the run of a seed."""
        numbers_of = [{self._fit_seed(number, fold): number for number in owner} for fold in folds]
        jobs = [self._job(fold, list(numbers)) for fold, numbers in zip(folds, numbers_of, strict=True)]
        fitted = fit_jobs(
            jobs, like=self._all_jobs(), progress=lambda job, seed, epoch: progress(owner[numbers_of[job][seed]], epoch)
        )
        return [
            replace(fits, members=tuple(replace(member, seed=numbers[member.seed]) for member in fits.members))
            for fits, numbers in zip(fitted, numbers_of, strict=True)
        ]

    def _job(self, fold: int, seeds: Sequence[int]) -> FitJob:
        """Of a fold, or after the last of them the deployed model's own fit."""
        if fold < len(self._recipes):
            return FitJob(recipe=self._recipes[fold], rows=self._rows.fits[fold].rows, seeds=seeds)
        assert self._rows.deployed is not None  # noqa: S101 - for the type checker: asked for only where there is one
        assert self._deployed_recipe is not None  # noqa: S101 - as above
        return FitJob(recipe=self._deployed_recipe, rows=self._rows.deployed, seeds=seeds)

    def _all_jobs(self) -> list[FitJob]:
        """Every fit of a run, and that of the deployed model: they are to share one compiled program."""
        count = len(self._recipes) + (self._rows.deployed is not None)
        return [self._job(fold, ()) for fold in range(count)]

    def _member_seeds(self, seed: int) -> list[int]:
        size = self._together
        return [seed] if size == 1 else [MEMBER_SEEDS + size * seed + place for place in range(size)]

    def _fit_seed(self, seed: int, fold: int) -> int:
        """The seed itself, or one of its own for each fold: folds must not share initial weights."""
        if self._rows.deployed is None:
            return seed
        return int(np.random.SeedSequence([seed, fold]).generate_state(1)[0])

    def _fit_deployed(self, seed: int, progress: Callable[[Epoch], None]) -> keras.Model:
        fold = len(self._rows.fits)
        number = self._fit_seed(seed, fold)
        (fits,) = fit_jobs(
            [self._job(fold, [number])], like=self._all_jobs(), progress=lambda _job, _seed, epoch: progress(epoch)
        )
        if fits.diverged:
            raise CannotRun(
                "The fit on all rows diverged.",
                got=f"a loss that is no finite number, seed {seed}",
                expected="a finite loss, as in the folds",
                fix="Train more seeds, so that another is the median.",
            )
        return fits.model(number)


def _is_setup(document: Any, setup: Setup) -> bool:
    try:
        return isinstance(document, dict) and read(document) == setup
    except BadInput:
        return False


def _members(fits: Fits, seeds: Sequence[int]) -> Fits:
    return replace(fits, members=tuple(member for seed in seeds for member in fits.of_seed(seed).members))


def _history(fits: Sequence[Fits]) -> pa.Table:
    if len(fits) == 1:
        return fits[0].history()
    tables = [fit.history() for fit in fits]
    folds = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    return pa.concat_tables(tables).add_column(0, "fold", pa.array(folds))
