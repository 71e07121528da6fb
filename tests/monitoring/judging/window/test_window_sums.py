from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.baseline.batch import Batch
from monitoring.judging.window.window_sums import AnsweredSums, LabelledSums
from tests.monitoring.judging.window.window_rows import WATCHED, aggregate, rows_of


def as_numbers(answered: AnsweredSums, labelled: LabelledSums) -> object:
    return (
        (answered.rows, answered.newest, answered.counts, labelled.rows, labelled.delays),
        [{name: count.tolist() for name, count in t.counts.items()} for t in (answered.tally, labelled.whole)],
        [sorted(s.ids.to_pylist()) for s in (answered.sample, answered.usable, labelled.usable)],
    )


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 1500),
    st.sampled_from([2, 3]),
    st.sampled_from([3, 10**9]),
    st.lists(st.integers(0, 1500), max_size=6),
    st.integers(0, 10**6),
)
def test_batches_of_any_size_in_any_order_have_the_same_aggregates_to_the_last_bit(
    count: int, classes: int, moments: int, cuts: list[int], seed: int
) -> None:
    rows = rows_of(count, seed, classes, moments=moments)
    whole = aggregate([Batch.of(rows)], classes)
    order = np.random.default_rng(seed).permutation(count)
    ends = sorted({0, count, *(cut for cut in cuts if cut < count)})
    parts = [Batch.of(rows.take(order[a:b])) for a, b in itertools.pairwise(ends)]
    assert as_numbers(*aggregate(parts, classes)[1:]) == as_numbers(*whole[1:])
    assert as_numbers(*aggregate(parts, classes, inline=False)[1:]) == as_numbers(*whole[1:])


def test_a_window_without_rows_has_every_sum_over_no_rows() -> None:
    watched, _ = WATCHED[2]
    scorer, answered, labelled = aggregate([], 2)
    assert answered.rows == labelled.rows == 0
    assert {total.rows for total in scorer.label_sums(labelled.whole).values()} == {0}
    assert set(scorer.label_sums(labelled.whole)) == set(watched.label_sums(rows_of(10, 1)))
