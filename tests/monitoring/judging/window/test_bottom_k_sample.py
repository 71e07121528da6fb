from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.baseline.batch import Batch, in_batches
from monitoring.baseline.predictions import Predictions
from monitoring.judging.window.bottom_k_sample import MAX_CANDIDATES, BottomKSample
from monitoring.watches.joint import SAMPLE
from monitoring.watches.sampling import sample_hashes, sample_indices
from tests.monitoring.judging.window.window_rows import WATCHED, rows_of

EMPTY = WATCHED[2][1]


def add(sample: BottomKSample, rows: Predictions, inside: np.ndarray | None = None) -> None:
    sample.add(Batch.of(rows), sample_hashes(rows), inside)


def ids(rows: Predictions) -> list[str]:
    return sorted(rows.ids.to_pylist())


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 3 * SAMPLE),
    st.sampled_from([2, 1000, 10**9]),
    st.lists(st.integers(0, 3 * SAMPLE), max_size=8),
    st.integers(0, 10**6),
)
def test_batches_of_any_size_and_order_are_sampled_as_all_rows_at_once(
    count: int, moments: int, cuts: list[int], seed: int
) -> None:
    rows = rows_of(count, seed, moments=moments)
    order = np.random.default_rng(seed).permutation(count)
    ends = [0, *sorted(min(cut, count) for cut in cuts), count]
    sample = BottomKSample()
    for first, last in itertools.pairwise(ends):
        add(sample, rows.take(order[first:last]))
    assert ids(sample.rows(EMPTY)) == ids(rows.take(sample_indices(rows, SAMPLE)))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 2 * SAMPLE), st.floats(0.0, 1.0), st.integers(0, 10**6))
def test_rows_outside_are_never_sampled_whatever_their_hashes(count: int, share: float, seed: int) -> None:
    rows = rows_of(count, seed, moments=50)
    inside = np.random.default_rng(seed).random(count) < share
    sample = BottomKSample()
    add(sample, rows, inside)
    chosen = rows.take(inside)
    assert ids(sample.rows(EMPTY)) == ids(chosen.take(sample_indices(chosen, SAMPLE)))


def test_a_copy_goes_its_own_way() -> None:
    first, more = rows_of(300, 1), rows_of(500, 2)
    sample = BottomKSample()
    add(sample, first)
    copied = sample.copy()
    add(copied, more)
    assert ids(sample.rows(EMPTY)) == ids(first)
    assert len(copied.rows(EMPTY)) == SAMPLE


def test_reading_the_sample_does_not_end_it() -> None:
    rows = rows_of(4 * SAMPLE, 3)
    sample = BottomKSample()
    for batch in (rows.take(np.arange(first, first + SAMPLE)) for first in range(0, len(rows), SAMPLE)):
        add(sample, batch)
        assert len(sample.rows(EMPTY)) == SAMPLE
    assert ids(sample.rows(EMPTY)) == ids(rows.take(sample_indices(rows, SAMPLE)))


def test_no_rows_are_the_empty_predictions_that_were_given() -> None:
    sample = BottomKSample()
    assert sample.rows(EMPTY) is EMPTY
    add(sample, rows_of(10, 1), np.zeros(10, dtype=np.bool_))
    assert sample.rows(EMPTY) is EMPTY


def test_inputs_whose_types_change_between_batches_come_in_their_final_types() -> None:
    rows = rows_of(60, 4)
    sample = BottomKSample()
    for first, kind in ((0, "float"), (30, "double")):
        batch = rows.take(np.arange(first, first + 30))
        features = batch.features.set_column(0, "x", batch.features["x"].cast(kind))
        one = next(in_batches(batch))
        narrow = Batch(
            event_times=one.event_times,
            features=features,
            probabilities=one.probabilities,
            labels=one.labels,
            label_times=one.label_times,
            ids=one.ids,
        )
        sample.add(narrow, sample_hashes(one), None)
    sampled = sample.rows(EMPTY)
    assert ids(sampled) == ids(rows)
    assert str(sampled.features.schema.field("x").type) == "double"


@pytest.mark.parametrize("batches", [1, 40])
def test_candidates_are_bounded_however_many_rows_come(batches: int) -> None:
    sample = BottomKSample()
    for seed in range(batches):
        add(sample, rows_of(SAMPLE, seed))
        assert sum(len(part) for part in sample._candidates) < MAX_CANDIDATES + SAMPLE
