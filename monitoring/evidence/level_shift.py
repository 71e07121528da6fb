"""Level shifts: a block of a reference's windows that stands out, and AR(1) coefficients that do not take it for one.

Ten bad days in a row of ninety look like strong autocorrelation, and with it a lasting harm like one more swing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import MAX_AR1, Key, estimate_ar1, level_ar1, standard_error

Floats = NDArray[np.float64]

#: A block has so many windows at least; at most so many, and this part of all: what is longer is a season or a level.
SHORTEST_BLOCK = 3
LONGEST_BLOCK = 28
LARGEST_PART = 0.25

#: A block stands out if its mean is so many standard errors from that of the other windows. Its errors are those of an
#: AR(1) process whose coefficient lies `AR1_ERRORS` standard errors above the estimate without the shift. Chosen by
#: simulation: of references without a shift at most 1 in 100 has such a block, at an autocorrelation of .9 at most 2.
BLOCK_ERRORS = 5.5
AR1_ERRORS = 2.0

#: The block's median lies at least so much of its mean's distance away: one far window is no block.
MEDIAN_PART = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelShift:
    """A block of windows at another level than the others.

    Attributes:
        first: The place of its first window.
        end: The place after its last.
        shift: Its mean less that of the others.
        errors: The shift in standard errors.
    """

    first: int
    end: int
    shift: float
    errors: float

    def removed(self, scores: Floats) -> Floats:
        """The scores with the block at the level of the others."""
        level = scores.copy()
        level[self.first : self.end] -= self.shift
        return level


def outstanding_block(scores: Floats) -> LevelShift | None:
    """The block of consecutive windows that stands out from all others, if one does.

    Of all blocks the one is tested whose leaving out lowers the sum of squares most. Cost: half a millisecond for 90
    windows. Source: binary segmentation's statistic, Sen & Srivastava, *On tests for detecting change in mean* (1975),
    with the variance of means of an AR(1) process.

    Args:
        scores: Window scores in order of time, without their seasonality, [R].

    Returns:
        The block; None where none is `BLOCK_ERRORS` standard errors away.

    >>> scores = np.random.default_rng(0).normal(0.25, 0.03, 90)
    >>> outstanding_block(scores) is None
    True
    >>> scores[40:50] += 0.1
    >>> block = outstanding_block(scores)
    >>> (block.first, block.end), round(block.shift, 2)
    ((41, 50), 0.13)
    """
    windows = scores.size
    longest = min(int(windows * LARGEST_PART), LONGEST_BLOCK)
    sums = np.concatenate([[0.0], np.cumsum(scores - scores.mean())])
    gain, first, end = 0.0, 0, 0
    for length in range(SHORTEST_BLOCK, longest + 1):
        gains = np.square(sums[length:] - sums[:-length]) * windows / (length * (windows - length))
        place = int(gains.argmax())
        if gains[place] > gain:
            gain, first, end = float(gains[place]), place, place + length
    if not end:
        return None
    inside, others = scores[first:end], np.delete(scores, slice(first, end))
    shift = float(inside.mean() - others.mean())
    block = LevelShift(first=first, end=end, shift=shift, errors=0.0)
    error = _standard_error(block.removed(scores), inside.size, others.size)
    if abs(shift) < BLOCK_ERRORS * error or (np.median(inside) - others.mean()) / shift < MEDIAN_PART:
        return None
    return LevelShift(first=first, end=end, shift=shift, errors=abs(shift) / error if error else math.inf)


def ar1_without_shift(
    scores: Mapping[Key, Floats], live: Mapping[Key, Sequence[Floats]] | None = None
) -> dict[Key, float]:
    """What `level_ar1` returns, of baseline scores whose blocks at another level are moved to that of the others.

    Blocks are looked for in watches that would have a coefficient above 0 by the baseline alone.

    >>> scores = np.random.default_rng(0).normal(0.25, 0.03, 90)
    >>> scores[40:50] += 0.1
    >>> level_ar1({0: scores})[0] > 0.5, ar1_without_shift({0: scores})[0]
    (True, 0.0)
    """
    coefficients = level_ar1(scores)
    blocks = {key: outstanding_block(scores[key]) for key, ar1 in coefficients.items() if ar1 > 0.0}
    moved = {key: block.removed(scores[key]) for key, block in blocks.items() if block is not None}
    return level_ar1({**scores, **moved}, live) if moved or live else coefficients


def _standard_error(level: Floats, inside: int, others: int) -> float:
    """The standard error of the difference of two means of so many windows; `level`: all windows at one level, [R]."""
    estimate = estimate_ar1(level)
    ar1 = float(np.clip(estimate + AR1_ERRORS * standard_error(estimate, level.size), 0.0, MAX_AR1))
    variance = float(np.square(level - level.mean()).sum()) / (level.size - 2)
    return math.sqrt(variance * (_mean_variance(ar1, inside) + _mean_variance(ar1, others)))


def _mean_variance(ar1: float, count: int) -> float:
    """The variance of the mean of consecutive values of an AR(1) process whose variance is 1."""
    whole = (1.0 + ar1) / (1.0 - ar1)
    return (whole - 2.0 * ar1 * (1.0 - ar1**count) / (count * (1.0 - ar1) ** 2)) / count
