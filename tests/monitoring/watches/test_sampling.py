"""Samples that depend on event times and ids alone."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from monitoring.baseline.predictions import Predictions
from monitoring.watches.sampling import sample_indices


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
    parts = np.split(np.arange(len(times)), [min(cut, len(times))])
    both = whole.take(np.concatenate([part[sample_indices(whole.take(part), most)] for part in parts]))
    assert set(both.event_times[sample_indices(both, most)]) == set(whole.event_times[sample_indices(whole, most)])


def test_few_rows_are_all_taken() -> None:
    assert sample_indices(rows([5, 3, 4]), 3).tolist() == [0, 1, 2]
    assert sample_indices(rows([]), 3).tolist() == []


def test_a_sample_is_spread_over_time() -> None:
    chosen = sample_indices(rows(list(range(20_000))), 2_000)
    counts = np.histogram(chosen, bins=10, range=(0, 20_000))[0]
    assert counts.min() > 120
    assert counts.max() < 280


#: How ids are written: numbers that follow each other, hashes, and with a country or a day in front.
IDS: dict[str, Callable[[int], str]] = {
    "sequential": str,
    "padded": "{:012d}".format,
    "hashed": lambda place: hashlib.sha256(str(place).encode()).hexdigest()[:32],
    "uuid": lambda place: str(uuid.UUID(int=place * 0x9E3779B97F4A7C15 % 2**128)),
    "country": lambda place: f"{('EU', 'US', 'APAC')[place % 3]}-{place}",
    "of the file": lambda place: f"part-{place // 5_000}.csv:{place % 5_000}",
    "address": lambda place: f"user{place}@example.com",
}

#: Microseconds between the event times that there are: dates alone, whole hours, seconds.
STEPS = {"date": 86_400_000_000, "hour": 3_600_000_000, "second": 1_000_000}


@pytest.mark.parametrize("written", IDS)
@pytest.mark.parametrize("step", STEPS)
def test_a_sample_is_even_over_times_countries_and_places(written: str, step: str) -> None:
    count = 20_000
    places = np.arange(count)
    whole = replace(
        rows([0] * count),
        event_times=(places * 4_320_000) // STEPS[step] * STEPS[step],
        ids=pa.array([IDS[written](place) for place in range(count)]),
    )
    chosen = sample_indices(whole, 2_000)
    for groups in (places * 24 // count, places % 3, places % 7, places % 2):
        size = np.bincount(groups)
        counts = np.bincount(groups[chosen], minlength=size.size)
        assert chisquare(counts, size * (2_000 / count)).pvalue > 1e-4
