from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.baseline.batch import Batch, in_batches
from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import NO_LABEL, Predictions, no_predictions
from monitoring.baseline.profile import fit_bins
from monitoring.baseline.profile_builder import ProfileBuilder, profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.judging.window.row_scorer import METRICS, RowScorer
from monitoring.judging.window.window_sums import AnsweredSums, LabelledSums, WindowAggregator
from monitoring.watches import estimates, integrity, performance
from monitoring.watches.catalogue import Catalogue, catalogue, labelled_rows
from monitoring.watches.joint import SAMPLE
from monitoring.watches.sampling import sample_indices
from monitoring.watches.scoring import fixed_point, fixed_point_sum

WORDS = ("a", "b", "c", "new")


def rows_of(count: int, seed: int, classes: int = 2, *, moments: int = 10**9) -> Predictions:
    """Some rows without an answer that is a number, some without a label, many of one time."""
    rng = np.random.default_rng(seed)
    answers = rng.random((count, classes))
    answers /= answers.sum(axis=1, keepdims=True)
    answers[rng.random(count) < 0.1] = np.nan
    labels = rng.integers(0, classes, count)
    labels[rng.random(count) < 0.3] = NO_LABEL
    number = rng.normal(size=count)
    number[rng.random(count) < 0.1] = np.nan
    words = [None if rng.random() < 0.1 else WORDS[place] for place in rng.integers(0, 4, count)]
    times = rng.integers(0, moments, count)
    return Predictions(
        ids=pa.array([f"row-{place}" for place in rng.permutation(count)], pa.string()),
        event_times=times,
        features=pa.table(
            {"x": pa.array(number), "z": pa.array(rng.normal(size=count)), "w": pa.array(words, pa.string())}
        ),
        probabilities=answers,
        labels=labels,
        label_times=times,
    )


def spec_of(classes: int) -> BaselineSpec:
    return BaselineSpec(
        classes=tuple("abcdefghij"[:classes]),
        features=(
            FeatureSpec(name="x", kind="number"),
            FeatureSpec(name="z", kind="number"),
            FeatureSpec(name="w", kind="category"),
        ),
    )


def catalogue_of(classes: int) -> tuple[Catalogue, Predictions]:
    spec, reference = spec_of(classes), rows_of(1500, 7, classes)
    bins = fit_bins(reference, spec)
    found = Baseline(spec=spec, bins=bins, profile=profile(reference, bins), rows=InMemoryReference(reference))
    return catalogue(found, ("w",)), no_predictions(spec)


WATCHED = {classes: catalogue_of(classes) for classes in (2, 3)}


def gathered(rows: list[Batch], classes: int, *, beside: bool = True) -> tuple[RowScorer, AnsweredSums, LabelledSums]:
    watched, empty = WATCHED[classes]
    scorer = RowScorer(watched, threshold=0.7, most_classes=10)
    found = WindowAggregator(scorer, ProfileBuilder(watched.bins))
    for batch in rows:
        found.add_answered(batch, 0 if beside else None)
    if not beside:
        for batch in rows:
            known = np.flatnonzero(batch.labels != NO_LABEL)
            found.add_labelled(Batch.of(batch.take(known)), 0)
    return scorer, *found.result(empty)


def told(answered: AnsweredSums, labelled: LabelledSums) -> object:
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
def test_batches_of_any_size_in_any_order_come_to_the_same_to_the_last_bit(
    count: int, classes: int, moments: int, cuts: list[int], seed: int
) -> None:
    rows = rows_of(count, seed, classes, moments=moments)
    whole = gathered([Batch.of(rows)], classes)
    order = np.random.default_rng(seed).permutation(count)
    ends = sorted({0, count, *(cut for cut in cuts if cut < count)})
    parts = [Batch.of(rows.take(order[a:b])) for a, b in itertools.pairwise(ends)]
    assert told(*gathered(parts, classes)[1:]) == told(*whole[1:])
    assert told(*gathered(parts, classes, beside=False)[1:]) == told(*whole[1:])


