"""A uniform sample by hashes, and what a budget allows."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.asking.sample import UniformSample, labels_due


def _sample(ids: list[str], most: int, seed: int, cuts: list[int]) -> UniformSample:
    sample, times = UniformSample(most, seed=seed), np.arange(len(ids), dtype=np.int64)
    ends = sorted({0, len(ids), *(min(cut, len(ids)) for cut in cuts)})
    for first, last in itertools.pairwise(ends):
        sample.add(pa.array(ids[first:last]), times[first:last])
    return sample


@given(st.integers(0, 60), st.integers(1, 20), st.integers(0, 2**63 - 1), st.lists(st.integers(0, 60), max_size=4))
def test_batches_change_nothing(rows: int, most: int, seed: int, cuts: list[int]) -> None:
    ids = [f"row {n}" for n in range(rows)]
    whole, cut = _sample(ids, most, seed, []), _sample(ids, most, seed, cuts)
    assert whole.ids.to_pylist() == cut.ids.to_pylist()
    assert len(cut.ids) == min(rows, most)
    assert cut.rows == rows
    assert cut.event_times.tolist() == sorted(cut.event_times.tolist())


def test_each_row_is_as_likely_as_any_other() -> None:
    ids, counts = [f"{n}" for n in range(40)], np.zeros(40)
    for seed in range(4_000):
        counts[[int(name) for name in _sample(ids, 10, seed, []).ids.to_pylist()]] += 1
    expected = 1_000.0
    spread = float(np.sum((counts - expected) ** 2 / (expected * 0.75)))
    assert spread < 80  # chi-squared of 39 degrees of freedom: once in ten thousand


@given(st.integers(1, 500), st.sampled_from([1, 7]), st.lists(st.integers(1, 9), min_size=1, max_size=30))
def test_days_add_up_to_their_budget(labels: int, days: int, steps: list[int]) -> None:
    first = day = date(2026, 1, 5)
    total = 0
    for step in steps:
        total += labels_due(day, day + timedelta(days=step), labels, days)
        day += timedelta(days=step)
    assert total == labels_due(first, day, labels, days)
    assert abs(total - labels * (day - first).days / days) < 1
