from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.baseline.batch import Batch, in_batches
from monitoring.baseline.predictions import Predictions
from monitoring.judging.window.window_sums import AnsweredSums, LabelledSums, WindowSamples
from monitoring.watches.joint import SAMPLE
from monitoring.watches.sampling import sample_indices
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
    scorer, answered, labelled = aggregate([], 2)
    assert answered.rows == labelled.rows == 0
    assert {total.rows for total in scorer.label_sums(labelled.whole).values()} == {0}
    _, _, some = aggregate(list(in_batches(rows_of(10, 1))), 2)
    assert set(scorer.label_sums(labelled.whole)) == set(scorer.label_sums(some.whole))


EMPTY = WATCHED[2][1]

#: How a batch comes: answered alone, with inline labels, or labelled alone; and the shares of usable and labelled rows.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["answered", "with labels", "labelled"]),
        st.sampled_from([0.0, 0.9, 1.0]),
        st.sampled_from([0.0, 0.5, 1.0]),
    ),
    max_size=6,
)


def mask(count: int, share: float, rng: np.random.Generator) -> np.ndarray | None:
    return None if share == 1.0 else rng.random(count) < share


def sampled(parts: list[Predictions]) -> list[str]:
    found: list[tuple[int, str]] = []
    for part in parts:
        found += zip(part.event_times.tolist(), part.ids.to_pylist(), strict=True)
    return sorted(id_ for _, id_ in found)


@settings(deadline=None, max_examples=40)
@given(STEPS, st.integers(0, 10**6))
def test_each_sample_has_exactly_its_own_rows_while_there_are_few(
    steps: list[tuple[str, float, float]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    samples = WindowSamples()
    answered: list[Predictions] = []
    usable: list[Predictions] = []
    labelled: list[Predictions] = []
    for number, (kind, good, known) in enumerate(steps):
        rows = rows_of(40, seed + number)
        batch, fine, with_label = Batch.of(rows), mask(40, good, rng), mask(40, known, rng)
        everything = np.ones(40, dtype=np.bool_)
        if kind == "answered":
            samples.add_answered(batch, fine)
        elif kind == "with labels":
            both = None if fine is None and with_label is None else everything
            for one in (fine, with_label):
                both = both if one is None or both is None else both & one
            samples.add_with_labels(batch, fine, both)
            labelled.append(rows if both is None else rows.take(both))
        else:
            samples.add_labelled(batch, fine)
            labelled.append(rows if fine is None else rows.take(fine))
        if kind != "labelled":
            answered.append(rows)
            usable.append(rows if fine is None else rows.take(fine))
    assert sampled([samples.answered(EMPTY)]) == sampled(answered)
    assert sampled([samples.usable(EMPTY)]) == sampled(usable)
    assert sampled([samples.labelled(EMPTY)]) == sampled(labelled)


def test_sound_windows_are_sampled_once() -> None:
    samples = WindowSamples()
    for seed in range(3):
        samples.add_with_labels(Batch.of(rows_of(400, seed)), None, None)
    answered, *others = (
        sample(EMPTY).ids.to_pylist() for sample in (samples.answered, samples.usable, samples.labelled)
    )
    assert others == [answered, answered]


def test_a_single_unusable_row_separates_the_samples_from_then_on() -> None:
    rows = rows_of(3 * SAMPLE, 5)
    good = np.ones(len(rows), dtype=np.bool_)
    good[0] = False
    samples = WindowSamples()
    samples.add_with_labels(Batch.of(rows), good, good)
    assert len(samples.answered(EMPTY)) == len(samples.usable(EMPTY)) == SAMPLE
    chosen = rows.take(good)
    expected = sorted(chosen.take(sample_indices(chosen, SAMPLE)).ids.to_pylist())
    assert sorted(samples.usable(EMPTY).ids.to_pylist()) == expected
    assert sorted(samples.labelled(EMPTY).ids.to_pylist()) == expected
