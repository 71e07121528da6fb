"""A compiled recipe: Keras' own gradients and updates, a state that starts from the seed, outputs in parts."""

from __future__ import annotations

from dataclasses import replace

import keras
import pytest
import tensorflow as tf

from pitfalls_tf.fitting import ensemble, program
from pitfalls_tf.fitting.fit_rows import FitRows
from pitfalls_tf.fitting.program import Program
from tests.pitfalls_tf.fitting.made_up_remedies import Gap
from tests.pitfalls_tf.small_examples import RECIPE, Traced, rows

TRAINING = rows(300, seed=1)


def test_gradients_and_losses_are_those_of_separate_keras_runs() -> None:
    """The same initial weights and batches, trained by Keras' own layers, tape and optimiser."""
    recipe = replace(RECIPE, architecture=Traced(hidden=(8, 4), norm="batch"), epochs=2)
    fits = ensemble.fit(recipe, TRAINING, seeds=(0, 1, 2))
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


def test_a_state_starts_from_the_seed_with_slots_of_zeros() -> None:
    made = Program(RECIPE, TRAINING.shape)
    one, again, other = (made.start(seed) for seed in (0, 0, 1))
    assert all((left.numpy() == right.numpy()).all() for left, right in zip(one.weights, again.weights, strict=True))
    assert any((left.numpy() != right.numpy()).any() for left, right in zip(one.weights, other.weights, strict=True))
    assert [len(slots) for slots in one.slots] == [len(one.weights)] * RECIPE.optimiser.slots
    assert not any(slot.numpy().any() for slots in one.slots for slot in slots)
    assert one.average == ()
    averaging = Program(replace(RECIPE, optimiser=replace(RECIPE.optimiser, average=0.9)), TRAINING.shape).start(0)
    assert len(averaging.average) == len(averaging.weights)


def test_a_second_fit_starts_from_given_weights_with_masks_of_its_own() -> None:
    made = Program(RECIPE, TRAINING.shape)
    weights, others = made.fitted(made.start(0))
    spoilt = tuple(value + 1 for value in others)
    again = made.start(5, tuple(weight + 1 for weight in weights), spoilt)
    assert all((left.numpy() == right + 1).all() for left, right in zip(again.weights, weights, strict=True))
    for fresh, given, variable in zip(again.others, spoilt, made.network.non_trainable_variables, strict=True):
        assert (fresh.numpy() == given).all() == (variable.name != "seed_generator_state")


def test_the_weights_of_a_head_are_trained_and_not_part_of_what_predicts() -> None:
    recipe = replace(RECIPE, penalties=(Gap(), Gap()), trained="logits")
    made = Program(recipe, TRAINING.shape)
    state = made.start(0)
    own = len(made.network.trainable_variables)
    assert len(state.weights) == own + 2 * 2
    assert len(state.slots[0]) == 2 + 2 * 2, "the last layer and both heads"
    assert len(made.fitted(state)[0]) == own


def test_outputs_do_not_depend_on_how_many_rows_are_predicted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Program(RECIPE, TRAINING.shape)
    weights, others = made.fitted(made.start(0))
    whole = made.outputs(weights, others, TRAINING.inputs)
    monkeypatch.setattr(program, "ROWS_AT_ONCE", 64)
    parts = made.outputs(weights, others, TRAINING.inputs)
    for name in ("logits", "embedding"):
        assert parts[name] == pytest.approx(whole[name], abs=1e-6)
    assert made.outputs(weights, others, TRAINING.inputs[:0])["logits"].shape == (0, 2)
