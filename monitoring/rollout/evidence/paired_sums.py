"""What a window of paired rows says about two versions, as sums of whole numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.records import SCORE_ONE

#: The bets: what share of the largest admissible bet is placed on every row. Fixed for good, so that no bet can depend
#: on a label. Small bets find small differences in many rows, large ones large differences in few.
BETS = tuple(0.9 * 0.6**step for step in range(10))

#: Rows whose logarithms are taken at once.
_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedSums:
    """Sums over rows of x, the difference of a bounded measure between the candidate and the champion.

    x lies in [-1, 1], in units of the comparison's scale: a positive x is a row on which the candidate has the larger
    loss. All sums are whole numbers, multiples of 2^-32, so that the order of rows, batches and processes changes
    nothing, to the last bit.

    A row whose label did not come counts with x = 0, and the largest difference that a label could make is part of
    `unknown`. So is what a difference exceeds the scale by. Where labels are asked for of some rows only, each with a
    known probability, a row's weight is that probability, and rows that were not chosen have x = 0.

    >>> sums = PairedSums.of(np.array([1.0, -0.5, 0.0]))
    >>> sums.rows, sums.labelled, round(sums.mean, 4)
    (3, 3, 0.1667)
    >>> (sums + sums).rows, (sums + sums).mean == sums.mean
    (6, True)
    >>> PairedSums.from_list(sums.as_list()) == sums
    True

    Attributes:
        labelled: Rows whose x is known by their label.
        disagreements: Rows whose x may differ from 0, whatever the label.
        sampled: Of these, rows whose label was asked for: all of them, or a sample.
        missing: Of the sampled ones, rows whose label did not come.
        unknown: The sum of the largest differences of those, and of what lies beyond the scale.
        rising: For each bet b the sum of log(1 + b x).
        falling: For each bet b the sum of log(1 - b x).
    """

    rows: int = 0
    weight: int = 0
    labelled: int = 0
    disagreements: int = 0
    sampled: int = 0
    missing: int = 0
    unknown: int = 0
    total: int = 0
    squares: int = 0
    rising: tuple[int, ...] = (0,) * len(BETS)
    falling: tuple[int, ...] = (0,) * len(BETS)

    @classmethod
    def of(
        cls,
        differences: NDArray[np.float64],
        largest: NDArray[np.float64] | None = None,
        *,
        scale: float = 1.0,
        probability: float = 1.0,
        chosen: NDArray[np.bool_] | None = None,
    ) -> PairedSums:
        """The sums of some rows.

        Args:
            differences: The candidate's measure less the champion's, in [-1, 1], [n]; NaN for a row without a label.
            largest: The largest absolute difference that any label could make, known without it, [n]; None: 1 each.
            scale: What counts as a difference of 1; a larger one is clipped, and what is cut off is `unknown`.
            probability: With which probability a row's label was asked for.
            chosen: Of which rows the label was asked for, [n]; None for all.
        """
        has_label = ~np.isnan(differences)
        bound = np.ones(differences.size) if largest is None else largest
        sampled = np.ones(differences.size, dtype=np.bool_) if chosen is None else chosen
        scaled = np.where(has_label & sampled, np.nan_to_num(differences, nan=0.0), 0.0) / scale
        x = np.clip(scaled, -1.0, 1.0)
        beyond = np.where(has_label, np.abs(scaled) - np.abs(x), bound / scale)
        rows, labelled = int(differences.size), int(np.count_nonzero(has_label & sampled))
        unit = round(probability * SCORE_ONE)
        rising, falling = _log_sums(x[x != 0.0])
        return cls(
            rows=rows,
            weight=rows * unit,
            labelled=labelled,
            disagreements=int(np.count_nonzero(bound)),
            sampled=int(np.count_nonzero(sampled & (bound > 0.0))),
            missing=int(np.count_nonzero(sampled & ~has_label & (bound > 0.0))),
            unknown=_whole(beyond[sampled]),
            total=_whole(x),
            squares=_whole(x * x),
            rising=rising,
            falling=falling,
        )

    def __add__(self, other: PairedSums) -> PairedSums:
        return PairedSums.merged((self, other))

    @classmethod
    def merged(cls, parts: Iterable[PairedSums]) -> PairedSums:
        """The sums over the rows of several parts; over no part they are 0."""
        several = tuple(parts)
        sums: dict[str, Any] = {name: sum(getattr(part, name) for part in several) for name in cls.__slots__[:-2]}
        for name in cls.__slots__[-2:]:
            columns = zip(*(getattr(part, name) for part in several), strict=True)
            sums[name] = tuple(map(sum, columns)) or (0,) * len(BETS)
        return cls(**sums)

    @property
    def mean(self) -> float:
        """The mean of x by weight; 0 without rows."""
        return self.total / self.weight if self.weight else 0.0

    @property
    def known_weight(self) -> float:
        """The weight of which the known rows would be the whole, if the missing ones are like them."""
        return self.weight * (1.0 - self.missing / self.sampled) if self.sampled else float(self.weight)

    @property
    def unknown_share(self) -> float:
        """How far from 0 the rows without a label could move the mean, each way; 0 without rows."""
        return self.unknown / self.weight if self.weight else 0.0

    @property
    def variance(self) -> float:
        """The mean of x² less the square of its mean; 0 without rows."""
        return max(self.squares / self.weight - self.mean**2, 0.0) if self.weight else 0.0

    def as_list(self) -> list[Any]:
        """The sums as JSON, in the order of the attributes."""
        return [list(part) if isinstance(part, tuple) else part for part in (getattr(self, n) for n in self.__slots__)]

    @classmethod
    def from_list(cls, document: list[Any]) -> PairedSums:
        """The inverse of `as_list`; TypeError or ValueError for another list."""
        values = [tuple(map(int, part)) if isinstance(part, list) else int(part) for part in document]
        return cls(**dict(zip(cls.__slots__, values, strict=True)))  # type: ignore[arg-type]  # in the same order


def _whole(values: NDArray[np.float64]) -> int:
    """A sum in multiples of 2^-32; each value, at most 4 in size, is rounded by itself."""
    return int(np.rint(values * SCORE_ONE).astype(np.int64).sum())


def _log_sums(x: NDArray[np.float64]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """For each bet the sums of log(1 + b x) and of log(1 - b x), of values [n] in [-1, 1]."""
    bets = np.asarray(BETS)[:, None]
    values, counts = x, np.ones(x.size, dtype=np.int64)
    if x.size > _AT_ONCE:  # 0/1 losses have two values
        distinct, times = np.unique(x, return_counts=True)
        values, counts = (distinct, times) if distinct.size < x.size // 8 else (values, counts)
    rising, falling = np.zeros(len(BETS), dtype=np.int64), np.zeros(len(BETS), dtype=np.int64)
    for first in range(0, values.size, _AT_ONCE):
        part, times = values[first : first + _AT_ONCE], counts[first : first + _AT_ONCE]
        rising += (_whole_logs(bets * part) * times).sum(axis=1)
        falling += (_whole_logs(-bets * part) * times).sum(axis=1)
    return tuple(rising.tolist()), tuple(falling.tolist())


def _whole_logs(changes: NDArray[np.float64]) -> NDArray[np.int64]:
    logs: NDArray[np.int64] = np.rint(np.log1p(changes) * SCORE_ONE).astype(np.int64)
    return logs
