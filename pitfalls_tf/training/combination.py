"""The recipe with a setup's remedy, in which each of several remedies must still have an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitoring.errors import BadInput
from pitfalls_tf.remedies import catalogue
from pitfalls_tf.remedies.remedy import RemedyContext, unchanged_recipe

if TYPE_CHECKING:
    from pitfalls_tf.fitting.fit_rows import FitRows
    from pitfalls_tf.fitting.recipe import Recipe
    from pitfalls_tf.training.setup import Setup


def recipe_with_remedy(setup: Setup, rows: FitRows) -> Recipe:
    """The setup's recipe, changed by its remedy.

    Args:
        setup: with a remedy or without.

    Raises:
        BadInput: see `Remedy.apply`, and `check_combination`.
    """
    recipe, remedy = setup.recipe, setup.find_remedy()
    if remedy is None:
        return recipe
    changed = remedy.apply(recipe, rows.training, rows.target)
    check_combination(remedy.name, RemedyContext(recipe=recipe, training=rows.training, target=rows.target))
    return changed


def check_combination(names: str, context: RemedyContext) -> None:
    """Refuse remedies of which one has no effect, such as two losses: the later replaces the earlier one.

    Raises:
        BadInput: the recipe with all of them is that without one of them.
    """
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
