"""Many seeds of one recipe, through one compiled program: nothing changes from one to the next but the seed."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from monitoring.baseline.metrics import row_losses
from monitoring.errors import BadInput
from pitfalls_tf.fitting.fits import Epoch, Fits, Member, softmax
from pitfalls_tf.fitting.program import Order, Program, Rows, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from pitfalls_tf.fitting.recipe import Recipe
    from pitfalls_tf.rows.examples import Examples, Shape

    Positions = NDArray[np.int64]

PROGRAMS_KEPT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the seeds are run, each told of after its epochs by `progress`.

    threads   how many members at a time, which changes no bit of any; by default one per core with XLA, whose small
              products leave the other cores idle, and one without, whose kernels use them all
    rows      positions of the training rows that each seed learns from, for folds; None for all that have a label
    start     earlier fits of the same seeds whose weights these begin with, for fine-tuning
    """

    threads: int | None = None
    rows: Sequence[Positions] | None = None
    start: Fits | None = None
    progress: Callable[[int, Epoch], None] | None = None


def fit(
    recipe: Recipe,
    training: Examples,
    validation: Examples | None = None,
    *,
    seeds: Sequence[int],
    target: Examples | None = None,
    plan: Plan = Plan(),
) -> Fits:
    """Fit every seed and take the recipe's steps afterwards.

    Initial weights, dropout and the order of rows follow from the seed alone, so a seed's weights are the same
    whichever others are asked for along with it. A last batch that is not full is left out, each epoch with other rows.

    Args:
        recipe: how to fit.
        training: rows; those without a label are not learnt from.
        validation: rows that are scored after every epoch, and decide when to stop if the recipe says so.
        seeds: distinct, 0 or more.
        target: rows of the domain to adapt to; their labels are not looked at, except by steps that say so.
        plan: how to run them.

    Returns:
        One member per seed, diverged ones too: their loss stopped being a number, and they stopped with it.

    Raises:
        BadInput: no labels, or of one class only; fewer rows than a batch; no target or validation where the recipe
            needs it; rows of different shapes.

    Memory: the rows once, and one member's weights, gradients and optimiser slots per thread; each fitted member keeps
    its weights.
    """
    given = _Given(training=training, validation=validation, target=target)
    _check_rows(recipe, training, seeds, plan)
    _check_others(recipe, given)
    # What does not change the program is left out of what it is found by.
    program = _program(replace(recipe, epochs=0, batch=0, afterwards=(), stopping=None), training.shape)
    run = _Run(recipe, program, given, plan)
    threads = plan.threads or (len(os.sched_getaffinity(0)) if recipe.architecture.compiled else 1)
    with ThreadPoolExecutor(threads) as pool:
        members = tuple(pool.map(run.member, range(len(seeds)), seeds))
    fits = Fits(recipe=recipe, program=program, members=members)
    for step in recipe.afterwards:
        fits = step(fits, training, target)
    return fits


def with_domains(examples: Examples, names: Sequence[str]) -> NDArray[np.int32]:
    """The number of each row's domain among sorted `names`, -1 for one that is not there."""
    order = np.asarray(names)
    found = np.clip(np.searchsorted(order, examples.domains), 0, len(order) - 1)
    return np.where(order[found] == examples.domains, found, -1).astype(np.int32)


def forget() -> None:
    """Drop the compiled programs that are kept for the next fit of the same recipe, and their memory."""
    _program.cache_clear()


