"""The losses that each class's calibrated probabilities promise are those of the labels, however wrong the model."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.tasks.multilabel import Multilabel
from monitoring.watches.multilabel_calibration import MultilabelCalibration

TASK = Multilabel(classes=("dog", "cat"))


def rows(seed: int, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are right for dogs and far too small for cats, and labels."""
    rng = np.random.default_rng(seed)
    truth = rng.random((count, 2))
    labels = ((rng.random(truth.shape) < truth) << np.arange(2)).sum(axis=1)
    return np.stack([truth[:, 0], truth[:, 1] ** 3], axis=1), labels


def test_expected_losses_are_those_of_other_rows_and_their_variances_too() -> None:
    fitted = MultilabelCalibration.fit(TASK, *rows(0))
    answers, labels = rows(1)
    expected, realised = fitted.expected_losses(answers), TASK.losses(answers, labels)
    assert tuple(expected) == TASK.metrics
    promised = TASK.expected_losses(answers, {})
    assert float(realised["class_brier:cat"].mean() - promised["class_brier:cat"].mean()) > 0.05
    for metric, one in expected.items():
        assert float(realised[metric].mean()) == pytest.approx(float(one.losses.mean()), abs=0.01)
        left = realised[metric] - one.losses
        assert float((left**2).mean()) == pytest.approx(float(one.variances.mean()), rel=0.03)


def test_rows_are_removed_exactly() -> None:
    answers, labels = rows(0, 2_000)
    whole = MultilabelCalibration.fit(TASK, answers, labels)
    without = whole.without(answers[:500], labels[:500])
    again = [one.rows.sum() for one in without.maps]
    assert again == [1_500, 1_500]
    assert not np.array_equal(without.values[0], whole.values[0])
