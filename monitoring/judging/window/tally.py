"""Sums over rows in whole numbers: addition is exact, so the order of rows does not matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitoring.watches.estimates import ExpectedLoss
from monitoring.watches.scoring import fixed_point, fixed_point_sum

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSum:
    """Losses of some rows and their variances, both summed in fixed point."""

    rows: int
    losses: int
    variances: int

    @classmethod
    def of(cls, expected: ExpectedLoss) -> LossSum:
        """Of each row's own."""
        return cls(
            rows=expected.losses.size,
            losses=fixed_point_sum(expected.losses),
            variances=fixed_point_sum(expected.variances),
        )

    @classmethod
    def alike(cls, rows: int, loss: float, variance: float) -> LossSum:
        """Of rows that all expect the same."""
        one, other = fixed_point(np.array([loss, variance])).tolist()
        return cls(rows=rows, losses=rows * one, variances=rows * other)


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Whole numbers by what they count, int64 arrays of any shape; adding is exact, so no order matters.

    >>> (Tally({"rows": np.array(2)}) + Tally() + Tally({"rows": np.array(3)})).number("rows")
    5
    """

    counts: Mapping[str, Whole] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        if not self.counts or not other.counts:
            return self if self.counts else other
        return Tally({name: count + other.counts[name] for name, count in self.counts.items()})

    def number(self, name: str) -> int:
        """A single number, 0 where nothing was counted."""
        return int(self.counts[name]) if self.counts else 0

    def numbers(self, name: str) -> tuple[int, ...]:
        """Several numbers; none where nothing was counted."""
        return tuple(self.counts[name].reshape(-1).tolist()) if self.counts else ()
