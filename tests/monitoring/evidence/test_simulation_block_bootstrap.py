"""Blocks of consecutive windows, drawn around the circle of the baseline."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.evidence.simulation import block_indices, block_length


@given(st.integers(1, 60), st.integers(1, 60))
def test_indices_are_runs_of_consecutive_windows(count: int, length: int) -> None:
    indices = block_indices(count, 5, np.random.default_rng(0), length=min(length, count))
    assert indices.shape == (5, count)
    assert indices.dtype == np.int64
    assert indices.min() >= 0
    assert indices.max() < count
    inside = np.arange(1, count) % min(length, count) != 0
    steps = np.diff(indices, axis=1)[:, inside]
    assert np.isin(steps, [1, 1 - count]).all()


@given(st.integers(1, 400))
def test_a_block_is_no_longer_than_the_baseline_and_grows_with_its_cube_root(windows: int) -> None:
    length = block_length(windows)
    assert 1 <= length <= windows
    assert length <= block_length(windows + 1)
    if windows > 8:
        assert length == pytest.approx(1.75 * windows ** (1 / 3), abs=0.51)


def test_every_window_is_drawn_equally_often() -> None:
    counts = np.bincount(block_indices(20, 3_000, np.random.default_rng(1)).ravel(), minlength=20)
    assert counts.min() > 0.9 * counts.mean()
    assert counts.max() < 1.1 * counts.mean()


def test_the_same_seed_draws_the_same_blocks_and_another_does_not() -> None:
    one, again, other = (block_indices(30, 4, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert (one == again).all()
    assert (one != other).any()


def test_blocks_keep_the_correlation_of_neighbours_and_single_windows_lose_it() -> None:
    rng = np.random.default_rng(2)
    scores = np.zeros(200)
    for window in range(1, 200):
        scores[window] = 0.8 * scores[window - 1] + rng.normal()

    def lag_one(length: int | None) -> float:
        drawn = scores[block_indices(200, 200, np.random.default_rng(3), length=length)]
        return float(np.mean([np.corrcoef(one[:-1], one[1:])[0, 1] for one in drawn]))

    assert lag_one(None) > 0.5
    assert abs(lag_one(1)) < 0.05
