"""A remedy: an attempted fix by name, with its source, its requirements, and its change of a recipe or of rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from monitoring.errors import BadInput
from pitfalls_tf.fitting.recipe import Architecture, Recipe
from pitfalls_tf.rows.examples import Examples, Shape

Family = Literal[
    "stabiliser", "loss", "capacity", "preprocessing", "augmentation", "curation", "adaptation", "alignment"
]  # alignment: domain-aligned regularisation over labelled sources
Need = Literal[
    "target", "domains", "times", "images", "batch normalisation", "normalisation", "norm", "dropout", "scaled"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyContext:
    """What a remedy is applied to: a recipe, its training rows, and the rows of a target if there is one."""

    recipe: Recipe
    training: Examples
    target: Examples | None = None


def unchanged_recipe(context: RemedyContext) -> Recipe:
    """The recipe unchanged: for remedies that change only rows or predictions."""
    return context.recipe


def unchanged_rows(context: RemedyContext) -> Callable[[Examples], Examples]:
    """Rows unchanged: for remedies that change only the recipe."""
    del context
    return lambda examples: examples


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """An attempted fix: `apply` gives the recipe to fit, `fit_row_transform` a transform of all rows before the fit.

    source         who proposed it: authors, title or venue, year
    needs          what a context must have, see `refusal`
    change_recipe  gives the recipe with the remedy
    row_transform  fits a transform on training rows and unlabelled target rows, for rows of any role
    seeds          how many consecutive seeds predict together; 1 without ensembling
    """

    name: str
    family: Family
    source: str
    needs: tuple[Need, ...] = ()
    change_recipe: Callable[[RemedyContext], Recipe] = unchanged_recipe
    row_transform: Callable[[RemedyContext], Callable[[Examples], Examples]] = unchanged_rows
    seeds: int = 1

    def apply(self, recipe: Recipe, training: Examples, target: Examples | None = None) -> Recipe:
        """Apply the remedy to a recipe."""
        context = RemedyContext(recipe=recipe, training=training, target=target)
        refusal = self.refusal(context)
        if refusal is not None:
            raise refusal
        return self.change_recipe(context)

    def fit_row_transform(
        self, recipe: Recipe, training: Examples, target: Examples | None = None
    ) -> Callable[[Examples], Examples]:
        """Fit the transform that all rows go through before the fit; no label is used."""
        return self.row_transform(RemedyContext(recipe=recipe, training=training, target=target))

    def refusal(self, context: RemedyContext) -> BadInput | None:
        """Why the remedy cannot be applied to a context; None if it can. Cost: may build the network once."""
        for need in self.needs:
            if (missing := _missing(need, context)) is not None:
                got, expected, fix = missing
                return BadInput(
                    f"{self.name} cannot be applied to this recipe and these rows.", got=got, expected=expected, fix=fix
                )
        # Preprocessing and seed ensembling leave recipes alone.
        if self.change_recipe is not unchanged_recipe and self.change_recipe(context) == context.recipe:
            return BadInput(
                f"{self.name} changes nothing here.",
                got="a recipe that has it already",
                expected="a recipe without it",
                fix="Leave it out, or compare with a recipe without it.",
            )
        return None

    def then(self, other: Remedy) -> Remedy:
        """A remedy that applies this one and then another. `other`: the second remedy."""

        def change_recipe(context: RemedyContext) -> Recipe:
            return other.change_recipe(replace(context, recipe=self.change_recipe(context)))

        def row_transform(context: RemedyContext) -> Callable[[Examples], Examples]:
            first = self.row_transform(context)
            target = None if context.target is None else first(context.target)
            second = other.row_transform(replace(context, training=first(context.training), target=target))
            return lambda examples: second(first(examples))

        same_recipe = self.change_recipe is unchanged_recipe and other.change_recipe is unchanged_recipe
        same_rows = self.row_transform is unchanged_rows and other.row_transform is unchanged_rows
        return Remedy(
            name=f"{self.name}+{other.name}",
            family=self.family,
            source=f"{self.source}; {other.source}",
            needs=tuple(dict.fromkeys((*self.needs, *other.needs))),
            change_recipe=unchanged_recipe if same_recipe else change_recipe,
            row_transform=unchanged_rows if same_rows else row_transform,
            seeds=self.seeds * other.seeds,
        )


def with_setting(architecture: Architecture, **settings: object) -> Architecture:
    """The architecture with some of its settings changed; the remedy's `needs` make sure that it has them."""
    changed: Architecture = replace(architecture, **settings)  # type: ignore[type-var] # a dataclass by its contract
    return changed


def normalisation_kinds(architecture: Architecture, shape: Shape) -> frozenset[str]:
    """The kinds of normalisation in a network: class names of Keras' layers. Cost: builds the network."""
    from pitfalls_tf.fitting.program import NORMALISATION_LAYERS  # noqa: PLC0415 - loads TensorFlow

    layers = architecture.build(shape)._flatten_layers()  # noqa: SLF001 - the only access to inner layers
    return frozenset(type(layer).__name__ for layer in layers if isinstance(layer, NORMALISATION_LAYERS))


Missing = tuple[str, str, str]  # got, expected, fix


def _missing(need: Need, context: RemedyContext) -> Missing | None:
    """What is missing for a need; None if nothing is."""
    if need in {"target", "domains", "times", "images"}:
        return _missing_rows(need, context)
    return _missing_setting(need, context)


def _missing_rows(need: Need, context: RemedyContext) -> Missing | None:
    training = context.training
    if need == "target" and context.target is None:
        return "no target rows", "rows of the domain to adapt to; their labels are not needed", "Pass target=."
    if need == "domains" and len(training.names) < 2:
        return f"one domain, {training.names[0]}", "training rows of two domains or more", "Train on more domains."
    if need == "times" and np.isnat(training.times).any():
        return "rows without a time", "a time for every row", "Choose a source whose rows have times."
    if need == "images" and len(training.shape.inputs) != 3:
        return f"rows of shape {training.shape.inputs}", "images", "Choose a source of images."
    return None


def _missing_setting(need: Need, context: RemedyContext) -> Missing | None:
    architecture = context.recipe.architecture
    name = type(architecture).__name__
    if need in {"batch normalisation", "normalisation"}:
        held = normalisation_kinds(architecture, context.training.shape)
        if not held or (need == "batch normalisation" and "BatchNormalization" not in held):
            got = f"{name} with {' and '.join(sorted(held)) or 'no normalisation'}"
            return got, f"a network with {need}", 'Choose an architecture with norm="batch".'
        return None
    # A field of the dataclass, or the method `scaled`.
    if not hasattr(architecture, need):
        return f"{name} without {need}", f"an architecture with {need}", "Choose another architecture."
    return None
