"""Many fits of one recipe through one compiled program: seeds, and the folds of each seed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from monitoring.baseline.metrics import row_losses
from monitoring.errors import BadInput
from pitfalls_tf.fitting.fit_rows import FitRows
from pitfalls_tf.fitting.fits import Epoch, Fits, Member, softmax
from pitfalls_tf.fitting.program import DeviceRows, EpochOrder, Program, State
from pitfalls_tf.fitting.recipe import Recipe
from pitfalls_tf.rows.examples import Examples, Shape

Positions = NDArray[np.int64]

PROGRAMS_KEPT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """How the fits are run.

    threads  how many members at a time, which changes no bit of any; by default one per core with XLA, whose small
             products leave the other cores idle, and one without, whose kernels use all cores
    start    earlier fits of the same seeds whose weights these begin with, for fine-tuning
    """

    threads: int | None = None
    start: Fits | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitJob:
    """A recipe, the rows that it is fitted on, and a seed for each member.

    start  earlier fits of the same seeds whose weights these begin with; None for initial weights
    """

    recipe: Recipe
    rows: FitRows
    seeds: Sequence[int]
    start: Fits | None = None


def fit(
    recipe: Recipe,
    training: Examples,
    validation: Examples | None = None,
    *,
    seeds: Sequence[int],
    target: Examples | None = None,
    options: FitOptions = FitOptions(),
) -> Fits:
    """Fit every seed on the same rows and take the recipe's steps afterwards.

    Initial weights, dropout and the order of rows follow from the seed alone, so a seed's weights are the same
    whichever others are fitted along with it. A last batch that is not full is left out, each epoch with other rows.

    Args:
        seeds: distinct, 0 or more.
        target: rows of the domain to adapt to; their labels are not used, except by fine-tuning.

    Returns:
        One member per seed, diverged ones too: their loss became NaN or infinite, and they stopped there.

    Memory: the rows once, and one member's weights, gradients and optimiser slots per thread; each fitted member keeps
    its weights.
    """
    rows = FitRows(training=training, validation=validation, target=target)
    job = FitJob(recipe=recipe, rows=rows, seeds=seeds, start=options.start)
    return fit_jobs([job], threads=options.threads)[0]


def fit_jobs(
    jobs: Sequence[FitJob],
    *,
    like: Sequence[FitJob] = (),
    threads: int | None = None,
    progress: Callable[[int, int, Epoch], None] = lambda _job, _seed, _epoch: None,
) -> tuple[Fits, ...]:
    """Fit several jobs at once, such as the folds of a cross-validation: all members share the threads.

    Jobs of equal recipes whose rows have the same shape share one compiled program, however many rows each has. A
    job's weights are the same alone and with others.

    Args:
        like: jobs of other calls that are to share the compiled program: rows are padded to the longest of all.
        progress: called after each epoch of each member, from its thread: position of the job, seed, epoch.

    Memory: as `fit`, with the rows of every job.
    """
    for job in jobs:
        _check_seeds(job.seeds)
        job.rows.check(job.recipe)
    longest = max(len(job.rows.training) for job in (*jobs, *like))
    steps = max(int(job.rows.training.labelled.sum()) // job.recipe.batch for job in (*jobs, *like))
    runners = [_JobRunner(job, rows=longest, steps=steps) for job in jobs]
    if threads is None:
        compiled = all(job.recipe.architecture.uses_xla for job in jobs)
        threads = len(os.sched_getaffinity(0)) if compiled else 1
    members = [(number, place) for number, job in enumerate(jobs) for place in range(len(job.seeds))]
    with ThreadPoolExecutor(threads) as pool:
        fitted = iter(
            list(pool.map(lambda job: runners[job[0]].member(job[1], lambda *now: progress(job[0], *now)), members))
        )
    return tuple(runner.finished(tuple(next(fitted) for _ in runner.job.seeds)) for runner in runners)


def domain_numbers(examples: Examples, names: Sequence[str]) -> NDArray[np.int32]:
    """The position of each row's domain among sorted `names`, int32 [n]; -1 for one that is not there."""
    order = np.asarray(names)
    places = np.clip(np.searchsorted(order, examples.domains), 0, len(order) - 1)
    return np.where(order[places] == examples.domains, places, -1).astype(np.int32)


def clear_programs() -> None:
    """Drop the compiled programs that are kept for the next fit of the same recipe, and their memory."""
    _program.cache_clear()


@lru_cache(maxsize=PROGRAMS_KEPT)
def _program(recipe: Recipe, shape: Shape) -> Program:
    return Program(recipe, shape)


