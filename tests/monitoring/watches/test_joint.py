"""The joint watch: finds what no watch on one input can, and is quiet where nothing changed."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.conformal import ConformalTest, WatchState
from monitoring.records import SCORE_ONE, WatchKey
from monitoring.watches import inputs
from monitoring.watches.feature_space import FeatureSpace
from monitoring.watches.joint import RECENT_WINDOWS, SAMPLE, RecentWindows, Witness
from monitoring.watches.sampling import sample_indices

ROWS, WINDOWS, STRENGTH = 100, 40, 0.7
SPEC = BaselineSpec(
    classes=("no", "yes"),
    features=(
        FeatureSpec(name="one", kind="number"),
        FeatureSpec(name="other", kind="number"),
        FeatureSpec(name="place", kind="category"),
    ),
)


def window(rng: np.random.Generator, strength: float, *, start: int = 0, rows: int = ROWS) -> Predictions:
    """Two normal numbers of that correlation, whose own laws never change, and a category that does not matter."""
    one, noise = rng.normal(size=(2, rows))
    return Predictions(
        ids=pa.array([f"{start}:{row}" for row in range(rows)]),
        event_times=start * 1_000_000_000 + np.arange(rows) * 1_000,
        features=pa.table(
            {
                "one": one,
                "other": strength * one + math.sqrt(1 - strength**2) * noise,
                "place": pa.array(rng.choice(["a", "b", "c"], rows).tolist(), pa.string()),
            }
        ),
        probabilities=np.full((rows, 2), 0.5),
        labels=np.full(rows, -1),
        label_times=np.zeros(rows, np.int64),
    )


def joined(windows: list[Predictions]) -> Predictions:
    return Predictions(
        ids=pa.concat_arrays([one.ids for one in windows]),
        event_times=np.concatenate([one.event_times for one in windows]),
        features=pa.concat_tables([one.features for one in windows]),
        probabilities=np.concatenate([one.probabilities for one in windows]),
        labels=np.concatenate([one.labels for one in windows]),
        label_times=np.concatenate([one.label_times for one in windows]),
    )


@pytest.fixture(scope="module")
def baseline() -> list[Predictions]:
    rng = np.random.default_rng(1)
    return [window(rng, STRENGTH, start=place) for place in range(WINDOWS)]


@pytest.fixture(scope="module")
def witness(baseline: list[Predictions]) -> Witness:
    return fitted(baseline)


def fitted(baseline: list[Predictions]) -> Witness:
    reference = joined(baseline)
    bins = fit_bins(reference, SPEC)
    space = FeatureSpace.fit(bins, profile(reference, bins).features, InMemoryReference(reference))
    assert space is not None
    return Witness.fit(space, baseline)


def conformal_test(witness: Witness) -> ConformalTest:
    scores = np.array([one.mean for one in witness.baseline if one.rows])
    return ConformalTest.fit(scores, tolerance=0.0, ar1=level_ar1({0: scores})[0], min_std=0.5 / ROWS)


def run_length(witness: Witness, windows: list[Predictions], threshold: float) -> int:
    """Windows up to the alarm, or all of them."""
    test = conformal_test(witness)
    state, recent = WatchState.initial(len(test.etas)), RecentWindows()
    for place, one in enumerate(windows, 1):
        total, recent = witness.step(recent, one)
        state = test.step(state, total.mean) if total.rows else state
        if state.log_evidence >= math.log(threshold):
            return place
    return len(windows)


def test_no_pair_is_named_where_the_joint_distribution_is_as_it_was(witness: Witness) -> None:
    rng, recent = np.random.default_rng(3), RecentWindows()
    named: list[tuple[str, str]] = []
    for place in range(20):
        _, recent = witness.step(recent, window(rng, STRENGTH, start=200 + place))
        named += witness.pairs(recent, 3)
    assert not named


def test_a_correlation_that_changes_its_sign_is_found_and_no_watch_on_one_input_moves(
    baseline: list[Predictions], witness: Witness
) -> None:
    rng = np.random.default_rng(2)
    turned = [window(rng, -STRENGTH, start=100 + place) for place in range(12)]
    assert run_length(witness, turned, 300.0) <= 5
    recent = RecentWindows()
    scores = []
    for one in turned:
        total, recent = witness.step(recent, one)
        scores.append(total)
    assert scores[-1].mean > 0.65
    assert witness.pairs(recent, 1) == (("one", "other"),)

    reference = joined(baseline)
    bins = fit_bins(reference, SPEC)
    counts = profile(reference, bins)
    watched = tuple(w for b, c in zip(bins, counts.features, strict=True) for w in inputs.watches(b, c))
    means = {
        entry.watch.name: np.array(
            [
                inputs.sums(watched, bins, profile(one, bins))[WatchKey(watch=entry.watch.name)].mean
                for one in (*baseline, *turned)
            ]
        )
        for entry in watched
    }
    for values in means.values():
        apart = abs(values[WINDOWS:].mean() - values[:WINDOWS].mean())
        assert apart < 3 * values[:WINDOWS].std() * math.sqrt(1 / 12 + 1 / WINDOWS)


def test_the_run_length_on_clean_streams_is_at_least_the_budgets() -> None:
    """Thirty baselines with a stream each; in a threshold's worth of windows, fewer than 1 - 1/e of them may alarm."""
    threshold, alarms = 30, 0
    for seed in range(30):
        rng = np.random.default_rng([3, seed])
        found = fitted([window(rng, STRENGTH, start=place) for place in range(20)])
        stream = [window(rng, STRENGTH, start=100 + place) for place in range(threshold)]
        alarms += run_length(found, stream, float(threshold)) < threshold
    # an average run length of 30 without autocorrelation means .63 of the streams; three standard errors are .26
    assert alarms / 30 <= 0.63


