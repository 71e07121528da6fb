"""Folds of blocks of consecutive days: which rows are held out together.

Neighbouring days share weather and knock-on delays: with a random split, or one by single days, a model is tested on
storms that it was trained on. Only the two edges of a block are next to training days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Folds:
    """How days are assigned: `count` folds of blocks of `block_days` consecutive days, shuffled by `seed`.

    The seed belongs to the setup, not to a run: every run holds out the same days, so runs can be compared in pairs.
    """

    count: int
    block_days: int
    seed: int


def blocks_of(days: NDArray[np.datetime64], block_days: int) -> NDArray[np.int64]:
    """The block of each day, counted from the first day. Returns int64 [rows], from 0.

    Args:
        days: datetime64[D], shape [rows].

    >>> blocks_of(np.array(["2013-01-01", "2013-01-03", "2013-01-04"], dtype="datetime64[D]"), 3).tolist()
    [0, 0, 1]
    """
    since_first = (days - days.min()).astype(np.int64)
    blocks: NDArray[np.int64] = since_first // block_days
    return blocks


def assign_folds(days: NDArray[np.datetime64], folds: Folds) -> NDArray[np.int64]:
    """The fold of each row; all rows of a day are in one fold. Returns int64 [rows], 0 to `folds.count` - 1.

    Args:
        days: datetime64[D], shape [rows].
    """
    blocks = blocks_of(days, folds.block_days)
    total = int(blocks.max()) + 1
    if total < folds.count:
        raise BadInput(
            "Too few days to hold some out.",
            got=f"{total} blocks of {folds.block_days} days",
            expected=f"at least {folds.count} blocks",
            fix="Train on a longer period, or use fewer folds or shorter blocks.",
        )
    assigned = np.random.default_rng(folds.seed).permutation(total) % folds.count
    fold: NDArray[np.int64] = assigned[blocks]
    return fold
