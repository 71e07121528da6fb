"""A subgroup in which a model has got worse than in other rows: its conditions on inputs, and the rise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

#: The watch of an incident that a search for subgroups opened; its slice is the subgroup in words.
SUBGROUP_WATCH: Final = "subgroup"

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
class Subgroup:
    """A subgroup in which the excess of losses has risen more than in all other rows.

    Attributes:
        conditions: What its rows meet, all of them.
        rows: Live rows in it.
        rise: By how much the mean excess of its rows has risen since the baseline.
        others: By how much that of the other rows has.
        error: The standard error of the difference of both.
        p_value: How likely a difference so large is by chance, corrected for the number of subgroups compared.
        watch: Whose values were compared, in its own unit: the surprise of a loss; empty where it is not known.

    >>> str(
    ...     Subgroup(
    ...         conditions=(
    ...             Condition(input="hour", sign="≥", value=18.0),
    ...             Condition(input="shop", sign="=", value="north"),
    ...         ),
    ...         rows=120,
    ...         rise=0.4,
    ...         others=0.0,
    ...         error=0.05,
    ...         p_value=1e-9,
    ...     )
    ... )
    'hour ≥ 18 and shop = north'
    """

    conditions: tuple[Condition, ...]
    rows: int
    rise: float
    others: float
    error: float
    p_value: float
    watch: str = ""

    def __str__(self) -> str:
        return " and ".join(map(str, self.conditions))

    @property
    def excess(self) -> float:
        """By how much more its rows rose than the others."""
        return self.rise - self.others

    def is_within(self, other: Subgroup) -> bool:
        """Whether all of its rows are rows of another subgroup, as its conditions say."""
        return set(other.conditions) <= set(self.conditions)