@pytest.mark.parametrize("classes", [2, 3])
def test_what_is_expected_of_rows_counted_by_their_bins_is_the_sum_over_each(classes: int) -> None:
    rows = rows_of(3000, 2, classes)
    watched, _ = WATCHED[classes]
    scorer, answered, _ = gathered(list(in_batches(rows)), classes)
    assert watched.calibration is not None
    usable = rows.probabilities[np.isfinite(rows.probabilities).all(axis=1)]
    calibrated = watched.calibration.calibrated(usable)
    for metric, one in estimates.calibrated_confidence(usable, calibrated).items():
        found = scorer.expected(answered.tally, metric)
        assert (found.rows, found.losses, found.variances) == (
            len(usable),
            fixed_point_sum(one.losses),
            fixed_point_sum(one.variances),
        )
    chosen = usable.argmax(axis=1)
    units = fixed_point(calibrated)
    by_answer = [[int(units[chosen == k, j].sum()) for j in range(classes)] for k in range(classes)]
    assert answered.tally.counts["confusion"].tolist() == by_answer


@pytest.mark.parametrize("classes", [2, 3])
def test_what_is_gathered_is_what_the_watches_say_of_all_rows_at_once(classes: int) -> None:
    rows = rows_of(3000, 1, classes)
    watched, _ = WATCHED[classes]
    scorer, answered, labelled = gathered(list(in_batches(rows)), classes)
    sums = scorer.prediction_sums(answered.tally) | watched.count_sums(answered.counts)
    sums |= integrity.answer_sums(answered.rows, answered.tally.number("rows"))
    assert sums == watched.prediction_sums(rows, profile(rows, watched.bins))
    assert scorer.label_sums(labelled.whole) == watched.label_sums(rows)
    squares = watched.prediction_sums(rows, profile(rows, watched.bins), power=2) | watched.label_sums(rows, power=2)
    for key, total in (sums | watched.label_sums(rows)).items():
        assert squares[key].rows == total.rows
        assert total.rows == 0 or total.mean**2 - 1e-9 <= squares[key].mean <= total.mean + 1e-9
    assert watched.coverage is not None
    assert scorer.part_counts(answered.tally) == watched.coverage.counts(rows)
    known = rows.take(labelled_rows(rows))
    assert scorer.part_counts(labelled.whole) == watched.coverage.counts(known)
    truth = performance.scores(known.probabilities, known.labels)
    assert labelled.whole.numbers("realised") == tuple(fixed_point_sum(truth[metric]) for metric in METRICS)
    usable = rows.take(np.flatnonzero(np.isfinite(rows.probabilities).all(axis=1)))
    below = estimates.thresholded_confidence(usable.probabilities, 0.7)
    thresholded = scorer.thresholded(answered.tally)
    assert (thresholded.losses, thresholded.variances) == (
        fixed_point_sum(below.losses),
        fixed_point_sum(below.variances),
    )
    assert watched.calibration is not None
    matrix = estimates.confusion(usable.probabilities, watched.calibration.calibrated(usable.probabilities))
    assert np.allclose(scorer.confusion(answered.tally), matrix, rtol=0, atol=1e-9)
    for sample, of in ((answered.sample, rows), (answered.usable, usable), (labelled.usable, known)):
        assert set(sample.ids.to_pylist()) == set(of.take(sample_indices(of, SAMPLE)).ids.to_pylist())


def test_nothing_comes_to_nothing() -> None:
    watched, _ = WATCHED[2]
    scorer, answered, labelled = gathered([], 2)
    assert answered.rows == labelled.rows == 0
    assert {total.rows for total in scorer.label_sums(labelled.whole).values()} == {0}
    assert set(scorer.label_sums(labelled.whole)) == set(watched.label_sums(rows_of(10, 1)))
