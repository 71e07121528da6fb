"""Stabilisers and capacities change what they say, refuse what they cannot, and train."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.architectures.optimiser import Optimiser
from pitfalls_tf.fitting.recipe import CrossEntropy, Recipe
from pitfalls_tf.remedies.capacity import FACTORS, parameters
from pitfalls_tf.remedies.catalogue import REMEDIES, allowed, find
from pitfalls_tf.remedies.remedy import RemedyContext
from pitfalls_tf.remedies.stabilisers import pairs, together
from tests.pitfalls_tf.small_examples import Traced, rows

if TYPE_CHECKING:
    from pitfalls_tf.rows.examples import Shape

TRAINING = rows(200, seed=1)
RECIPE = Recipe(architecture=Traced(hidden=(8, 4)), epochs=1, batch=16, optimiser=Optimiser(kind="adam"))


def applied(name: str, recipe: Recipe = RECIPE) -> Recipe:
    return find(name).applied(recipe, TRAINING)


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


def test_seeds_predict_together() -> None:
    said = np.array([[[0.1, 0.9]], [[0.3, 0.7]], [[np.nan, np.nan]], [[0.4, 0.6]], [[0.5, 0.5]]])
    assert together(said, 2) == pytest.approx(np.array([[[0.2, 0.8]], [[0.4, 0.6]]]))
    assert np.isnan(together(said[2:3], 1)).all()
    with pytest.raises(BadInput, match="5 seeds, groups of 6"):
        together(said, 6)


def test_capacity_goes_from_a_quarter_to_eight_times() -> None:
    sizes = {
        factor: parameters(replace(RECIPE.architecture, hidden=(8, 8)).scaled(width=factor), TRAINING.shape)  # type: ignore[type-var,attr-defined] # a Traced
        for factor in FACTORS
    }
    # 6 inputs, two layers of u units, 2 classes.
    assert sizes == {factor: 6 * u + u + u * u + u + 2 * u + 2 for factor in FACTORS for u in [int(8 * factor)]}
    assert applied("depth_4").architecture == Traced(hidden=(8,) * 4 + (4,) * 4)
    assert applied("depth_half").architecture == Traced(hidden=(8,))
    assert applied("width_quarter").architecture == Traced(hidden=(2, 1))


def test_what_is_unknown_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="Did you mean gradient_clipping"):
        find("gradient_cliping")
    with pytest.raises(BadInput, match="No such remedy"):
        find("dropout+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """An architecture with no settings."""

    uses_xla: bool = False

    def build(self, shape: Shape) -> Any:
        return Traced(hidden=(2,)).build(shape)


def test_a_remedy_that_is_not_for_a_recipe_says_why() -> None:
    bare = replace(RECIPE, architecture=Bare())
    for name in ("batch_norm", "dropout", "width_2"):
        with pytest.raises(BadInput, match=f"{name} is not for this recipe.*Bare"):
            applied(name, bare)
    with pytest.raises(BadInput, match="changes nothing"):
        applied("gradient_clipping", applied("gradient_clipping"))
    alone = TRAINING.domain("north")
    with pytest.raises(BadInput, match="one domain, north"):
        find("domain_balanced").applied(RECIPE, alone)
    names = {remedy.name for remedy in allowed(RemedyContext(recipe=bare, training=alone))}
    assert {"gradient_clipping", "focal", "loss_curated", "seed_ensembling"} <= names
    assert not names & {"batch_norm", "width_2", "domain_balanced"}


def test_every_remedy_cites_its_source() -> None:
    for remedy in REMEDIES.values():
        assert any(str(year) in remedy.source for year in range(1990, 2027)) or "as for" in remedy.source
