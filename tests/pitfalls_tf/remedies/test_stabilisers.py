"""Stabilisers change what they say, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pitfalls_tf.architectures.optimiser import Optimiser
from pitfalls_tf.fitting.recipe import CrossEntropy, Recipe
from pitfalls_tf.remedies.catalogue import find
from pitfalls_tf.remedies.stabilisers import pairs
from tests.pitfalls_tf.small_examples import Traced, rows

TRAINING = rows(200, seed=1)
RECIPE = Recipe(architecture=Traced(hidden=(8, 4)), epochs=1, batch=16, optimiser=Optimiser(kind="adam"))


def applied(name: str, recipe: Recipe = RECIPE) -> Recipe:
    return find(name).apply(recipe, TRAINING)


def test_each_stabiliser_changes_what_it_says_and_nothing_else() -> None:
    adam = RECIPE.optimiser
    assert applied("gradient_clipping") == replace(RECIPE, optimiser=replace(adam, clip_norm=1.0))
    assert applied("warm_up_cosine") == replace(RECIPE, optimiser=replace(adam, warm_up=0.1, schedule="cosine"))
    assert applied("weight_averaging") == replace(RECIPE, optimiser=replace(adam, average=0.99))
    assert applied("adamw") == replace(RECIPE, optimiser=replace(adam, kind="adamw", weight_decay=0.01))
    assert applied("batch_norm") == replace(RECIPE, architecture=Traced(hidden=(8, 4), norm="batch"))
    assert applied("layer_norm") == replace(RECIPE, architecture=Traced(hidden=(8, 4), norm="layer"))
    assert applied("dropout") == replace(RECIPE, architecture=Traced(hidden=(8, 4), dropout=0.5))
    assert applied("label_smoothing") == replace(RECIPE, loss=CrossEntropy(smoothing=0.1))
    assert applied("larger_batch") == replace(RECIPE, batch=64, optimiser=replace(adam, learning_rate=2e-3))
    descent = replace(RECIPE, optimiser=Optimiser(kind="sgd", learning_rate=0.1))
    assert applied("larger_batch", descent).optimiser.learning_rate == pytest.approx(0.4)
    assert applied("seed_ensembling") == RECIPE
    assert find("seed_ensembling").seeds == 5


def test_pairs_are_both_and_leave_out_the_two_norms() -> None:
    assert len(pairs()) == 10 * 9 // 2 - 1
    both = applied("gradient_clipping+dropout")
    assert both == applied("dropout", applied("gradient_clipping"))
    assert find("seed_ensembling+dropout").seeds == 5
    assert not [pair.name for pair in pairs() if "batch_norm" in pair.name and "layer_norm" in pair.name]
