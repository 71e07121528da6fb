"""A remedy: an attempted fix by name, with its source, what it needs, and what it makes of a recipe."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from pitfalls_tf.fitting.recipe import Architecture, Recipe
    from pitfalls_tf.rows.examples import Examples, Shape

Family = Literal[
    "stabiliser", "loss", "capacity", "preprocessing", "curation", "adaptation", "alignment"
]  # alignment: domain-aligned regularisation over labelled sources
Need = Literal["target", "domains", "times", "batch normalisation", "normalisation", "norm", "dropout", "scaled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyContext:
    """What a remedy is asked to mend: a recipe, the rows it trains on, and the rows of a target if there is one."""

    recipe: Recipe
    training: Examples
    target: Examples | None = None


def unchanged_recipe(context: RemedyContext) -> Recipe:
    """The recipe as it is: for remedies that change rows or predictions alone."""
    return context.recipe


def unchanged_rows(context: RemedyContext) -> Callable[[Examples], Examples]:
    """Rows as they are: for remedies that change the recipe alone."""
    del context
    return lambda examples: examples


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """An attempted fix. Call `applied` for the recipe to fit and `prepared` for what is done to all rows before.

    source  who proposed it: authors, title or venue, year
    needs   what a context must have; see `refusal`
    change  the recipe with the remedy in it
    rows    what is fitted on the training rows (and unlabelled target rows) and then applied to rows of any part
    seeds   how many consecutive seeds predict together, see `stabilisers.together`; 1 but for seed ensembling
    """

    name: str
    family: Family
    source: str
    needs: tuple[Need, ...] = ()
    change: Callable[[RemedyContext], Recipe] = unchanged_recipe
    rows: Callable[[RemedyContext], Callable[[Examples], Examples]] = unchanged_rows
    seeds: int = 1

    def applied(self, recipe: Recipe, training: Examples, target: Examples | None = None) -> Recipe:
        """The recipe with this remedy, for `ensemble.fit(…, training, target=target)`.

        Raises:
            BadInput: the source or the architecture does not allow it, or it changes nothing.
        """
        context = RemedyContext(recipe=recipe, training=training, target=target)
        refusal = self.refusal(context)
        if refusal is not None:
            raise refusal
        return self.change(context)

    def prepared(
        self, recipe: Recipe, training: Examples, target: Examples | None = None
    ) -> Callable[[Examples], Examples]:
        """What to do to training, validation and target rows alike before the fit; no label is looked at."""
        return self.rows(RemedyContext(recipe=recipe, training=training, target=target))

    def refusal(self, context: RemedyContext) -> BadInput | None:
        """Why this remedy cannot be used here, or None. Cost: may build the network once."""
        for need in self.needs:
            if (missing := _missing(need, context)) is not None:
                got, expected, fix = missing
                return BadInput(
                    f"{self.name} is not for this recipe and these rows.", got=got, expected=expected, fix=fix
                )
        # Preprocessing and seed ensembling leave recipes alone.
        if self.change is not unchanged_recipe and self.change(context) == context.recipe:
            return BadInput(
                f"{self.name} changes nothing here.",
                got="a recipe that has it already",
                expected="a recipe without it",
                fix="Leave it out, or compare with a recipe that is without.",
            )
        return None

    def then(self, other: Remedy) -> Remedy:
        """Both, this one first; its name is `this+other`."""

        def change(context: RemedyContext) -> Recipe:
            return other.change(replace(context, recipe=self.change(context)))

        def rows(context: RemedyContext) -> Callable[[Examples], Examples]:
            first = self.rows(context)
            target = None if context.target is None else first(context.target)
            second = other.rows(replace(context, training=first(context.training), target=target))
            return lambda examples: second(first(examples))

        untouched = self.change is unchanged_recipe and other.change is unchanged_recipe
        return Remedy(
            name=f"{self.name}+{other.name}",
            family=self.family,
            source=f"{self.source}; {other.source}",
            needs=tuple(dict.fromkeys((*self.needs, *other.needs))),
            change=unchanged_recipe if untouched else change,
            rows=unchanged_rows if self.rows is unchanged_rows and other.rows is unchanged_rows else rows,
            seeds=self.seeds * other.seeds,
        )


def with_setting(architecture: Architecture, **settings: object) -> Architecture:
    """The architecture with these of its settings changed; `needs` has seen to it that they are there."""
    changed: Architecture = replace(architecture, **settings)  # type: ignore[type-var] # a dataclass by its contract
    return changed


def normalisation_kinds(architecture: Architecture, shape: Shape) -> frozenset[str]:
    """The kinds of normalisation its network holds: class names of Keras' layers. Cost: builds the network."""
    from pitfalls_tf.fitting.program import NORMALISATION_LAYERS  # noqa: PLC0415 - loads TensorFlow

    layers = architecture.build(shape)._flatten_layers()  # noqa: SLF001 - the one way to every inner layer
    return frozenset(type(layer).__name__ for layer in layers if isinstance(layer, NORMALISATION_LAYERS))


Missing = tuple[str, str, str]  # what is there instead, what was expected, how to mend it


def _missing(need: Need, context: RemedyContext) -> Missing | None:
    """None when it is there."""
    if need in {"target", "domains", "times"}:
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
