"""Importance-weighted losses: right under a shift of inputs, refused where few rows would determine them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.watches.weighting import MIN_EFFECTIVE_ROWS, MIN_ROWS, ImportanceWeighting

SPEC = BaselineSpec(classes=("no", "yes"), features=(FeatureSpec(name="x", kind="number"),))


def rows(rng: np.random.Generator, count: int, shift: float) -> Predictions:
    """A model that says .3 everywhere, while the truth rises with x: only x tells how wrong it is."""
    x = rng.normal(shift, 1.0, count)
    labels = (rng.random(count) < 1 / (1 + np.exp(-2 * x))).astype(np.int64)
    return Predictions(
        ids=pa.array([f"{shift}:{row}" for row in range(count)]),
        event_times=np.arange(count),
        features=pa.table({"x": x}),
        probabilities=np.tile([0.7, 0.3], (count, 1)),
        labels=labels,
        label_times=np.zeros(count, np.int64),
    )


@pytest.fixture(scope="module")
def weighting() -> ImportanceWeighting:
    reference = rows(np.random.default_rng(1), 4_000, 0.0)
    bins = fit_bins(reference, SPEC)
    baseline = Baseline(spec=SPEC, bins=bins, profile=profile(reference, bins), rows=InMemoryReference(reference))
    return ImportanceWeighting.fit(baseline, np.ones(len(reference), bool))


@pytest.mark.parametrize("shift", [-0.7, 0.0, 0.7])
def test_under_a_shift_of_inputs_the_weighted_loss_is_the_true_one(
    weighting: ImportanceWeighting, shift: float
) -> None:
    live = rows(np.random.default_rng(2), 2_000, shift)
    found = weighting.estimate(live)
    truth = SPEC.task.losses(live.probabilities, live.labels)
    plain = {metric: float(losses.mean()) for metric, losses in weighting.losses.items()}
    for metric, expected in found.losses.items():
        estimate, true = float(expected.losses[0]), float(truth[metric].mean())
        error = float(np.sqrt(expected.variances.sum())) / len(live)
        assert abs(estimate - true) < 4 * error
        if shift:
            assert abs(estimate - true) < abs(plain[metric] - true) / 3
    assert (found.effective > 1_900) == (shift == 0.0)
    shuffled = live.take(np.random.default_rng(3).permutation(len(live)))
    assert weighting.estimate(shuffled).losses["error"].losses[0] == found.losses["error"].losses[0]


def test_a_window_unlike_the_baseline_is_refused_and_so_is_one_of_few_rows(weighting: ImportanceWeighting) -> None:
    far = weighting.estimate(rows(np.random.default_rng(4), 2_000, 3.0))
    assert far.losses == {}
    assert 0 < far.effective < MIN_EFFECTIVE_ROWS
    few = weighting.estimate(rows(np.random.default_rng(5), MIN_ROWS - 1, 0.0))
    assert (few.effective, few.losses) == (0.0, {})


def test_rows_left_out_have_no_weight(weighting: ImportanceWeighting) -> None:
    kept = weighting.without(np.arange(2_000))
    assert len(kept.points) == sum(weighting.indices >= 2_000) == len(kept.losses["error"])
    assert weighting.without(np.arange(4_000)).estimate(rows(np.random.default_rng(6), 500, 0.0)).losses == {}


@pytest.mark.parametrize(("shift", "low", "high"), [(0.0, 0.0, 0.0), (0.3, 0.0, 0.02), (3.0, 0.5, 1.0)])
def test_the_share_of_rows_outside_the_reference(
    weighting: ImportanceWeighting, shift: float, low: float, high: float
) -> None:
    found = weighting.weighted_means(rows(np.random.default_rng(7), 500, shift), 500)
    assert found.outside is not None
    assert low <= found.outside <= high
    assert weighting.weighted_means(rows(np.random.default_rng(8), 10, shift), 10).outside is None


def test_means_of_the_same_rows_are_not_fitted_again(weighting: ImportanceWeighting) -> None:
    live = rows(np.random.default_rng(9), 400, 0.2)
    found = weighting.weighted_means(live, 400)
    shuffled = live.take(np.random.default_rng(10).permutation(len(live)))
    assert weighting.weighted_means(shuffled, 400, found) is found
    for sample, count in ((live.take(np.arange(399)), 400), (live, 401), (live, MIN_ROWS - 1)):
        again, alone = weighting.weighted_means(sample, count, found), weighting.weighted_means(sample, count)
        assert again is not found
        assert (again.means, again.outside, again.effective) == (alone.means, alone.outside, alone.effective)
