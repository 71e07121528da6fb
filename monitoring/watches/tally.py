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
    """The estimated losses of some rows, summed.

    Attributes:
        losses: The sum of their expected losses, in fixed point.
        variances: The sum of the variances of their losses, in fixed point.
    """

    rows: int
    losses: int
    variances: int

    @classmethod
    def of(cls, expected: ExpectedLoss) -> LossSum:
        """The sum over rows with an expected loss each."""
        return cls(
            rows=expected.losses.size,
            losses=fixed_point_sum(expected.losses),
            variances=fixed_point_sum(expected.variances),
        )

    @classmethod
    def constant(cls, rows: int, loss: float, variance: float) -> LossSum:
        """The sum over rows that all have the same expected loss and variance, both in [0, 1].

        >>> LossSum.constant(2, 0.5, 0.25)
        LossSum(rows=2, losses=4294967296, variances=2147483648)
        """
        row_loss, row_variance = fixed_point(np.array([loss, variance])).tolist()
        return cls(rows=rows, losses=rows * row_loss, variances=rows * row_variance)


def _exact_sum(some: Whole, others: Whole) -> Whole:
    """The sum of two arrays of one shape, as Python's own numbers where some of it does not fit into 64 bits."""
    total = np.asarray(some + others)
    if total.dtype == object:
        return total
    if (((some ^ total) & (others ^ total)) < 0).any():  # both have another sign than their sum
        return np.asarray(some.astype(object) + others.astype(object))
    return total


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Named sums over rows, arrays of whole numbers of any shape. The tally of no rows has no names, and adds nothing.

    Arrays are int64 until a sum would not fit: some 2^31 rows of full score. From there on they hold Python's own whole
    numbers, which have no bound.

    >>> (Tally({"rows": np.array(2)}) + Tally() + Tally({"rows": np.array(3)})).number("rows")
    5
    >>> most = Tally({"losses": np.array([2**63 - 1])})
    >>> (most + most).numbers("losses") == (2**64 - 2,)
    True
    """

    counts: Mapping[str, Whole] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        if not self.counts or not other.counts:
            return self if self.counts else other
        return Tally({name: _exact_sum(count, other.counts[name]) for name, count in self.counts.items()})

    def number(self, name: str) -> int:
        """A single sum; 0 in the tally of no rows."""
        return int(self.counts[name]) if self.counts else 0

    def numbers(self, name: str) -> tuple[int, ...]:
        """An array of sums, flat; empty in the tally of no rows."""
        return tuple(self.counts[name].reshape(-1).tolist()) if self.counts else ()
