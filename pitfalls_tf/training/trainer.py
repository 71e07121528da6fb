"""Many seeds of a composed setup, in groups that fit into memory; each finished run is a folder, and none is lost."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.baseline.metrics import intervals, measure
from monitoring.errors import BadInput
from pitfalls_tf.fitting import ensemble as loop
from pitfalls_tf.fitting.fits import Fits
from pitfalls_tf.fitting.program import Program
from pitfalls_tf.remedies.remedy import Situation, same_rows
from pitfalls_tf.rows import feature_encoding
from pitfalls_tf.rows.folds import blocks_of
from pitfalls_tf.rows.reference_rows import reference_table
from pitfalls_tf.training import deployed_model, weights
from pitfalls_tf.training import runs as folders
from pitfalls_tf.training.combination import check_combination
from pitfalls_tf.training.domain_metrics import by_domain, write_domains
from pitfalls_tf.training.prepared_rows import BLOCK_DAYS, prepare, remedied
from pitfalls_tf.training.runs import Ensemble, Run
from serving.export.manifest import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from pitfalls_tf.fitting.fits import Epoch, Member
    from pitfalls_tf.fitting.recipe import Recipe
    from pitfalls_tf.training.setup import ComposedSetup

    Floats = NDArray[np.float64]

HELD_OUT: Final = "held_out.parquet"
MEMBER_SEEDS: Final = 100_000  # members that predict together have seeds that no single run has
MEMORY_SHARE: Final = 0.25  # of the machine's, for what a group of seeds holds at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far training has come: epochs done of all that there may be, kept runs included, and what the last one was.

    `run` says that a run has just ended, or was kept; in between there is a step for every epoch.
    """

    done: int
    total: int
    stage: str
    run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The ensemble; domains that could not be scored; and why there is no model to deploy, if there is none."""

    ensemble: Ensemble
    unscored: tuple[str, ...]
    without_model: str | None


class ComposedTrainer:
    """A setup with its rows, ready to fit any seeds.

    Weights, dropout and the order of rows follow from the seed alone: a run is the same in whatever group, or alone.

    Raises:
        BadInput: no such network or remedy, or the source or the recipe does not allow it; remedies that undo each
            other; no rows on one side of the split; nothing to tell apart.
    """

    def __init__(self, setup: ComposedSetup) -> None:
        self.setup = setup
        fix = setup.fix
        plain = prepare(setup)
        self.recipe: Recipe = setup.recipe
        if fix is not None:
            self.recipe = fix.applied(setup.recipe, plain.training, plain.target)
            situation = Situation(recipe=setup.recipe, training=plain.training, target=plain.target)
            check_combination(fix.name, situation)
        self._rows = remedied(plain, setup)
        self._together = 1 if fix is None else fix.seeds
        if not self._rows.scored.labelled.any():
            raise BadInput(
                "Nothing can be scored.",
                got=f"{len(self._rows.scored)} held-out rows, none with a label ({self._rows.roles.described})",
                expected="held-out rows with labels",
                fix="Hold out other rows.",
            )

    @property
    def without_model(self) -> str | None:
        """Why no single model can be deployed; None where one can."""
        if self._together > 1:
            return f"{self._together} networks predict together; their weights are in each run's {weights.FIT}."
        if self.setup.fix is not None and self.setup.fix.rows is not same_rows:
            return f"{self.setup.remedy} prepares rows outside the network, which a served model would have to do."
        return None

    @property
    def unscored(self) -> tuple[str, ...]:
        """Domains of which no held-out row has a label."""
        rows = self._rows.scored
        return tuple(sorted(set(rows.names) - set(np.unique(rows.domains[rows.labelled]).tolist())))

    def manifest(self, seed: int) -> dict[str, Any]:
        """Everything that makes this run what it is: with the same manifest, the same weights."""
        rows = self._rows
        return {
            "setup": self.setup.document(),
            "seed": seed,
            "classes": list(rows.scored.classes),
            "data": {
                "digest": rows.digest,
                "training": int(rows.training.labelled.sum()),
                "scored": int(rows.scored.labelled.sum()),
                "split": rows.roles.described,
            },
            "environment": asdict(environment()),
        }

    def check_same(self, kept: Mapping[str, Any], where: Path) -> None:
        """Another environment is allowed; another setup or other rows are not.

        Raises:
            BadInput: the manifest is of another setup or of other rows.
        """
        wanted = folders.as_written(self.manifest(int(kept["seed"])))
        different = [name for name in ("setup", "data") if kept.get(name) != wanted[name]]
        if different:
            raise BadInput(
                "A run was made otherwise.",
                got=f"{where} with another {' and '.join(different)}",
                expected=f"runs of setup {self.setup.name} as it is now",
                fix="Name another folder with --out, or start over with --fresh.",
            )

    def group(self) -> int:
        """How many runs are fitted at a time: one per core, or fewer where memory is short; at least one.

        A member holds its weights, the optimiser's slots, an average and gradients, and best weights to go back to.
        """
        network = self.recipe.architecture.build(self._rows.training.shape)
        copies = 4 + self.recipe.optimiser.slots
        bytes_each = 4 * network.count_params() * copies * self._together
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        cores = len(os.sched_getaffinity(0))
        return max(1, min(cores, int(MEMORY_SHARE * memory / max(bytes_each, 1))))

    def fit(self, seeds: Sequence[int], told: Callable[[int, Epoch], None]) -> dict[int, Fits]:
        """The fits of each run, several where seeds predict together."""
        together = self._together
        numbers = {
            seed: [seed] if together == 1 else [MEMBER_SEEDS + together * seed + place for place in range(together)]
            for seed in seeds
        }
        whose = {number: seed for seed, several in numbers.items() for number in several}
        rows = self._rows
        fits = loop.fit(
            self.recipe,
            rows.training,
            rows.validation,
            seeds=list(whose),
            target=rows.target,
            plan=loop.Plan(progress=lambda number, epoch: told(whose[number], epoch)),
        )
        return {seed: replace(fits, members=_of(fits, several)) for seed, several in numbers.items()}

    def write(self, seed: int, fits: Fits, folder: Path) -> Run:
        """Score a run on the held-out rows, and write its folder in one rename."""
        rows = self._rows.scored
        said: Floats = np.full((len(rows), len(rows.classes)), np.nan)
        if not fits.diverged:
            said = fits.predict(rows.inputs).mean(axis=0)
        run = self._judged(seed, said, folder)
        with folders.aside(folder) as unfinished:
            weights.write(fits.members, unfinished)
            pq.write_table(fits.history(), unfinished / folders.HISTORY)
            pq.write_table(self._answers(said), unfinished / HELD_OUT)
            if not run.diverged:
                write_domains(by_domain(said, rows.targets, rows.domains.tolist()), unfinished)
            folders.write_run(run, self.manifest(seed) | {"weights": weights.digest(fits.members)}, into=unfinished)
        return run

    def model(self, run: Run) -> keras.Model:
        """The model of a written run: raw inputs by name, or images, to {"logits", "probabilities", "embedding"}."""
        fits = self.fits(run)
        network, encoding = fits.model(run.seed), self._rows.encoding
        if encoding is not None:
            return deployed_model.with_preprocessing(feature_encoding.layers(encoding), network)
        return deployed_model.of_images(network)

    def fits(self, run: Run) -> Fits:
        """The fits of a written run, as they were."""
        program = Program(replace(self.recipe, afterwards=(), stopping=None), self._rows.training.shape)
        return Fits(recipe=self.recipe, program=program, members=weights.read(run.folder))

    def reference(self, run: Run) -> pa.Table | None:
        """The reference table of a written run's held-out predictions; None for images, which bear no time."""
        if self._rows.table is None:
            return None
        flat = pq.read_table(run.folder / HELD_OUT)["probabilities"].combine_chunks().flatten()
        held = self._rows.table.take(self._rows.ids)
        return reference_table(held, np.asarray(flat, dtype=np.float64).reshape(len(held), -1))

    def _judged(self, seed: int, said: Floats, folder: Path) -> Run:
        rows = self._rows.scored
        known = rows.labelled
        if not np.isfinite(said).all():
            return Run(seed=seed, folder=folder, metrics=None, intervals={})
        blocks = np.arange(int(known.sum()))
        if self._rows.table is not None:
            days = self._rows.table.take(self._rows.ids).days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
            blocks = blocks_of(days[known], BLOCK_DAYS.get(self.setup.source, 1))
        return Run(
            seed=seed,
            folder=folder,
            metrics=measure(said[known], rows.targets[known]),
            intervals=intervals(said[known], rows.targets[known], blocks, np.random.default_rng([seed, 2])),
        )

    def _answers(self, said: Floats) -> pa.Table:
        rows = self._rows.scored
        offsets = pa.array(np.arange(len(rows) + 1, dtype=np.int32) * said.shape[1])
        labels = np.array([*rows.classes, None], dtype=object)[rows.targets]
        return pa.table(
            {
                "position": pa.array(self._rows.ids),
                "domain": pa.array(rows.domains.tolist(), pa.string()),
                "probabilities": pa.ListArray.from_arrays(offsets, pa.array(said.reshape(-1))),
                "label": pa.array(labels.tolist(), pa.string()),
            }
        )


