"""Stabilisers: remedies for results that depend on the seed, each with the settings of its source."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Final

from pitfalls_tf.fitting.recipe import CrossEntropy, Recipe
from pitfalls_tf.remedies.remedy import Remedy, RemedyContext, with_setting

ENSEMBLED: Final = 5  # Lakshminarayanan et al. use 5 networks in most of their experiments
BATCH_FACTOR: Final = 4


def clipped(context: RemedyContext) -> Recipe:
    """The recipe with the norm of the whole gradient clipped at 1."""
    recipe = context.recipe
    return replace(recipe, optimiser=replace(recipe.optimiser, clip_norm=1.0))


def warmed_up(context: RemedyContext) -> Recipe:
    """The recipe with a linear warm-up over a tenth of the steps, then half a cosine."""
    recipe = context.recipe
    return replace(recipe, optimiser=replace(recipe.optimiser, warm_up=0.1, schedule="cosine"))


def averaged(context: RemedyContext) -> Recipe:
    """The recipe with a moving average of the weights, decay .99: .999 is too slow for hundreds of steps."""
    recipe = context.recipe
    return replace(recipe, optimiser=replace(recipe.optimiser, average=0.99))


def decayed(context: RemedyContext) -> Recipe:
    """The recipe with AdamW and decoupled weight decay of .01."""
    recipe = context.recipe
    return replace(recipe, optimiser=replace(recipe.optimiser, kind="adamw", weight_decay=0.01))


def batch_normalised(context: RemedyContext) -> Recipe:
    """The recipe with batch normalisation in every block."""
    recipe = context.recipe
    return replace(recipe, architecture=with_setting(recipe.architecture, norm="batch"))


def layer_normalised(context: RemedyContext) -> Recipe:
    """The recipe with layer normalisation in every block."""
    recipe = context.recipe
    return replace(recipe, architecture=with_setting(recipe.architecture, norm="layer"))


def smoothed(context: RemedyContext) -> Recipe:
    """The recipe with a label smoothing of .1."""
    return replace(context.recipe, loss=CrossEntropy(smoothing=0.1))


def larger_batch(context: RemedyContext) -> Recipe:
    """Multiply the batch by four, and the learning rate by four for SGD, by two for Adam and AdamW.

    The number of epochs stays, so there is a quarter of the steps.
    """
    recipe = context.recipe
    factor = BATCH_FACTOR if recipe.optimiser.kind == "sgd" else BATCH_FACTOR**0.5
    optimiser = replace(recipe.optimiser, learning_rate=recipe.optimiser.learning_rate * factor)
    return replace(recipe, batch=recipe.batch * BATCH_FACTOR, optimiser=optimiser)


def dropped_out(context: RemedyContext) -> Recipe:
    """The recipe with a dropout of .5."""
    recipe = context.recipe
    return replace(recipe, architecture=with_setting(recipe.architecture, dropout=0.5))


STABILISERS: Final = (
    Remedy(
        name="gradient_clipping",
        family="stabiliser",
        source="Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, ICML 2013",
        change_recipe=clipped,
    ),
    Remedy(
        name="warm_up_cosine",
        family="stabiliser",
        source="Goyal et al., Accurate, large minibatch SGD, 2017; Loshchilov and Hutter, SGDR, ICLR 2017",
        change_recipe=warmed_up,
    ),
    Remedy(
        name="weight_averaging",
        family="stabiliser",
        source="Polyak and Juditsky, Acceleration of stochastic approximation by averaging, SIAM J. Control 1992",
        change_recipe=averaged,
    ),
    Remedy(
        name="adamw",
        family="stabiliser",
        source="Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019",
        change_recipe=decayed,
    ),
    Remedy(
        name="batch_norm",
        family="stabiliser",
        source="Ioffe and Szegedy, Batch normalization, ICML 2015",
        needs=("norm",),
        change_recipe=batch_normalised,
    ),
    Remedy(
        name="layer_norm",
        family="stabiliser",
        source="Ba, Kiros and Hinton, Layer normalization, 2016",
        needs=("norm",),
        change_recipe=layer_normalised,
    ),
    Remedy(
        name="label_smoothing",
        family="stabiliser",
        source="Szegedy et al., Rethinking the Inception architecture for computer vision, CVPR 2016",
        change_recipe=smoothed,
    ),
    Remedy(
        name="larger_batch",
        family="stabiliser",
        source="Goyal et al., Accurate, large minibatch SGD, 2017; Malladi et al., On the SDEs and scaling rules for"
        " adaptive gradient algorithms, NeurIPS 2022",
        change_recipe=larger_batch,
    ),
    Remedy(
        name="dropout",
        family="stabiliser",
        source="Srivastava et al., Dropout, JMLR 2014",
        needs=("dropout",),
        change_recipe=dropped_out,
    ),
    Remedy(
        name="seed_ensembling",
        family="stabiliser",
        source="Lakshminarayanan, Pritzel and Blundell, Simple and scalable predictive uncertainty estimation using"
        " deep ensembles, NeurIPS 2017",
        seeds=ENSEMBLED,
    ),
)


def pairs() -> tuple[Remedy, ...]:
    """Every pair of stabilisers but the two norms, of which the second would replace the first."""
    return tuple(
        first.then(other)
        for first, other in combinations(STABILISERS, 2)
        if not ("norm" in first.needs and "norm" in other.needs)
    )
