"""How many runs an experiment makes: the full grid, or a quick one that is a smoke test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

Option = TypeVar("Option")

FIRST_FRESH: Final = 10_000  # seeds of fresh runs begin here; no first run has such a seed


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSize:
    """Size of an experiment's grid.

    Attributes:
        quick: fewer seeds, rows and epochs, for a smoke test of a minute or two.
        seeds: number of seeds per setup; None for the experiment's own number.
        fresh_domains: number of fresh domains of fresh runs; None for the domains of first runs.
    """

    quick: bool = False
    seeds: int | None = None
    fresh_domains: int | None = None

    @property
    def fresh_seeds(self) -> range:
        """Seeds of fresh runs.

        >>> GridSize(seeds=3).fresh_seeds
        range(10000, 10003)
        """
        return range(FIRST_FRESH, FIRST_FRESH + (self.seeds or 0))

    def choose(self, *, full: Option, quick: Option) -> Option:
        """Select the value for this size.

        >>> GridSize(quick=True).choose(full=30, quick=4)
        4
        """
        return quick if self.quick else full

    def seed_numbers(self, *, full: int, quick: int) -> range:
        """Seeds of first runs. Returns seeds 0 to n - 1, where n is `seeds` if it is set.

        >>> GridSize(seeds=3).seed_numbers(full=20, quick=4)
        range(0, 3)
        """
        return range(self.choose(full=full, quick=quick) if self.seeds is None else self.seeds)