def train(
    trainer: ComposedTrainer,
    seeds: Sequence[int],
    folder: Path,
    *,
    told: Callable[[Step], None],
    finished: Callable[[Run, Sequence[Member]], None] = lambda _run, _members: None,
) -> Trained:
    """Fit the seeds that the folder does not have yet, and write what is deployed: the median seed as it was fitted.

    Args:
        trainer: the setup and its rows.
        seeds: distinct, 0 or more.
        folder: RUNS/SETUP, held by the caller, see `runs.exclusive`.
        told: how far it has come, after every epoch and every run.
        finished: each run that was fitted now, with its members, once it is written.

    Raises:
        BadInput: the folder holds runs made otherwise.
        CannotRun: the folder cannot be written, or every run diverged.
    """
    counter = _Counter(len(seeds), trainer.recipe.epochs, told)
    runs: dict[int, Run] = {}
    missing = []
    for seed in seeds:
        where = folders.folder_of(folder, seed)
        if where.is_dir():
            trainer.check_same(folders.read_manifest(where), where)
            runs[seed] = folders.read_run(where)
            counter.ended(seed, "kept")
        else:
            missing.append(seed)
    size = trainer.group()
    for start in range(0, len(missing), size):
        for seed, fits in trainer.fit(missing[start : start + size], counter.epoch).items():
            runs[seed] = trainer.write(seed, fits, folders.folder_of(folder, seed))
            finished(runs[seed], fits.members)
            counter.ended(seed, "diverged" if runs[seed].diverged else "fitted")
    in_order = tuple(runs[seed] for seed in seeds)
    found = Ensemble(setup=trainer.setup.name, folder=folder, runs=in_order, deployed=folders.median(in_order))
    _deploy(trainer, found)
    folders.write_ensemble(found)
    return Trained(ensemble=found, unscored=trainer.unscored, without_model=trainer.without_model)