class _JobRunner:
    """The rows of a job on the device, and the fit of one member after the other on them.

    Rows and steps of an epoch are padded to common numbers, so that jobs share the compiled epoch; no padding is used.
    """

    def __init__(self, job: FitJob, *, rows: int, steps: int) -> None:
        self.job = job
        recipe, training, target = job.recipe, job.rows.training, job.rows.target
        # What does not change the program is left out of the key that it is found by.
        self._program = _program(replace(recipe, epochs=0, batch=0, post_fit=(), stopping=None), training.shape)
        names = training.names
        self._rows = _device_rows(training, names, padded_to=rows)
        self._target = None if target is None else _device_rows(target, names, padded_to=len(target))
        self._target_count = 0 if target is None else len(target)
        self._positions: Positions = np.flatnonzero(training.labelled)
        self._order_shape = (steps, recipe.batch)
        validation = job.rows.validation
        self._validation = None if validation is None else validation.where(validation.labelled)

    def finished(self, members: tuple[Member, ...]) -> Fits:
        """The members after the recipe's steps that follow a fit."""
        fits = Fits(recipe=self.job.recipe, program=self._program, members=members)
        for step in self.job.recipe.post_fit:
            fits = step(fits, self.job.rows.training, self.job.rows.target)
        return fits

    def member(self, place: int, progress: Callable[[int, Epoch], None]) -> Member:
        """Fit one seed from its initial weights to its last epoch."""
        recipe, seed, start = self.job.recipe, self.job.seeds[place], self.job.start
        earlier = None if start is None else start.members[place]
        if earlier is not None and earlier.diverged:
            return earlier
        state = (
            self._program.start(seed) if earlier is None else self._program.start(seed, earlier.weights, earlier.state)
        )
        epochs: list[Epoch] = []
        best: tuple[float, int, State] = (float("inf"), 0, state)
        for number, order in enumerate(self.orders(seed), start=1):
            state, loss, largest = self._program.run_epoch(state, self._rows, self._target, order)
            epoch = Epoch(number=number, loss=float(loss), gradient_norm=float(largest))
            epochs.append(epoch if epoch.diverged else self._scored(epoch, state))
            progress(seed, epochs[-1])
            if epoch.diverged:
                break
            if recipe.stopping is not None:
                score = epochs[-1].validation_log_loss
                assert score is not None  # noqa: S101 - for the type checker: checked before the first epoch
                if score < best[0] - recipe.stopping.min_delta:
                    best = (score, number, state)
                elif number - best[1] >= recipe.stopping.patience:
                    break
        best_epoch, chosen = (len(epochs), state) if recipe.stopping is None else best[1:]
        weights, others = self._program.fitted(chosen)
        return Member(seed=seed, weights=weights, state=others, epochs=tuple(epochs), weights_epoch=best_epoch)

    def orders(self, seed: int) -> Iterator[EpochOrder]:
        """The rows of each epoch of a seed, in batches."""
        rows, (_, batch) = self._positions, self._order_shape
        steps = len(rows) // batch
        training_order, target_order = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 3])
        mixing = int(np.random.SeedSequence([seed, 4]).generate_state(1)[0] >> 2)
        for _ in range(self.job.recipe.epochs):
            order = np.zeros(self._order_shape, dtype=np.int32)
            order[:steps] = training_order.permutation(rows)[: steps * batch].reshape(steps, batch)
            yield EpochOrder(
                training=tf.constant(order),
                target=tf.constant(self._target_positions(target_order, steps)),
                steps=tf.constant(steps),
                total=tf.constant(float(steps * self.job.recipe.epochs)),
                seed=tf.constant(mixing),
            )

    def _target_positions(self, rng: np.random.Generator, steps: int) -> NDArray[np.int32]:
        """Positions of target rows, int32 [steps, batch], each as often as any other up to one, in random order."""
        positions = np.zeros(self._order_shape if self._target_count else (self._order_shape[0], 1), dtype=np.int32)
        if self._target_count:
            size = steps * self._order_shape[1]
            turns = [rng.permutation(self._target_count) for _ in range(-(-size // self._target_count))]
            positions[:steps] = np.concatenate(turns)[:size].reshape(steps, -1)
        return positions

    def _scored(self, epoch: Epoch, state: State) -> Epoch:
        if self._validation is None:
            return epoch
        outputs = self._program.outputs(*self._program.fitted(state), self._validation.inputs)
        losses = row_losses(softmax(outputs["logits"]), self._validation.targets)
        scores = {name: float(values.mean()) for name, values in losses.items()}
        return replace(
            epoch,
            validation_log_loss=scores["log_loss"],
            validation_brier=scores["brier"],
            validation_error=scores["error"],
        )


def _device_rows(examples: Examples, names: Sequence[str], *, padded_to: int) -> DeviceRows:
    truths = np.eye(len(examples.classes), dtype=np.float32)[examples.targets]
    truths[~examples.labelled] = 0
    return DeviceRows(
        inputs=_padded(examples.inputs, padded_to),
        truths=_padded(truths, padded_to),
        domains=_padded(domain_numbers(examples, names), padded_to),
    )


def _padded(rows: NDArray[np.generic], count: int) -> tf.Tensor:
    tensor = tf.constant(rows)
    missing = count - len(rows)
    return tf.pad(tensor, [(0, missing), *[(0, 0)] * (rows.ndim - 1)]) if missing else tensor


def _check_seeds(seeds: Sequence[int]) -> None:
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise BadInput(
            "Seeds must be distinct numbers of 0 or more.",
            got=", ".join(map(str, seeds)) or "none",
            expected="such as range(5)",
            fix="Name each once.",
        )