def test_points_that_are_kept_give_the_scores_of_points_that_are_computed_twice(
    baseline: list[Predictions], witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.watches.joint.KEPT_WINDOWS", len(baseline) - 1)
    assert Witness.fit(witness.space, baseline).baseline == witness.baseline


def test_no_row_is_scored_by_a_witness_fitted_on_it(witness: Witness) -> None:
    rng = np.random.default_rng(4)
    windows = [window(rng, -STRENGTH, start=200 + place) for place in range(3)]
    first, recent = witness.step(RecentWindows(), windows[0])
    assert first.rows == 0
    # what a window scores depends on those before it, and on its own rows one by one: of two halves it is the mean
    whole, _ = witness.step(recent, windows[1])
    halves = [witness.step(recent, windows[1].take(np.arange(k, ROWS, 2)))[0] for k in range(2)]
    assert abs(sum(one.total for one in halves) - whole.total) <= 2
    # windows before the last RECENT_WINDOWS do not count
    other = RecentWindows()
    for one in [window(rng, STRENGTH, start=300 + place) for place in range(RECENT_WINDOWS)]:
        _, recent = witness.step(recent, one)
        _, other = witness.step(other, one)
    assert other == recent


@settings(max_examples=10)
@given(order=st.permutations(range(40)))
def test_order_within_a_window_changes_nothing_and_the_state_comes_back_exactly(
    order: list[int], witness: Witness
) -> None:
    rng = np.random.default_rng(5)
    before, now = window(rng, 0.0, start=400), window(rng, 0.0, start=401, rows=40)
    _, recent = witness.step(RecentWindows(), before)
    assert RecentWindows.from_text(recent.to_text()) == recent
    shuffled = now.take(np.array(order))
    assert witness.step(recent, shuffled) == witness.step(recent, now)


def test_a_sample_of_a_large_window_stands_for_all_its_rows_whatever_their_order(witness: Witness) -> None:
    rng = np.random.default_rng(6)
    large = window(rng, STRENGTH, start=500, rows=4 * SAMPLE)
    same_time = Predictions(
        ids=large.ids,
        event_times=np.zeros_like(large.event_times),
        features=large.features,
        probabilities=large.probabilities,
        labels=large.labels,
        label_times=large.label_times,
    )
    _, recent = witness.step(RecentWindows(), window(rng, STRENGTH, start=499))
    for one in (large, same_time):
        order = rng.permutation(len(one))
        shuffled = one.take(order)
        kept = set(one.ids.take(pa.array(sample_indices(one, SAMPLE))).to_pylist())
        assert len(kept) == SAMPLE
        assert set(shuffled.ids.take(pa.array(sample_indices(shuffled, SAMPLE))).to_pylist()) == kept
        total, _ = witness.step(recent, one)
        assert total == witness.step(recent, shuffled)[0]
        assert total.rows == len(one)
        assert 0 <= total.total <= total.rows * SCORE_ONE


def test_a_baseline_of_one_input_has_no_joint_watch() -> None:
    rng = np.random.default_rng(7)
    reference = window(rng, 0.0)
    spec = BaselineSpec(classes=SPEC.classes, features=SPEC.features[:1])
    bins = fit_bins(reference, spec)
    assert FeatureSpace.fit(bins, profile(reference, bins).features, InMemoryReference(reference)) is None
