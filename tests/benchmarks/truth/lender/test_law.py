"""The lender's rows have the losses that the tables are about."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth.lender.law import CLASSES, calm_day, predictions


def test_calm_traffic_has_the_error_and_brier_score_of_the_lender() -> None:
    day = calm_day(2, np.random.default_rng(0), rows=100_000, day_effect=0.0)
    assert float(day.errors.mean()) == pytest.approx(0.235, abs=0.006)
    assert day.brier == pytest.approx(0.160, abs=0.004)
    assert float(day.labels.mean()) == pytest.approx(0.335, abs=0.01)


def test_days_vary_by_a_shift_of_the_truth_besides_their_sampling_error() -> None:
    days = [calm_day(number, np.random.default_rng(number)) for number in range(300)]
    assert float(np.std([day.errors.mean() for day in days])) == pytest.approx(0.025, abs=0.003)


def test_a_day_as_predictions_keeps_its_losses_and_its_day() -> None:
    day = calm_day(3, np.random.default_rng(1))
    rows = predictions(day, 3, extra=np.zeros((400, 2)))
    answers = rows.probabilities.argmax(axis=1)
    np.testing.assert_array_equal(answers != rows.labels, day.errors)
    assert rows.probabilities.shape == (400, len(CLASSES))
    assert rows.features.column_names[-2:] == ["other0", "other1"]
    assert {int(time) // 86_400_000_000 for time in rows.event_times} == {3}
