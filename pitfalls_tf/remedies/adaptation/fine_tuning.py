"""Fine-tuning on a few labelled rows of the target, after the fit.

Source: Yosinski et al., *How Transferable Are Features in Deep Neural Networks?* (NeurIPS 2014).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pitfalls_tf.fitting.fits import Fits, Member
    from pitfalls_tf.fitting.recipe import Recipe
    from pitfalls_tf.rows.examples import Examples


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuning:
    """Continue training on `rows` labelled target rows, at a tenth of the rate, without penalties or weighting.

    The rows are those of `draw_labelled`, the same for every seed: a score on the target must leave them out. With
    `trained` "logits" only the last layer is updated, which few rows are enough for.
    """

    rows: int = 50
    epochs: int = 20
    slower: float = 0.1
    trained: Literal["all", "normalisation", "logits"] = "all"

    def __call__(self, fits: Fits, training: Examples, target: Examples | None) -> Fits:
        """The same seeds, each with its epochs and these after them."""
        del training
        if target is None:
            raise BadInput(
                "Fine-tuning needs a target.", got="none", expected="rows, a few with labels", fix="Pass target=."
            )
        chosen = target.take(draw_labelled(target, self.rows))
        recipe = replace(
            second_fit_recipe(fits.recipe, epochs=self.epochs, slower=self.slower),
            batch=min(fits.recipe.batch, len(chosen)),
            trained=self.trained,
        )
        return continue_fits(fits, recipe, chosen)


def draw_labelled(target: Examples, rows: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Draw labelled rows, as balanced over the classes as possible. Positions, int64 [rows], ascending."""
    labelled = np.flatnonzero(target.labelled)
    if len(labelled) < rows:
        raise BadInput(
            "The target has fewer labels than the fine-tuning needs.",
            got=f"{len(labelled)} rows with a label",
            expected=f"{rows}",
            fix="Ask for fewer rows.",
        )
    shuffled = np.random.default_rng(seed).permutation(labelled)
    # In turns: the first of every class, then the second of every class, until there are enough.
    turns = np.zeros(len(shuffled), dtype=np.int64)
    for name in np.unique(target.targets[shuffled]):
        of_class = np.flatnonzero(target.targets[shuffled] == name)
        turns[of_class] = np.arange(len(of_class))
    return np.sort(shuffled[np.argsort(turns, kind="stable")[:rows]])


def second_fit_recipe(recipe: Recipe, *, epochs: int, slower: float) -> Recipe:
    """The recipe for a second fit from fitted weights: a constant, lower rate, and no remedy of the first fit."""
    optimiser = replace(
        recipe.optimiser,
        learning_rate=recipe.optimiser.learning_rate * slower,
        warm_up=0.0,
        schedule="constant",
        average=None,
    )
    return replace(
        recipe,
        epochs=epochs,
        optimiser=optimiser,
        penalties=(),
        transforms=(),
        weighting=None,
        post_fit=(),
        stopping=None,
    )


def continue_fits(fits: Fits, recipe: Recipe, rows: Examples) -> Fits:
    """Continue training fitted seeds with another recipe on other rows; they keep the program of the first fit."""
    from pitfalls_tf.fitting import ensemble  # noqa: PLC0415 - loads TensorFlow

    again = ensemble.fit(recipe, rows, seeds=fits.seeds, options=ensemble.FitOptions(start=fits))
    after = dict(zip(again.seeds, again.members, strict=True))
    return fits.map_members(lambda member: _continued(member, after[member.seed]))


def _continued(before: Member, after: Member) -> Member:
    """Weights of the second fit, epochs of both, numbered through."""
    count = len(before.epochs)
    later = tuple(replace(epoch, number=epoch.number + count) for epoch in after.epochs)
    return replace(after, epochs=before.epochs + later, weights_epoch=after.weights_epoch + count)
