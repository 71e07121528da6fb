"""Regression: bounded losses in the unit of what is predicted, and watches on predicted numbers."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.tasks.regression import BOUND_FACTOR, Regression, pinball_loss
from monitoring.tasks.task import NO_LABEL, Floats, Whole

NUMBERS = st.floats(-1e6, 1e6)


def answers_of(values: list[float]) -> Floats:
    return np.array(values, dtype=np.float64).reshape(-1, 1)


def codes_of(values: list[float]) -> Whole:
    return (np.array(values, dtype=np.float64) + 0.0).view(np.int64)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=30), st.floats(1e-3, 1e6), st.booleans())
def test_losses_are_bounded_and_in_their_own_unit_those_of_the_definitions(
    pairs: list[tuple[float, float]], bound: float, percentage: bool
) -> None:
    task = Regression(bound=bound, percentage=percentage)
    answered, true = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    found = task.losses(answers_of(answered), codes_of(true))
    assert all(((losses >= 0.0) & (losses <= 1.0)).all() for losses in found.values())
    values = {
        watch.name: watch.offset + watch.scale * found[watch.name] for watch in task.loss_watches if watch.name in found
    }
    errors = np.clip(np.array(answered) - np.array(true), -bound, bound)
    np.testing.assert_allclose(values["absolute_error"], np.abs(errors), atol=1e-9 * bound)
    np.testing.assert_allclose(values["squared_error"], errors**2, atol=1e-9 * bound**2)
    np.testing.assert_allclose(values["bias"], errors, atol=1e-9 * bound)
    assert ("percentage_error" in found) == percentage


def test_bounds_come_from_the_baselines_own_errors_and_a_wild_one_does_not_move_them() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(50.0, 10.0, 10_000)
    answered = truth + rng.normal(0.0, 1.0, truth.size)
    task = Regression().fitted(answered[:, None], codes_of(truth.tolist()))
    assert task.bound == pytest.approx(BOUND_FACTOR * 2.576, rel=0.1)
    assert task.percentage
    answered[0] = 1e12
    wild = Regression().fitted(answered[:, None], codes_of(truth.tolist()))
    assert wild.bound == pytest.approx(task.bound, rel=0.01)


@pytest.mark.parametrize("labels", [[NO_LABEL] * 3, codes_of([1.0, 2.0, 3.0]).tolist()])
def test_without_labels_or_without_errors_there_is_a_bound_all_the_same(labels: list[int]) -> None:
    task = Regression().fitted(answers_of([1.0, 2.0, 3.0]), np.array(labels))
    assert task.bound == 2.0
    assert Regression().fitted(answers_of([1.0, 1.0, 1.0]), np.array(labels)).bound > 0.0


def test_percentages_are_not_watched_where_labels_may_be_zero() -> None:
    task = Regression().fitted(answers_of([1.0, 2.0]), codes_of([0.0, 2.0]))
    assert "percentage_error" not in task.metrics


def test_predicted_numbers_are_ranked_among_the_baselines() -> None:
    values = np.arange(1000.0)
    task = Regression().fitted(values[:, None], np.full(1000, NO_LABEL))
    outputs = task.outputs(answers_of([-5.0, 499.5, 5000.0]))
    assert outputs["prediction:location"].tolist() == [0.0, pytest.approx(0.5, abs=0.01), 1.0]
    assert outputs["prediction:spread"].tolist() == [1.0, pytest.approx(0.0, abs=0.02), 1.0]
    assert {watch.name for watch in task.output_watches} == set(outputs)
    assert float(task.score(values[:, None]).mean()) == pytest.approx(0.5, abs=0.001)


def test_losses_page_and_bias_is_a_notice_either_way() -> None:
    watches = {watch.name: watch for watch in Regression(bound=3.0, percentage=True).loss_watches}
    assert all(watches[f"surprise_{metric}"].level == "page" for metric in Regression(percentage=True).metrics)
    assert (watches["bias"].level, watches["bias"].direction, watches["bias"].needs_label) == ("notice", "both", True)
    assert watches["bias"].value(0.5) == 0.0


def test_a_task_comes_back_from_json_and_reads_numbers() -> None:
    task = Regression(bound=1.5, knots=(0.1, 0.2), percentage=True)
    assert Regression.of(json.loads(json.dumps(task.document()))) == task
    assert task.label_codes(pa.chunked_array([["2.5", "cat"]])).tolist() == [codes_of([2.5])[0], NO_LABEL]
    assert task.expected_losses(answers_of([1.0]), {}) == {}


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=30), st.floats(1e-3, 1e6), st.floats(0.01, 0.99))
def test_a_quantile_has_the_pinball_loss_and_its_coverage(
    pairs: list[tuple[float, float]], bound: float, quantile: float
) -> None:
    task = Regression(bound=bound, quantile=quantile, percentage=True)
    answered, true = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    found = task.losses(answers_of(answered.tolist()), codes_of(true.tolist()))
    watches = {watch.name: watch for watch in task.loss_watches}
    assert list(watches) == ["pinball_loss", "surprise_pinball_loss", "quantile_coverage"]
    assert (task.metrics, watches["quantile_coverage"].level) == (("pinball_loss",), "notice")
    assert all(((losses >= 0.0) & (losses <= 1.0)).all() for losses in found.values())
    short = np.clip(true - answered, -bound, bound)
    expected = np.where(short >= 0.0, quantile * short, (quantile - 1.0) * short)
    np.testing.assert_allclose(watches["pinball_loss"].scale * found["pinball_loss"], expected, atol=1e-9 * bound)
    assert found["quantile_coverage"].tolist() == (true <= answered).astype(float).tolist()


def test_the_mean_pinball_loss_is_least_at_the_quantile_and_the_absolute_error_is_not() -> None:
    truth = np.random.default_rng(0).lognormal(0.0, 1.0, 20_000)
    places = np.quantile(truth, np.arange(0.5, 1.0, 0.05))
    losses = [float(pinball_loss(place - truth, 0.9).mean()) for place in places]
    assert int(np.argmin(losses)) == 8  # 0.9
    assert int(np.argmin([float(np.abs(place - truth).mean()) for place in places])) == 0


def test_a_fitted_quantile_stays_one() -> None:
    truth = np.random.default_rng(0).normal(50.0, 10.0, 1_000)
    task = Regression(quantile=0.9).fitted(truth[:, None] + 12.0, codes_of(truth.tolist()))
    assert task.quantile == 0.9
    assert task.bound == pytest.approx(24.0)
    assert Regression.of(task.document()).quantile is None  # it is the config's, and not stored
