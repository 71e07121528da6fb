"""Samples that depend on event times and ids alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.predictions import Predictions
from monitoring.watches.sampling import sample_indices, splitmix64


def rows(times: list[int]) -> Predictions:
    count = len(times)
    return Predictions(
        ids=pa.array([f"{time}:{place}" for place, time in enumerate(times)], pa.string()),
        event_times=np.array(times, dtype=np.int64),
        features=pa.table({"x": np.arange(count, dtype=np.float64)}),
        probabilities=np.full((count, 2), 0.5),
        labels=np.full(count, -1, dtype=np.int64),
        label_times=np.zeros(count, np.int64),
    )


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 40), st.randoms(use_true_random=False))
def test_the_same_rows_are_chosen_in_any_order(times: list[int], most: int, random: object) -> None:
    whole = rows(times)
    chosen = sample_indices(whole, most)
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert len(chosen) == min(most, len(times))
    order = np.random.default_rng(len(times)).permutation(len(times))
    shuffled = whole.take(order)
    again = shuffled.take(sample_indices(shuffled, most))
    assert sorted(again.ids.to_pylist()) == sorted(whole.take(chosen).ids.to_pylist())


@given(st.lists(st.integers(0, 10**9), unique=True, max_size=60), st.integers(0, 60), st.integers(1, 20))
def test_a_sample_of_samples_is_the_sample_of_all(times: list[int], cut: int, most: int) -> None:
    whole = rows(times)
    parts = [whole.take(np.arange(cut)[: len(times)]), whole.take(np.arange(min(cut, len(times)), len(times)))]
    kept = np.concatenate([part.event_times[sample_indices(part, most)] for part in parts])
    both = rows(kept.tolist())
    assert set(both.event_times[sample_indices(both, most)]) == set(whole.event_times[sample_indices(whole, most)])


def test_few_rows_are_all_taken() -> None:
    assert sample_indices(rows([5, 3, 4]), 3).tolist() == [0, 1, 2]
    assert sample_indices(rows([]), 3).tolist() == []


def test_a_sample_is_spread_over_time() -> None:
    chosen = sample_indices(rows(list(range(20_000))), 2_000)
    counts = np.histogram(chosen, bins=10, range=(0, 20_000))[0]
    assert counts.min() > 120
    assert counts.max() < 280


@given(st.lists(st.integers(-(2**62), 2**62), unique=True, min_size=2, max_size=50))
def test_hashes_of_different_numbers_differ(values: list[int]) -> None:
    assert len(set(splitmix64(np.array(values)).tolist())) == len(values)
