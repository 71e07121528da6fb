"""What a baseline is about: the model's inputs and its classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

FeatureKind: TypeAlias = Literal["number", "category"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSpec:
    """One input of the model: a number (missing is NaN or null) or a category (text)."""

    name: str
    kind: FeatureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """What stands for inputs that are tensors: the model's own picture of a row, in a few numbers.

    `tensors` are those inputs, of which live rows have a list each; `columns` are the numbers, which the rows of the
    baseline have and which a live row gets when it is looked at.
    """

    tensors: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSpec:
    """The inputs in the model's order, and the class names in the order of the probabilities.

    `has_probabilities` is false where only predicted classes are known, which then count as certain.
    `columns` are those of the table that the baseline was made of, with their Arrow types; none for a bundle's.
    `embedding` is there for a bundle that takes tensors and gives an embedding of them.

    >>> BaselineSpec(classes=("on_time", "late"), features=(FeatureSpec(name="temp", kind="number"),)).feature(
    ...     "temp"
    ... ).kind
    'number'
    """

    classes: tuple[str, ...]
    features: tuple[FeatureSpec, ...]
    has_probabilities: bool = True
    columns: tuple[tuple[str, str], ...] = ()
    embedding: Embedding | None = None

    def feature(self, name: str) -> FeatureSpec:
        """The input of that name; KeyError if there is none."""
        return {feature.name: feature for feature in self.features}[name]
