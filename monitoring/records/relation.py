"""What changed in the relation of inputs and label: where, and of which inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Sign: TypeAlias = Literal["<", "≥", "=", "≠"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition on one input. A missing value meets ``<`` and ``≠`` alone.

    >>> str(Condition(input="age", sign="≥", value=65.0)), str(Condition(input="shop", sign="=", value="north"))
    ('age ≥ 65', 'shop = north')
    """

    input: str
    sign: Sign
    value: float | str

    def __str__(self) -> str:
        value = f"{self.value:.4g}" if isinstance(self.value, float) else self.value
        return f"{self.input} {self.sign} {value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationRates:
    """Labelled rows: how many, the mean of their labels, and the mean of what the model says of them.

    Of a class the share of rows with it and the mean of its probabilities; of a number both in its own unit.
    """

    rows: int
    label: float
    predicted: float

    @property
    def residual(self) -> float:
        """How far the labels lie above what the model says."""
        return self.label - self.predicted


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationPlace:
    """Some rows in the baseline and since the onset."""

    before: RelationRates
    since: RelationRates

    @property
    def change(self) -> float:
        """How far the residual has moved."""
        return self.since.residual - self.before.residual


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationPoint:
    """The rows with one group of an input's values: a category, or a number from one bound on to the next.

    Attributes:
        value: The category, in text; the lower bound of a group of numbers. None: all other rows, of numbers those
            below the lowest bound and without a value.
    """

    value: float | str | None
    place: RelationPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationChange:
    """How the relation of inputs and label changed since the onset of a harm.

    Attributes:
        output: The class whose share it is about, or the predicted number; empty of an only number.
        is_share: Whether it is about a class.
        inputs: Whose effect on the label changed, the surest first; none where it changed alike everywhere.
        conditions: The rows in which it changed most; none where it did everywhere.
        inside, elsewhere: These rows, all rows where it changed everywhere; and all others.
        error: The standard error of the change inside.
        slopes: Where it changed everywhere by what the model says: how much the label rises with that by one, in the
            baseline and since the onset; 1 where the model is right, 0 where it says nothing.
        is_elsewhere: Whether it changed in the other rows, too, beyond chance.
        p_value: How likely so large a difference between rows is by chance, corrected for all that were compared.
        points: The rows by the values of the first input, for a picture.
        of_errors: Whether it is about how often the likelier of the class and all others is wrong: labels that are
            wrong in either direction leave the class's own share as it was.
    """

    output: str
    is_share: bool
    inputs: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    inside: RelationPlace
    elsewhere: RelationPlace | None = None
    error: float
    slopes: tuple[float, float] | None = None
    is_elsewhere: bool = False
    p_value: float
    points: tuple[RelationPoint, ...] = ()
    of_errors: bool = False
