"""Estimated performance: expected losses under calibrated probabilities, and thresholds on confidence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.tasks.classification import Classification
from monitoring.watches import estimates
from monitoring.watches.calibration import Calibration
from monitoring.watches.scoring import fixed_point_sum
from tests.monitoring.watches.labelled_rows import Sample, drawn, samples

TASK = Classification(classes=("no", "yes"))


@given(samples(most=40))
def test_estimates_lie_between_zero_and_one_and_do_not_depend_on_order(sample: Sample) -> None:
    probabilities, labels = sample
    fitted = Calibration.fit(probabilities, labels)
    calibrated = fitted.calibrated(probabilities)
    np.testing.assert_allclose(calibrated.sum(axis=1), 1.0, atol=1e-9)
    for expected in estimates.calibrated_confidence(probabilities, calibrated).values():
        assert ((expected.losses >= 0) & (expected.losses <= 1)).all()
        assert ((expected.variances >= 0) & (expected.variances <= 0.25 + 1e-12)).all()
    reverse = estimates.calibrated_confidence(probabilities[::-1], calibrated[::-1])
    for name, expected in estimates.calibrated_confidence(probabilities, calibrated).items():
        np.testing.assert_array_equal(reverse[name].losses[::-1], expected.losses)
    assert estimates.confusion(probabilities, calibrated).sum() == pytest.approx(1.0)


@given(samples(most=40))
def test_expected_losses_are_the_losses_weighted_by_the_calibrated_probabilities(sample: Sample) -> None:
    probabilities, labels = sample
    calibrated = Calibration.fit(probabilities, labels).calibrated(probabilities)
    found = estimates.calibrated_confidence(probabilities, calibrated)
    for metric, expected in found.items():
        by_class = np.stack(
            [TASK.losses(probabilities, np.full(len(labels), k))[metric] for k in range(probabilities.shape[1])], axis=1
        )
        mean = (calibrated * by_class).sum(axis=1)
        np.testing.assert_allclose(expected.losses, mean, atol=1e-9)
        np.testing.assert_allclose(expected.variances, (calibrated * by_class**2).sum(axis=1) - mean**2, atol=1e-9)
    matrix = estimates.confusion(probabilities, calibrated)
    assert 1.0 - np.trace(matrix) == pytest.approx(found["error"].losses.mean())


@pytest.mark.parametrize(("classes", "power"), [(2, 0.4), (3, 2.0), (4, 0.5)])
def test_calibrated_confidence_estimates_the_loss_of_a_miscalibrated_model(classes: int, power: float) -> None:
    fitted = Calibration.fit(*drawn(20_000, 2, classes=classes, power=power))
    answers, labels = drawn(20_000, 3, classes=classes, power=power)
    truth = TASK.losses(answers, labels)
    found = estimates.calibrated_confidence(answers, fitted.calibrated(answers))
    believed = estimates.calibrated_confidence(answers, answers)
    for metric in ("error", "brier"):
        # With more than two classes, dividing by the sum leaves a bias: .0124 here in the error of three.
        assert abs(found[metric].losses.mean() - truth[metric].mean()) < (0.01 if classes == 2 else 0.015)
        assert abs(believed[metric].losses.mean() - truth[metric].mean()) > 0.03
    matrix = estimates.confusion(answers, fitted.calibrated(answers))
    true = np.zeros_like(matrix)
    np.add.at(true, (answers.argmax(axis=1), labels), 1.0 / labels.size)
    assert abs(matrix - true).max() < 0.015


def test_the_threshold_gives_the_error_of_the_rows_it_was_fitted_on() -> None:
    answers, labels = drawn(5000, 4)
    threshold = estimates.confidence_threshold(answers, labels)
    error = (answers.argmax(axis=1) != labels).mean()
    assert estimates.thresholded_confidence(answers, threshold).losses.mean() == pytest.approx(error)
    assert estimates.confidence_threshold(np.array([[1.0, 0.0]]), np.array([1])) == math.inf


@given(samples(most=40), st.sampled_from([1, 2]))
def test_expected_losses_are_summed_to_a_power_and_variances_as_they_are(sample: Sample, power: int) -> None:
    probabilities, labels = sample
    expected = Calibration.fit(probabilities, labels).expected_losses(probabilities)
    found = estimates.expected_sums(expected, ("brier", "error"), power=power)
    for (losses, variances), metric in zip(found.tolist(), ("brier", "error"), strict=True):
        assert losses == fixed_point_sum(expected[metric].losses ** power)
        assert variances == fixed_point_sum(expected[metric].variances)


@given(samples(most=40))
def test_the_share_below_a_threshold_grows_with_it(sample: Sample) -> None:
    probabilities, _ = sample
    shares = [
        float(estimates.thresholded_confidence(probabilities, threshold).losses.mean())
        for threshold in (0.0, 0.4, 0.7, 1.1)
    ]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_without_rows_there_is_nothing_to_estimate() -> None:
    none = np.zeros((0, 3))
    assert estimates.thresholded_confidence(none, 0.5).losses.size == 0
    assert estimates.confusion(none, none).tolist() == np.zeros((3, 3)).tolist()
