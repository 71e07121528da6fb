"""The residual model: expected losses of rows, held out on the baseline, the same in any batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import Baseline, load_baseline, write_baseline
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.tasks.regression import Regression
from monitoring.watches.catalogue import labelled_rows
from monitoring.watches.residuals import LossBins, ResidualModel

SPEC = BaselineSpec(
    classes=(),
    features=(FeatureSpec(name="noise", kind="number"), FeatureSpec(name="place", kind="category")),
    other_task=Regression(),
)
DAY_US = 86_400_000_000


def table(rows: int, seed: int, *, first_day: int = 0, harder: float = 0.0) -> pa.Table:
    """Predictions whose error grows with the input `noise`, and is twice as large at the place `b`."""
    rng = np.random.default_rng(seed)
    noise = np.clip(rng.random(rows) + harder, 0.0, 1.0)
    place = rng.choice(["a", "b"], rows)
    answers = rng.normal(100.0, 20.0, rows)
    labels = answers + rng.normal(size=rows) * (0.5 + 3.0 * noise) * np.where(place == "b", 2.0, 1.0)
    times = pa.array(first_day * DAY_US + np.arange(rows) * (DAY_US // 200)).cast(pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "prediction_id": [f"{seed}-{row}" for row in range(rows)],
            "event_time": times,
            "noise": noise,
            "place": place,
            "probabilities": pa.array([[value] for value in answers.tolist()]),
            "label": pa.array(labels).cast(pa.string()),
            "label_time": times,
        }
    )


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    folder: Path = tmp_path_factory.mktemp("baseline")
    write_baseline(table(6_000, 1), folder=folder, spec=SPEC)
    return load_baseline(folder)


@pytest.fixture(scope="module")
def model(baseline: Baseline) -> ResidualModel:
    return ResidualModel.fit(baseline, labelled_rows(baseline.rows.answers))


def live(baseline: Baseline, tmp_path: Path, **options: float) -> Baseline:
    write_baseline(table(4_000, 2, first_day=100, **options), folder=tmp_path, spec=baseline.spec)
    return load_baseline(tmp_path)


@pytest.mark.parametrize("harder", [0.0, 0.5])
def test_expected_losses_follow_harder_traffic(
    baseline: Baseline, model: ResidualModel, tmp_path: Path, harder: float
) -> None:
    rows = live(baseline, tmp_path, harder=harder).reference
    truth = baseline.spec.task.losses(rows.probabilities, rows.labels)
    for metric, one in model.expected(rows.probabilities, rows.features).items():
        assert one.losses.mean() == pytest.approx(truth[metric].mean(), rel=0.15)
        assert np.corrcoef(one.losses, truth[metric])[0, 1] > 0.25
        assert ((one.losses >= 0.0) & (one.losses <= 1.0) & (one.variances >= 0.0)).all()


def test_a_rows_expectation_does_not_depend_on_its_batch(baseline: Baseline, model: ResidualModel) -> None:
    rows = baseline.reference
    whole = model.expected(rows.probabilities, rows.features)["absolute_error"].losses
    for size in (1, 7, 333):
        part = rows.take(np.arange(size))
        np.testing.assert_array_equal(
            model.expected(part.probabilities, part.features)["absolute_error"].losses, whole[:size]
        )


def test_the_baselines_own_surprise_is_none_on_average(baseline: Baseline, model: ResidualModel) -> None:
    rows = baseline.reference
    truth = baseline.spec.task.losses(rows.probabilities, rows.labels)
    for metric, one in model.expected(rows.probabilities, rows.features, rows.event_times).items():
        assert one.losses.mean() == pytest.approx(truth[metric].mean(), rel=0.01)


def test_a_window_is_expected_without_its_own_labels(baseline: Baseline, model: ResidualModel) -> None:
    positions = np.arange(200)
    for metric, (expected, losses) in model.held_out(positions).items():
        assert expected.losses.size == losses.size == 200
        assert not np.array_equal(expected.losses, model.bins[metric].means[model.bins[metric].of_row[:200]])


def test_losses_that_are_not_known_are_as_if_their_rows_were_not_there() -> None:
    rng = np.random.default_rng(0)
    index, losses = rng.random(2_000), rng.random(2_000)
    hidden = rng.random(2_000) < 0.4
    some = LossBins.fit(index, np.where(hidden, np.nan, losses))
    alone = LossBins.fit(index[~hidden], losses[~hidden])
    assert np.array_equal(some.edges, alone.edges)
    assert np.array_equal(some.means, alone.means)
    left_out = np.arange(2_000) < 500
    assert np.array_equal(some.without(left_out).means, alone.without(left_out[~hidden]).means)
    none = LossBins.fit(index, np.full(2_000, np.nan))
    assert none.without(left_out).expected(none.of_row).losses.max() == 0.0
