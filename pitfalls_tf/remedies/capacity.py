"""Capacity: the same family of networks, from a quarter to eight times as wide or as deep.

Wider and deeper as in Zagoruyko and Komodakis, *Wide Residual Networks* (BMVC 2016) and He et al., *Deep Residual
Learning* (CVPR 2016); each architecture's `scaled` says which of its settings change.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, Protocol, cast

from pitfalls_tf.fitting.recipe import Architecture, Recipe
from pitfalls_tf.remedies.remedy import Remedy, RemedyContext

FACTORS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
Direction = Literal["width", "depth"]
SOURCES: Final = {
    "width": "Zagoruyko and Komodakis, Wide residual networks, BMVC 2016",
    "depth": "He et al., Deep residual learning for image recognition, CVPR 2016",
}


class ScalableArchitecture(Protocol):
    """An architecture that comes in sizes."""

    def scaled(self, *, width: float = 1, depth: float = 1) -> Architecture:
        """The architecture with its width and depth multiplied and rounded; at least one unit and one layer."""


def scaled(recipe: Recipe, *, width: float = 1, depth: float = 1) -> Recipe:
    """The recipe with its architecture's width and depth multiplied."""
    architecture = cast("ScalableArchitecture", recipe.architecture).scaled(width=width, depth=depth)
    return replace(recipe, architecture=architecture)


def factor_name(factor: float) -> str:
    """A factor as it is written in a remedy's name.

    >>> factor_name(0.25), factor_name(8.0)
    ('quarter', '8')
    """
    return {0.25: "quarter", 0.5: "half"}.get(factor, f"{factor:g}")


def _remedy(direction: Direction, factor: float) -> Remedy:
    def change(context: RemedyContext) -> Recipe:
        if direction == "width":
            return scaled(context.recipe, width=factor)
        return scaled(context.recipe, depth=factor)

    return Remedy(
        name=f"{direction}_{factor_name(factor)}",
        family="capacity",
        source=SOURCES[direction],
        needs=("scaled",),
        change_recipe=change,
    )


CAPACITIES: Final = tuple(
    _remedy(direction, factor) for direction in ("width", "depth") for factor in FACTORS if factor != 1
)