@lru_cache(maxsize=PROGRAMS_KEPT)
def _program(recipe: Recipe, shape: Shape) -> Program:
    return Program(recipe, shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """The rows of a fit, each kind for its purpose."""

    training: Examples
    validation: Examples | None
    target: Examples | None


class _Run:
    """The rows on the device, and the training of one member after the other on them."""

    def __init__(self, recipe: Recipe, program: Program, given: _Given, plan: Plan) -> None:
        self._recipe, self._program, self._plan = recipe, program, plan
        training, validation, target = given.training, given.validation, given.target
        names = training.names
        self._rows = _rows(training, names)
        self._target = None if target is None else _rows(target, names)
        self._target_count = 0 if target is None else len(target)
        labelled = np.flatnonzero(training.labelled)
        self._positions = [labelled] if plan.rows is None else [rows[training.labelled[rows]] for rows in plan.rows]
        self._batch = recipe.batch
        self._most = max(len(rows) for rows in self._positions) // self._batch
        self._validation = None if validation is None else validation.where(validation.labelled)

    def member(self, place: int, seed: int) -> Member:
        """Fit one seed from its initial weights to its last epoch."""
        recipe, start = self._recipe, self._plan.start
        earlier = None if start is None else start.members[place]
        if earlier is not None and earlier.diverged:
            return earlier
        state = (
            self._program.start(seed) if earlier is None else self._program.start(seed, earlier.weights, earlier.state)
        )
        epochs: list[Epoch] = []
        best: tuple[float, int, State] = (float("inf"), 0, state)
        for number, order in enumerate(self._orders(place, seed), start=1):
            state, loss, steepest = self._program.run_epoch(state, self._rows, self._target, order)
            epoch = Epoch(number=number, loss=float(loss), gradient_norm=float(steepest))
            epochs.append(epoch if epoch.diverged else self._scored(epoch, state))
            if self._plan.progress is not None:
                self._plan.progress(seed, epochs[-1])
            if epoch.diverged:
                break
            if recipe.stopping is not None:
                score = epochs[-1].validation_log_loss
                assert score is not None  # noqa: S101 - for the type checker: checked before the first epoch
                if score < best[0] - recipe.stopping.smallest:
                    best = (score, number, state)
                elif number - best[1] >= recipe.stopping.patience:
                    break
        kept, chosen = (len(epochs), state) if recipe.stopping is None else best[1:]
        weights, others = self._program.fitted(chosen)
        return Member(seed=seed, weights=weights, state=others, epochs=tuple(epochs), kept=kept)

    def _orders(self, place: int, seed: int) -> Iterator[Order]:
        rows = self._positions[place if len(self._positions) > 1 else 0]
        steps = len(rows) // self._batch
        ours, theirs = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 3])
        mixing = int(np.random.SeedSequence([seed, 4]).generate_state(1)[0] >> 2)
        shape = (self._most, self._batch)
        for _ in range(self._recipe.epochs):
            order = np.zeros(shape, dtype=np.int32)
            order[:steps] = ours.permutation(rows)[: steps * self._batch].reshape(steps, self._batch)
            yield Order(
                training=tf.constant(order),
                target=tf.constant(_cycled(theirs, self._target_count, shape)),
                steps=tf.constant(steps),
                total=tf.constant(float(steps * self._recipe.epochs)),
                seed=tf.constant(mixing),
            )

    def _scored(self, epoch: Epoch, state: State) -> Epoch:
        if self._validation is None:
            return epoch
        said = self._program.outputs(*self._program.fitted(state), self._validation.inputs)
        losses = row_losses(softmax(said["logits"]), self._validation.targets)
        scores = {name: float(values.mean()) for name, values in losses.items()}
        return replace(
            epoch,
            validation_log_loss=scores["log_loss"],
            validation_brier=scores["brier"],
            validation_error=scores["error"],
        )


def _rows(examples: Examples, names: Sequence[str]) -> Rows:
    truths = np.eye(len(examples.classes), dtype=np.float32)[examples.targets]
    truths[~examples.labelled] = 0
    return Rows(
        inputs=tf.constant(examples.inputs),
        truths=tf.constant(truths),
        domains=tf.constant(with_domains(examples, names)),
    )


def _cycled(rng: np.random.Generator, count: int, shape: tuple[int, int]) -> NDArray[np.int32]:
    """Positions of target rows, each as often as any other up to one, in random order."""
    if count == 0:
        return np.zeros((shape[0], 1), dtype=np.int32)
    size = shape[0] * shape[1]
    turns = [rng.permutation(count) for _ in range(-(-size // count))]
    return np.concatenate(turns)[:size].reshape(shape).astype(np.int32)


def _check_rows(recipe: Recipe, training: Examples, seeds: Sequence[int], plan: Plan) -> None:
    """Refuse rows that nothing can be learnt from, before anything is compiled."""
    if not seeds or (len(set(seeds)) < len(seeds) and plan.rows is None) or min(seeds) < 0:
        raise BadInput(
            "Seeds must be distinct numbers of 0 or more.",
            got=", ".join(map(str, seeds)) or "none",
            expected="such as range(5)",
            fix="Name each once.",
        )
    labels = np.unique(training.targets[training.labelled])
    if len(labels) < 2:
        found = "none" if not len(labels) else f"only {training.classes[int(labels[0])]!r}"
        raise BadInput(
            "There is nothing to tell apart.",
            got=f"{len(training)} training rows, labels: {found}",
            expected=f"rows of at least two of: {', '.join(training.classes)}",
            fix="Train on rows with labels of several classes.",
        )
    fewest = int(training.labelled.sum())
    if plan.rows is not None:
        fewest = min(int(training.labelled[rows].sum()) for rows in plan.rows)
    if fewest < recipe.batch:
        raise BadInput(
            "There are fewer rows than a batch takes.",
            got=f"{fewest} rows with a label, batches of {recipe.batch}",
            expected="at least one full batch",
            fix="Lower the recipe's batch, or train on more rows.",
        )


def _check_others(recipe: Recipe, given: _Given) -> None:
    """Refuse a recipe without the rows it needs, and rows that do not fit each other."""
    training, validation, target = given.training, given.validation, given.target
    if target is None and any(penalty.needs_target for penalty in recipe.penalties):
        raise BadInput(
            "This recipe adapts to a target.",
            got="no target rows",
            expected="rows of the domain to adapt to; their labels are not needed",
            fix="Pass target=.",
        )
    if recipe.stopping is not None and (validation is None or not validation.labelled.any()):
        raise BadInput(
            "This recipe stops by validation rows.",
            got="none with a label",
            expected="rows that no seed trains on",
            fix="Pass validation=, or leave out stopping.",
        )
    for name, other in (("validation", validation), ("target", target)):
        if other is not None and other.inputs.shape[1:] != training.inputs.shape[1:]:
            raise BadInput(
                f"The {name} rows have another shape than the training rows.",
                got=str(other.inputs.shape[1:]),
                expected=str(training.inputs.shape[1:]),
                fix="Encode both with the encoding of the training rows.",
            )
