"""Folds: whole blocks of days, each row in exactly one, the same for every run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from pitfalls_tf.rows.folds import Folds, assign_folds, blocks_of

FIRST = np.datetime64("2013-01-01", "D")
offsets = st.lists(st.integers(0, 60), min_size=1, max_size=80).map(lambda days: [0, 60, *days])


@given(offsets=offsets, count=st.integers(2, 6), block_days=st.integers(1, 7), seed=st.integers(0, 5))
def test_every_row_is_in_one_fold_together_with_its_block(
    offsets: list[int], count: int, block_days: int, seed: int
) -> None:
    days = FIRST + np.array(offsets)
    fold = assign_folds(days, Folds(count=count, block_days=block_days, seed=seed))
    assert set(fold) <= set(range(count))
    blocks = blocks_of(days, block_days)
    for block in np.unique(blocks):
        assert len(set(fold[blocks == block])) == 1
        inside = days[blocks == block]
        assert (inside.max() - inside.min()).astype(int) < block_days


@given(count=st.integers(2, 6), block_days=st.integers(1, 7), seed=st.integers(0, 5))
def test_folds_are_of_nearly_equal_length_and_none_is_empty(count: int, block_days: int, seed: int) -> None:
    days = FIRST + np.arange(90)
    fold = assign_folds(days, Folds(count=count, block_days=block_days, seed=seed))
    sizes = np.bincount(fold, minlength=count)
    assert sizes.min() > 0
    assert sizes.max() - sizes.min() < 2 * block_days


def test_the_seed_decides_and_neighbours_are_shuffled() -> None:
    days = FIRST + np.arange(90)
    folds = Folds(count=5, block_days=3, seed=2013)
    assert (assign_folds(days, folds) == assign_folds(days, folds)).all()
    assert (assign_folds(days, folds) != assign_folds(days, Folds(count=5, block_days=3, seed=2014))).any()
    assert (np.diff(assign_folds(days, folds)[::3]) != 1).any()


def test_too_few_days_are_refused() -> None:
    with pytest.raises(BadInput, match="2 blocks of 3 days"):
        assign_folds(FIRST + np.arange(6), Folds(count=5, block_days=3, seed=0))
