"""The benchmark's means are plain averages, its intervals respect days, its slices are the categories' values."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.benchmark import ReferenceMetric, benchmark
from monitoring.baseline.metrics import area_under_curve
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.tasks.classification import Classification
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import NO_LABEL, OutputTask

SPEC = BaselineSpec(
    classes=("on_time", "late"),
    features=(FeatureSpec(name="temp", kind="number"), FeatureSpec(name="origin", kind="category")),
)
NO_SLICES = BaselineSpec(classes=SPEC.classes, features=SPEC.features[:1])
DAY = 86_400_000_000


def predictions(late: np.ndarray, labels: np.ndarray, days: np.ndarray, origins: list[str | None]) -> Predictions:
    rows = len(late)
    return Predictions(
        ids=pa.array([str(row) for row in range(rows)]),
        event_times=days.astype(np.int64) * DAY,
        features=pa.table({"temp": np.zeros(rows), "origin": pa.array(origins, pa.string())}),
        probabilities=np.stack([1 - late, late], axis=1),
        labels=labels.astype(np.int64),
        label_times=np.zeros(rows, np.int64),
    )


def drawn(rows: int, *, days: int, seed: int, day_effect: float = 0.0) -> Predictions:
    rng = np.random.default_rng(seed)
    day = np.arange(rows) * days // rows
    truth = np.clip(0.3 + day_effect * rng.standard_normal(days)[day], 0.02, 0.98)
    labels = (rng.random(rows) < truth).astype(np.int64)
    return predictions(
        np.clip(rng.normal(0.3, 0.1, rows), 0, 1), labels, day, rng.choice(["JFK", "EWR"], rows).tolist()
    )


def by_key(metrics: tuple[ReferenceMetric, ...]) -> dict[tuple[str, str], ReferenceMetric]:
    return {(one.metric, one.slice): one for one in metrics}


def test_means_are_the_plain_averages_over_labelled_rows() -> None:
    late, labels = np.array([0.1, 0.8, 0.6, 0.9]), np.array([0, 1, 0, -1])
    found = by_key(benchmark(predictions(late, labels, np.arange(4), ["A"] * 4), SPEC, np.random.default_rng(0)))
    assert found["brier", ""].mean == pytest.approx((0.01 + 0.04 + 0.36) / 3)
    assert found["error", ""].mean == pytest.approx(1 / 3)
    assert found["log_loss", ""].mean == pytest.approx(-np.log([0.9, 0.8, 0.4]).mean())
    assert found["auc", ""].mean == 1.0
    assert {(one.rows, one.days) for one in found.values()} == {(3, 3)}


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0]), st.booleans()), max_size=30))
def test_area_under_curve_is_the_share_of_pairs_won(rows: list[tuple[float, bool]]) -> None:
    ups, downs = [score for score, up in rows if up], [score for score, up in rows if not up]
    found = area_under_curve(np.array([score for score, _ in rows]), np.array([up for _, up in rows], bool))
    if ups and downs:
        won = [(up > down) + (up == down) / 2 for up, down in product(ups, downs)]
        assert found == pytest.approx(sum(won) / len(won))
    else:
        assert found is None


def test_intervals_enclose_the_mean_and_widen_when_days_differ() -> None:
    alike = by_key(benchmark(drawn(6_000, days=40, seed=1), SPEC, np.random.default_rng(0)))
    stormy = by_key(benchmark(drawn(6_000, days=40, seed=1, day_effect=0.25), SPEC, np.random.default_rng(0)))
    assert all(one.low < one.mean < one.high for one in [*alike.values(), *stormy.values()])
    widths = [found["error", ""].high - found["error", ""].low for found in (alike, stormy)]
    assert widths[1] > 3 * widths[0]


def test_intervals_cover_what_days_vary_by() -> None:
    """Twenty samples of thirty days from one world: a 95 % interval misses its mean now and then, and not often."""
    world = drawn(30_000, days=600, seed=2, day_effect=0.2)
    truth = float((world.probabilities.argmax(axis=1) != world.labels).mean())
    rng = np.random.default_rng(3)
    missed = 0
    for days in rng.permutation(600).reshape(20, 30):
        sample = world.take(np.isin(world.event_times // DAY, days))
        found = by_key(benchmark(sample, NO_SLICES, rng))["error", ""]
        missed += not found.low <= truth <= found.high
    assert missed <= 5


def test_area_intervals_agree_with_exact_resampling() -> None:
    sample = drawn(1_500, days=15, seed=4)
    late = np.clip(sample.probabilities[:, 1] + 0.1 * sample.labels, 0, 1)
    shifted = predictions(late, sample.labels, sample.event_times // DAY, ["A"] * 1_500)
    found = by_key(benchmark(shifted, SPEC, np.random.default_rng(5)))["auc", ""]
    rng = np.random.default_rng(6)
    day = shifted.event_times // DAY
    exact = []
    for _ in range(600):
        rows = np.concatenate([np.flatnonzero(day == one) for one in rng.integers(0, 15, 15)])
        exact.append(area_under_curve(late[rows], shifted.labels[rows] == 1) or 0.0)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(exact, [0.025, 0.975])), abs=0.006)


def test_a_slice_is_what_its_rows_alone_would_give() -> None:
    whole = drawn(2_000, days=20, seed=7)
    found = by_key(benchmark(whole, SPEC, np.random.default_rng(0)))
    mine = np.array(whole.features["origin"].to_pylist()) == "JFK"
    alone = by_key(benchmark(whole.take(mine), SPEC, np.random.default_rng(0)))
    for metric in ("brier", "error", "log_loss", "auc"):
        assert found[metric, "origin=JFK"].mean == alone[metric, ""].mean
        assert found[metric, "origin=JFK"].rows == mine.sum()


@pytest.mark.parametrize(("values", "slices"), [(12, 12), (13, 0)])
def test_categories_of_many_values_are_not_sliced_by(values: int, slices: int) -> None:
    origins: list[str | None] = [f"A{row % values:02d}" for row in range(200)] + [None] * 20
    sample = predictions(np.full(220, 0.4), np.arange(220) % 2, np.arange(220) % 9, origins)
    names = {one.slice for one in benchmark(sample, SPEC, np.random.default_rng(0))} - {""}
    assert len(names) == slices


def test_rows_of_one_day_are_resampled_one_by_one() -> None:
    world = drawn(8_000, days=1, seed=5)
    for first in range(0, 8_000, 4_000):
        found = by_key(benchmark(world.take(np.arange(first, first + 4_000)), NO_SLICES, np.random.default_rng(0)))
        error = found["error", ""]
        half = 1.96 * np.sqrt(error.mean * (1 - error.mean) / 4_000)
        assert error.days == 1
        assert error.high - error.low == pytest.approx(2 * half, rel=0.15)


def test_without_labels_there_is_no_benchmark() -> None:
    unlabelled = predictions(np.full(3, 0.4), np.full(3, -1), np.arange(3), ["A"] * 3)
    assert benchmark(unlabelled, SPEC, np.random.default_rng(0)) == ()


def test_days_are_those_of_the_timezone() -> None:
    sample = predictions(np.full(48, 0.4), np.arange(48) % 2, np.zeros(48), ["A"] * 48)
    hours = sample.take(np.arange(48))
    hourly = Predictions(
        ids=hours.ids,
        event_times=np.arange(48, dtype=np.int64) * DAY // 24,
        features=hours.features,
        probabilities=hours.probabilities,
        labels=hours.labels,
        label_times=hours.label_times,
    )
    counts = [
        benchmark(hourly, SPEC, np.random.default_rng(0), timezone=zone)[0].days for zone in ("UTC", "America/New_York")
    ]
    assert counts == [2, 3]


def test_a_quantile_has_its_pinball_loss_and_its_coverage_without_bounds() -> None:
    rows = drawn(300, days=10, seed=1)
    truth, answers = np.arange(300.0), np.full((300, 1), 269.5)
    numbers = replace(rows, probabilities=answers, labels=truth.view(np.int64))
    spec = BaselineSpec(classes=(), features=SPEC.features[:1], other_task=Regression(quantile=0.9))
    found = by_key(benchmark(numbers, spec, np.random.default_rng(0)))
    assert found["quantile_coverage", ""].mean == pytest.approx(0.9)
    above, below = truth[truth > 269.5] - 269.5, 269.5 - truth[truth < 269.5]
    assert found["pinball_loss", ""].mean == pytest.approx((0.9 * above.sum() + 0.1 * below.sum()) / 300)
    plain = by_key(benchmark(numbers, replace(spec, other_task=Regression()), np.random.default_rng(0)))
    assert ("pinball_loss", "") not in plain


def test_each_of_several_outputs_has_what_it_has_by_itself_in_its_own_unit() -> None:
    rows, rng = drawn(300, days=10, seed=1), np.random.default_rng(5)
    minutes, predicted = rng.normal(50, 9, 300), rng.normal(50, 9, 300)
    kind, price = Classification(classes=SPEC.classes), Regression()
    outputs = (OutputTask(output="kind", task=kind, numbers=1), OutputTask(output="minutes", task=price, numbers=1))
    task = SeveralTasks(outputs_judged=outputs)
    labels = np.stack([rows.labels, minutes.view(np.int64)], axis=1)
    labels[:100, 0] = NO_LABEL
    both = replace(rows, probabilities=np.column_stack([rows.probabilities, predicted]), labels=labels)
    spec = BaselineSpec(classes=(), features=SPEC.features, other_task=task)
    found = by_key(benchmark(both, spec, np.random.default_rng(0)))
    error = np.abs(predicted - minutes)
    assert found["of:minutes:absolute_error", ""].mean == pytest.approx(error.mean())
    assert error.mean() > 5.0
    assert found["of:minutes:squared_error", ""].mean == pytest.approx((error**2).mean())
    jfk = np.array(rows.features["origin"].to_pylist()) == "JFK"
    assert found["of:minutes:absolute_error", "origin=JFK"].mean == pytest.approx(error[jfk].mean())
    alone = by_key(benchmark(rows.take(np.arange(100, 300)), SPEC, np.random.default_rng(0)))
    for metric in ("brier", "error", "auc"):
        assert found[f"of:kind:{metric}", ""].mean == alone[metric, ""].mean
        assert found[f"of:kind:{metric}", ""].rows == 200
