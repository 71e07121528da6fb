"""MAE, RMSE, MAPE and R² from sums of powers are those of the rows; their intervals cover."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring.records import MeasuredMetric
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import Floats, Whole
from monitoring.watches.measured.number_metrics import NumberMetrics, over_windows

TASK = Regression(bound=10.0, percentage=True)


def rows(count: int, seed: int = 0) -> tuple[Floats, Whole]:
    rng = np.random.default_rng(seed)
    answers = rng.gamma(8.0, 12.0, count)
    truth = np.maximum(answers + rng.normal(0.0, 2.0 + 0.03 * answers), 1.0)
    return answers[:, None], truth.view(np.int64)


def of(metrics: NumberMetrics, answers: Floats, labels: Whole) -> dict[str, MeasuredMetric]:
    return {one.metric: one for one in metrics.measured(metrics.tally(answers, labels), np.random.default_rng(0))}


METRICS = NumberMetrics.fit(TASK, rows(5_000, 1)[1])


def test_the_sums_give_the_metrics_of_the_rows() -> None:
    answers, labels = rows(3_000, 2)
    found, truth = of(METRICS, answers, labels), labels.view(np.float64)
    errors = answers[:, 0] - truth
    assert found["mean_absolute_error"].value == pytest.approx(float(np.abs(errors).mean()), rel=1e-8)
    assert found["root_mean_squared_error"].value == pytest.approx(float(np.sqrt((errors**2).mean())), rel=1e-8)
    assert found["mean_absolute_percentage_error"].value == pytest.approx(
        float(np.abs(errors / truth).mean()), rel=1e-8
    )
    assert found["r_squared"].value == pytest.approx(float(1 - (errors**2).mean() / truth.var()), rel=1e-7)


def test_errors_are_told_apart_far_beyond_the_bound_of_the_losses_and_parts_add_up() -> None:
    answers, labels = rows(1_000, 2)
    answers[0] += 200.0
    assert of(METRICS, answers, labels)["mean_absolute_error"].value == pytest.approx(
        float(np.abs(answers[:, 0] - labels.view(np.float64)).mean()), rel=1e-8
    )
    whole, parts = METRICS.tally(answers, labels), np.array_split(np.arange(1_000)[::-1], 3)
    summed = [METRICS.tally(answers[some], labels[some]) for some in parts]
    assert all(np.array_equal(sum(part[name] for part in summed), counts) for name, counts in whole.items())


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    answers, labels = rows(300_000, 9)
    truth = of(METRICS, answers, labels)
    drawn = [of(METRICS, *rows(400, seed)) for seed in range(100, 300)]
    for name, exact in truth.items():
        held = np.mean([one[name].low <= exact.value <= one[name].high for one in drawn])
        assert 0.9 <= held <= 0.99, name


def test_what_is_not_defined_is_left_out() -> None:
    answers, labels = rows(50, 1)
    without = NumberMetrics(task=replace(TASK, percentage=False), middle=0.0, spread=1.0)
    assert "mean_absolute_percentage_error" not in of(without, answers, labels)
    same = np.full(50, 7.0).view(np.int64)
    assert "r_squared" not in of(NumberMetrics.fit(TASK, same), answers, same)
    assert METRICS.measured({}) == []
    exact = of(METRICS, labels.view(np.float64)[:, None], labels)
    assert (exact["root_mean_squared_error"].value, exact["r_squared"].value) == (0.0, 1.0)


def test_means_over_windows_weigh_by_rows_and_have_the_interval_of_windows() -> None:
    def one(value: float, rows: int, name: str = "auc") -> MeasuredMetric:
        return MeasuredMetric(metric=name, rows=rows, value=value, low=value, high=value)

    found = {each.metric: each for each in over_windows([[one(0.6, 10), one(0.5, 10, "f1")], [one(0.9, 20)]])}
    assert found["auc"].value == pytest.approx(0.8)
    assert found["auc"].rows == 30
    assert found["auc"].high - 0.8 == pytest.approx(1.96 * np.sqrt(2 * (4.0 + 4.0)) / 30)
    assert found["f1"].low == found["f1"].high == 0.5
    assert over_windows([]) == ()
