from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from monitoring.baseline.predictions import NO_LABEL, Predictions, predictions_from
from monitoring.baseline.profile import Bins, FeatureCounts, Profile, fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey
from monitoring.watches import inputs, integrity, outputs, performance, scoring, surprise

SPEC = BaselineSpec(
    classes=("a", "b"),
    features=(FeatureSpec(name="x", kind="number"), FeatureSpec(name="c", kind="category")),
)


@st.composite
def rows(draw: st.DrawFn, classes: int = 3) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities [n, classes] and labels [n]."""
    count = draw(st.integers(1, 30))
    weights = draw(hnp.arrays(np.float64, (count, classes), elements=st.floats(0.001, 1.0)))
    labels = draw(hnp.arrays(np.int64, count, elements=st.integers(0, classes - 1)))
    return weights / weights.sum(axis=1, keepdims=True), labels


@given(rows())
def test_every_score_lies_between_zero_and_one(sample: tuple[NDArray[np.float64], NDArray[np.int64]]) -> None:
    probabilities, labels = sample
    found = performance.scores(probabilities, labels) | surprise.scores(probabilities, labels)
    found |= outputs.scores(probabilities, ("a", "b", "c"))
    for values in found.values():
        assert values.shape == labels.shape
        assert (values >= -1e-12).all()
        assert (values <= 1 + 1e-12).all()


@given(rows())
def test_a_loss_is_its_difficulty_plus_its_surprise(sample: tuple[NDArray[np.float64], NDArray[np.int64]]) -> None:
    probabilities, labels = sample
    losses, difficulty = performance.scores(probabilities, labels), surprise.expected_losses(probabilities)
    for watch in surprise.WATCHES:
        metric = watch.name.removeprefix("surprise_")
        values = surprise.scores(probabilities, labels)[watch.name]
        np.testing.assert_allclose(losses[metric], difficulty[metric] + watch.offset + watch.scale * values, atol=1e-12)


def test_a_calibrated_model_is_not_surprised_on_average() -> None:
    rng = np.random.default_rng(0)
    late = rng.beta(2, 5, 200_000)
    labels = (rng.random(late.size) < late).astype(np.int64)
    values = surprise.scores(np.stack([1 - late, late], axis=1), labels)
    assert abs(values["surprise_brier"].mean() - 0.5) < 0.002
    assert abs(values["surprise_error"].mean() - 0.5) < 0.002


@given(hnp.arrays(np.float64, st.integers(1, 200), elements=st.floats(0, 1)), st.randoms(use_true_random=False))
def test_sums_do_not_depend_on_order_or_sharding_to_the_last_bit(values: NDArray[np.float64], random: object) -> None:
    whole = scoring.sums({"g": values}, {})
    shuffled = np.random.default_rng(1).permutation(values)
    cut = values.size // 3
    parts = [scoring.sums({"g": part}, {}) for part in (shuffled[cut:], shuffled[:cut])]
    assert scoring.merged(parts) == whole


def test_slices_partition_the_rows_that_have_a_value() -> None:
    masks = {"o=A": np.array([True, False, False]), "o=B": np.array([False, True, False])}
    found = scoring.sums({"g": np.array([1.0, 0.5, 0.25])}, masks)
    assert found[WatchKey(watch="g", slice="o=A")] == ScoreSum(1, SCORE_ONE)
    assert found[WatchKey(watch="g", slice="o=B")] == ScoreSum(1, SCORE_ONE // 2)
    assert found[WatchKey(watch="g")].rows == 3


def table(x: list[float | None], c: list[str | None]) -> Predictions:
    count = len(x)
    return predictions_from(
        pa.table(
            {
                "prediction_id": [str(i) for i in range(count)],
                "event_time": pa.array([0] * count).cast(pa.timestamp("us", "UTC")),
                "x": pa.array(x, pa.float64()),
                "c": pa.array(c, pa.string()),
                "probabilities": pa.array([[0.5, 0.5]] * count, pa.list_(pa.float64())),
            }
        ),
        SPEC,
    )


values = st.lists(
    st.tuples(
        st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
        st.one_of(st.none(), st.sampled_from(["p", "q", "ü", "", "never seen"])),
    ),
    min_size=1,
    max_size=60,
)


@given(values, st.integers(0, 60))
def test_profiles_merge_to_the_profile_of_the_whole(sample: list[tuple[float | None, str | None]], cut: int) -> None:
    bins = fit_bins(table([float(i) for i in range(100)], ["p", "q", "ü", ""] * 25), SPEC)
    x, c = [pair[0] for pair in sample], [pair[1] for pair in sample]
    whole = profile(table(x, c), bins)
    empty = Profile(rows=0, features=tuple(FeatureCounts((0,) * b.places) for b in bins))
    parts = [profile(table(x[:cut], c[:cut]), bins), profile(table(x[cut:], c[cut:]), bins)]
    assert parts[0] + parts[1] == parts[1] + parts[0] == whole == whole + empty
    for feature in whole.features:
        assert feature.present + feature.missing == len(sample)


def test_input_watches_are_centred_on_the_baseline_and_move_with_it() -> None:
    rng = np.random.default_rng(2)
    reference = table(list(rng.normal(size=5000)), list(rng.choice(["p", "q"], 5000)))
    bins = fit_bins(reference, SPEC)
    counts = profile(reference, bins)
    watched = tuple(w for b, c in zip(bins, counts.features, strict=True) for w in inputs.watches(b, c))
    still = inputs.sums(watched, bins, counts)
    assert still[WatchKey(watch="input:x:location")].mean == pytest.approx(0.5, abs=1e-6)
    moved = inputs.sums(watched, bins, profile(table(list(rng.normal(1.0, 1.0, 5000)), ["p"] * 5000), bins))
    assert moved[WatchKey(watch="input:x:location")].mean > 0.7
    assert moved[WatchKey(watch="input:c=p")].mean == 1.0
    assert moved[WatchKey(watch="input:c=q")].mean == 0.0


def test_integrity_counts_missing_and_unseen_rows() -> None:
    bins = (Bins(feature="x", edges=(0.5,)), Bins(feature="c", categories=("p",)))
    window = profile(table([None, 1.0, float("nan"), 0.0], ["p", "new", None, "p"]), bins)
    found = integrity.sums(bins, window)
    assert found[WatchKey(watch="missing:x")].mean == 0.5
    assert found[WatchKey(watch="missing:c")].mean == 0.25
    assert found[WatchKey(watch="unseen:c")].mean == 0.25
    levels = {w.name: w.level for w in integrity.watches(bins[0], FeatureCounts((3, 4), missing=2))}
    assert levels == {"missing:x": "notice"}


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (pa.array(["warm", "cold"]), "type changed to string"),
        (pa.array([[1.0], [2.0]]), "type changed to list<item: double>"),
        (None, "absent"),
    ],
    ids=["text for a number", "lists", "gone"],
)
def test_a_broken_column_is_a_problem_and_not_a_crash(column: pa.Array | None, problem: str) -> None:
    plain = {
        "prediction_id": ["1", "2"],
        "event_time": pa.array([0, 0]).cast(pa.timestamp("us", "UTC")),
        "c": ["p", "q"],
        "probabilities": pa.array([[0.5, 0.5]] * 2, pa.list_(pa.float64())),
    }
    found = predictions_from(pa.table(plain if column is None else plain | {"x": column}), SPEC)
    assert found.problems == (("x", problem),)
    assert np.isnan(np.asarray(found.features["x"])).all()
    assert (found.labels == NO_LABEL).all()


def test_labels_are_read_by_name_or_by_number_and_nothing_else() -> None:
    found = predictions_from(
        pa.table(
            {
                "prediction_id": ["1", "2", "3", "4"],
                "event_time": pa.array([0] * 4).cast(pa.timestamp("us", "UTC")),
                "x": [1.0] * 4,
                "c": ["p"] * 4,
                "probabilities": pa.array([[0.5, 0.5]] * 4, pa.list_(pa.float64())),
                "label": ["b", "0", "late", None],
                "label_time": pa.array([1] * 4).cast(pa.timestamp("us", "UTC")),
            }
        ),
        SPEC,
    )
    assert found.labels.tolist() == [1, 0, NO_LABEL, NO_LABEL]
