"""Variety: whether answers and labelled numbers take many values, or one, from sums that add up in any order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.records import SCORE_ONE
from monitoring.tasks.label_scores import MAX_COLUMNS, VarietyPart
from monitoring.tasks.task import Floats, Whole
from monitoring.watches.scoring import fixed_point_sum

#: Rows are counted by a hash of their values, of so many.
BUCKETS = 64

#: Bits of a 32-bit float that are left out: values that differ by less than one part in 2^15 count as one.
_ROUNDED_BITS = 8
_FACTORS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)


def tally_of(part: VarietyPart, values: Floats, scores: Mapping[str, Floats]) -> Whole:
    """Sums of a part over rows.

    Args:
        values: The rows' values, finite, [n, width].
        scores: Scores in [0, 1], [n], by name.

    Returns:
        Rows by hash, and for each of `MAX_COLUMNS` scores its sum and that of its squares, in fixed point, int64
        [BUCKETS + 2 · MAX_COLUMNS].
    """
    sums = np.zeros(BUCKETS + 2 * MAX_COLUMNS, dtype=np.int64)
    sums[:BUCKETS] = np.bincount(_hashes(values, part.columns), minlength=BUCKETS)
    for place, name in enumerate(part.scores):
        sums[BUCKETS + 2 * place] = fixed_point_sum(scores[name])
        sums[BUCKETS + 2 * place + 1] = fixed_point_sum(scores[name] ** 2)
    return sums


def _hashes(values: Floats, columns: tuple[int, ...]) -> NDArray[np.uint32]:
    hashes = np.zeros(len(values), dtype=np.uint32)
    for column, factor in zip(columns, _FACTORS, strict=False):
        with np.errstate(over="ignore"):
            bits = values[:, column].astype(np.float32).view(np.uint32)
        bits += np.uint32(1 << (_ROUNDED_BITS - 1))
        bits >>= np.uint32(_ROUNDED_BITS)
        bits *= np.uint32(factor)
        hashes ^= bits
    hashes *= np.uint32(_FACTORS[0])
    hashes >>= np.uint32(32 - (BUCKETS - 1).bit_length())
    return hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class Variety:
    """What a tally of one part says. `commonest`: the rows of the commonest hash."""

    rows: int
    commonest: int
    means: tuple[float, ...]
    deviations: tuple[float, ...]

    @classmethod
    def of(cls, part: VarietyPart, tally: Whole) -> Variety:
        """From a tally.

        >>> part = VarietyPart(name="", columns=(0,), scores=("p",))
        >>> values = np.array([[0.25], [0.25], [0.75], [0.25]])
        >>> Variety.of(part, tally_of(part, values, {"p": values[:, 0]}))
        Variety(rows=4, commonest=3, means=(0.375,), deviations=(0.21650635094610965,))
        """
        rows = int(tally[:BUCKETS].sum())
        sums = tally[BUCKETS:].tolist()
        means, deviations = [], []
        for place in range(len(part.scores)):
            total, squares = sums[2 * place], sums[2 * place + 1]
            variance = (squares * SCORE_ONE * rows - total * total) / max(rows * SCORE_ONE, 1) ** 2
            means.append(total / max(rows * SCORE_ONE, 1))
            deviations.append(max(variance, 0.0) ** 0.5)
        return cls(rows=rows, commonest=int(tally[:BUCKETS].max()), means=tuple(means), deviations=tuple(deviations))
