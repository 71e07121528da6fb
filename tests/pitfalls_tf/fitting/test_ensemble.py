"""Many seeds through one program: each as if it were alone, and as Keras itself would train it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.architectures.optimiser import Optimiser
from pitfalls_tf.fitting.fit_rows import FitRows
from pitfalls_tf.fitting.recipe import Batch, EarlyStopping, Outputs, Recipe
from tests.pitfalls_tf.small_examples import RECIPE, Traced, rows

if TYPE_CHECKING:
    from pitfalls_tf.fitting.fits import Fits
    from pitfalls_tf.rows.examples import Examples, Shape

TRAINING, VALIDATION, TARGET = rows(300, seed=1), rows(100, seed=2), rows(90, seed=3, shift=1.0)


def fit(recipe: Recipe, **more: Any) -> Fits:
    from pitfalls_tf.fitting import ensemble

    given = {"seeds": (0, 1, 2), "validation": VALIDATION, **more}
    return ensemble.fit(recipe, given.pop("training", TRAINING), given.pop("validation"), **given)


def same(one: Fits, other: Fits, *, seed: int) -> bool:
    first, second = one.of_seed(seed).members[0], other.of_seed(seed).members[0]
    pairs = zip((*first.weights, *first.state), (*second.weights, *second.state), strict=True)
    return all((left == right).all() for left, right in pairs)


def test_a_seed_is_the_same_alone_in_company_and_in_threads() -> None:
    from pitfalls_tf.fitting.ensemble import FitOptions

    together = fit(RECIPE)
    assert same(together, fit(RECIPE, seeds=(1,)), seed=1)
    assert all(same(together, fit(RECIPE, options=FitOptions(threads=3)), seed=seed) for seed in (0, 1, 2))
    weights = [member.weights[0] for member in together.members]
    assert (weights[0] != weights[1]).any()
    history = together.history()
    assert history["seed"].to_pylist() == [0] * 3 + [1] * 3 + [2] * 3
    assert history["validation_log_loss"].null_count == 0
    first = history["loss"].to_numpy().reshape(3, 3)
    assert (first[:, -1] < first[:, 0]).all()


def test_xla_changes_nothing_but_the_rounding() -> None:
    with_xla = fit(replace(RECIPE, architecture=Mlp(hidden=(8, 4), dropout=0.2, norm="batch")), seeds=(0,))
    without = fit(RECIPE, seeds=(0,))
    assert with_xla.history()["loss"].to_pylist() == pytest.approx(without.history()["loss"].to_pylist(), abs=1e-4)


def test_gradients_and_losses_are_those_of_separate_keras_runs() -> None:
    """The same initial weights and batches, trained by Keras' own layers, tape and optimiser."""
    import keras
    import tensorflow as tf

    from pitfalls_tf.fitting import ensemble
    from pitfalls_tf.fitting.program import Program

    recipe = replace(RECIPE, architecture=Traced(hidden=(8, 4), norm="batch"), epochs=2)
    fits = fit(recipe)
    for seed in fits.seeds:
        program = Program(recipe, TRAINING.shape)
        job = ensemble.FitJob(recipe=recipe, rows=FitRows(training=TRAINING), seeds=(seed,))
        runner = ensemble._JobRunner(job, rows=len(TRAINING), steps=270 // recipe.batch)
        state = program.start(seed)
        network = program.network
        for variable, value in zip(network.trainable_variables, state.weights, strict=True):
            variable.assign(value)
        optimiser = keras.optimizers.AdamW(learning_rate=0.01, weight_decay=0.01)
        losses = []
        for epoch, order in enumerate(runner.orders(seed)):
            total = 0.0
            for step, taken in enumerate(order.training.numpy()):
                with tf.GradientTape() as tape:
                    said = network(TRAINING.inputs[taken], training=True)["logits"]
                    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(TRAINING.targets[taken], said)
                gradients = tape.gradient(loss, network.trainable_variables)
                if epoch == step == 0:
                    _, ours = program.gradients(state, runner._rows, tf.constant(taken))
                    for one, other in zip(ours, gradients, strict=True):
                        assert one.numpy() == pytest.approx(other.numpy(), abs=1e-5)
                optimiser.apply(gradients, network.trainable_variables)
                total += float(loss)
            losses.append(total / len(order.training))
        member = fits.of_seed(seed).members[0]
        assert [epoch.loss for epoch in member.epochs] == pytest.approx(losses, abs=1e-4)
        for ours, theirs in zip(member.weights, network.trainable_variables, strict=True):
            assert ours == pytest.approx(theirs.numpy(), abs=1e-3)


def test_a_model_of_one_seed_says_what_the_fits_say() -> None:
    import keras

    fits = fit(RECIPE)
    probabilities = fits.predict(VALIDATION.inputs)
    assert probabilities.shape == (3, 100, 2)
    assert probabilities.sum(axis=-1) == pytest.approx(1)
    model = fits.model(2)
    said = model(VALIDATION.inputs)
    assert said["logits"].numpy() == pytest.approx(fits.logits(VALIDATION.inputs)[2], abs=1e-5)
    assert said["embedding"].numpy() == pytest.approx(fits.embedding(VALIDATION.inputs)[2], abs=1e-5)
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    assert any(type(layer) is keras.layers.Dropout for layer in model.layers)
    with pytest.raises(BadInput, match="not fitted"):
        fits.model(9)


def test_jobs_of_unequal_rows_share_a_program_and_are_the_same_alone() -> None:
    from pitfalls_tf.fitting import ensemble

    folds = [TRAINING.where(np.arange(300) % 3 != 0), TRAINING.where(np.arange(300) < 200), TRAINING]
    jobs = [
        ensemble.FitJob(recipe=RECIPE, rows=FitRows(training=one, validation=VALIDATION), seeds=seeds)
        for one, seeds in zip(folds, ((0, 1), (1,), (2, 5)), strict=True)
    ]
    reported: list[tuple[int, int, int]] = []
    together = ensemble.fit_jobs(jobs, progress=lambda job, seed, epoch: reported.append((job, seed, epoch.number)))
    assert [fits.seeds for fits in together] == [(0, 1), (1,), (2, 5)]
    assert together[1].program is together[2].program
    for one, fits in zip(folds, together, strict=True):
        alone = fit(RECIPE, training=one, seeds=fits.seeds)
        assert all(same(fits, alone, seed=seed) for seed in fits.seeds)
    members = [(job, seed) for job, fits in enumerate(together) for seed in fits.seeds]
    assert sorted(reported) == [(*member, number) for member in members for number in (1, 2, 3)]


def test_a_job_that_adapts_is_the_same_beside_a_longer_one() -> None:
    from pitfalls_tf.fitting import ensemble

    adapting = replace(RECIPE, penalties=(Gap(),))
    short = ensemble.FitJob(
        recipe=adapting, rows=FitRows(training=TRAINING.where(np.arange(300) < 120), target=TARGET), seeds=(0,)
    )
    long = ensemble.FitJob(recipe=adapting, rows=FitRows(training=TRAINING, target=TARGET), seeds=(0,))
    assert same(ensemble.fit_jobs([short, long])[0], ensemble.fit_jobs([short])[0], seed=0)


def test_a_diverged_seed_is_kept_reported_and_left_out() -> None:
    fits = fit(replace(RECIPE, optimiser=Optimiser(kind="sgd", learning_rate=1e20)))
    assert fits.diverged == (0, 1, 2)
    assert len(fits.members[0].epochs) < RECIPE.epochs + 1
    assert not np.isfinite(fits.members[0].epochs[-1].loss)
    assert len(fits.healthy) == 0


def test_each_seed_stops_at_its_own_epoch_and_keeps_its_best() -> None:
    recipe = replace(RECIPE, epochs=40, stopping=EarlyStopping(patience=2))
    fits = fit(recipe)
    for member in fits.members:
        scores = [epoch.validation_log_loss for epoch in member.epochs]
        assert member.kept == int(np.argmin(np.array(scores, dtype=float))) + 1
        assert len(member.epochs) in {member.kept + 2, 40}
    assert len({len(member.epochs) for member in fits.members}) > 1
    longest = replace(recipe, epochs=fits.members[0].kept, stopping=None)
    assert same(fits, fit(longest, seeds=(0,)), seed=0)


def test_averaged_weights_predict_and_some_weights_may_rest() -> None:
    averaged = fit(replace(RECIPE, optimiser=replace(RECIPE.optimiser, average=0.9)))
    assert not same(averaged, fit(RECIPE), seed=0)
    before = fit(RECIPE)
    from pitfalls_tf.fitting.ensemble import FitOptions

    for part, moving in (("normalisation", {"gamma", "beta"}), ("logits", {"kernel", "bias"})):
        tuned = fit(replace(RECIPE, trained=part), options=FitOptions(start=before))  # type: ignore[arg-type] # a literal
        variables = before.program.network.trainable_variables
        changed = [
            variable.path
            for variable, old, new in zip(variables, before.members[0].weights, tuned.members[0].weights, strict=True)
            if (old != new).any()
        ]
        assert {path.rsplit("/", 1)[1] for path in changed} == moving
        assert all(path.startswith("norm" if part == "normalisation" else "logits") for path in changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A penalty with a head: squared distance of mean embeddings, seen through a dense layer."""

    needs_target: bool = True

    def head(self, shape: Shape, width: int) -> Any:
        import keras

        return keras.Sequential([keras.Input((width,)), keras.layers.Dense(2)])

    def __call__(self, source: Outputs, target: Outputs | None, *, head: Any, progress: Any) -> Any:
        import tensorflow as tf

        assert target is not None
        gap = tf.reduce_mean(head(source.embedding), 0) - tf.reduce_mean(head(target.embedding), 0)
        return progress * tf.reduce_sum(gap**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Halved:
    """A transform that hides a random half of the inputs."""

    def __call__(self, batch: Batch, seed: Any) -> Batch:
        import tensorflow as tf

        kept = tf.random.stateless_uniform(tf.shape(batch.inputs), seed) < 0.5
        return replace(batch, inputs=tf.where(kept, batch.inputs, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """A weighting that counts every second batch alone."""

    def initial(self, shape: Shape) -> Any:
        return np.zeros(())

    def __call__(self, batch: Batch, losses: Any, logits: Any, memory: Any) -> tuple[Any, Any]:
        import tensorflow as tf

        return tf.ones_like(losses) * memory, 1 - memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Zeroed:
    """A step afterwards."""

    def __call__(self, fits: Fits, training: Examples, target: Examples | None) -> Fits:
        return fits.map_members(lambda member: replace(member, weights=tuple(0 * one for one in member.weights)))


def test_remedies_enter_alone_and_together() -> None:
    plain = fit(RECIPE)
    alone = {
        "penalty": fit(replace(RECIPE, penalties=(Gap(),)), target=TARGET),
        "transform": fit(replace(RECIPE, transforms=(Halved(),))),
        "weighting": fit(replace(RECIPE, weighting=Turns())),
    }
    assert not any(same(plain, changed, seed=0) for changed in alone.values())
    assert all(len(changed.members[0].weights) == len(plain.members[0].weights) for changed in alone.values())
    everything = replace(
        RECIPE, penalties=(Gap(), Gap()), transforms=(Halved(), Halved()), weighting=Turns(), post_fit=(Zeroed(),)
    )
    fits = fit(everything, target=TARGET)
    assert not fits.diverged
    assert (fits.predict(TARGET.inputs) == 0.5).all()


def test_what_cannot_be_fitted_is_said_before_anything_is() -> None:
    with pytest.raises(BadInput, match="none"):
        fit(RECIPE, training=replace(TRAINING, targets=np.full(300, -1)))
    with pytest.raises(BadInput, match="only 'yes'"):
        fit(RECIPE, training=replace(TRAINING, targets=np.ones(300, dtype=np.int64)))
    with pytest.raises(BadInput, match="270 rows with a label, batches of 512"):
        fit(replace(RECIPE, batch=512))
    with pytest.raises(BadInput, match="no target rows"):
        fit(replace(RECIPE, penalties=(Gap(),)))
    with pytest.raises(BadInput, match="validation rows"):
        fit(replace(RECIPE, stopping=EarlyStopping(patience=1)), validation=None)
    with pytest.raises(BadInput, match="another shape"):
        fit(RECIPE, validation=replace(VALIDATION, inputs=VALIDATION.inputs[:, :5]))
    for seeds in ((), (1, 1), (-1,)):
        with pytest.raises(BadInput, match="distinct"):
            fit(RECIPE, seeds=seeds)