def _deploy(trainer: ComposedTrainer, found: Ensemble) -> None:
    if folders.deployed_seed(found.folder) == found.deployed.seed:
        return
    folders.withdraw(found.folder)
    reference = trainer.reference(found.deployed)
    if reference is not None:
        folders.write_aside(found.reference, lambda path: pq.write_table(reference, path))
    if trainer.without_model is None:
        folders.write_aside(found.model, trainer.model(found.deployed).save)


class _Counter:
    """Counts epochs; a run that ends early is done with all of its own. Called from several threads, one per member."""

    def __init__(self, runs: int, epochs: int, told: Callable[[Step], None]) -> None:
        self._epochs, self._total, self._told = epochs, runs * epochs, told
        self._ended = 0
        self._reached: dict[int, int] = {}

    def epoch(self, seed: int, epoch: Epoch) -> None:
        """A member has come so far."""
        self._reached[seed] = min(epoch.number, self._epochs)
        self._tell(f"seed {seed}, epoch {epoch.number} of {self._epochs}, loss {epoch.loss:.3g}", run=False)

    def ended(self, seed: int, how: str) -> None:
        """A run is written."""
        self._reached.pop(seed, None)
        self._ended += 1
        self._tell(f"seed {seed} {how}", run=True)

    def _tell(self, stage: str, *, run: bool) -> None:
        done = self._ended * self._epochs + sum(self._reached.copy().values())
        self._told(Step(done=done, total=self._total, stage=stage, run=run))


def _of(fits: Fits, numbers: Sequence[int]) -> tuple[Member, ...]:
    return tuple(member for number in numbers for member in fits.one(number).members)
