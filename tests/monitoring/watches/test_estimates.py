from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from monitoring.records import IntervalChecks
from monitoring.watches import estimates, performance, trust
from monitoring.watches.calibration import Calibration, isotonic_fit

Sample = tuple[NDArray[np.float64], NDArray[np.int64]]


@st.composite
def rows(draw: st.DrawFn) -> Sample:
    """Probabilities [n, classes] and labels [n]."""
    count, classes = draw(st.integers(1, 40)), draw(st.integers(2, 4))
    weights = draw(hnp.arrays(np.float64, (count, classes), elements=st.floats(0.001, 1.0)))
    labels = draw(hnp.arrays(np.int64, count, elements=st.integers(0, classes - 1)))
    return weights / weights.sum(axis=1, keepdims=True), labels


def drawn(count: int, seed: int, *, classes: int = 3, power: float = 1.0) -> Sample:
    """A model that answers p while labels follow p to that power, divided by its sum."""
    rng = np.random.default_rng(seed)
    answers = rng.dirichlet(np.full(classes, 0.8), count)
    truth = answers**power / (answers**power).sum(axis=1, keepdims=True)
    labels = (truth.cumsum(axis=1) < rng.random(count)[:, None]).sum(axis=1)
    return answers, np.minimum(labels, classes - 1)


@given(rows())
def test_estimates_lie_between_zero_and_one_and_do_not_depend_on_order(sample: Sample) -> None:
    probabilities, labels = sample
    fitted = Calibration.fit(probabilities, labels)
    calibrated = fitted.calibrated(probabilities)
    np.testing.assert_allclose(calibrated.sum(axis=1), 1.0, atol=1e-9)
    for expected in estimates.calibrated_confidence(probabilities, calibrated).values():
        assert ((expected.losses >= 0) & (expected.losses <= 1)).all()
        assert ((expected.variances >= 0) & (expected.variances <= 0.25 + 1e-12)).all()
    other = Calibration.fit(probabilities[::-1], labels[::-1])
    assert [one.positives.tolist() for one in other.maps] == [one.positives.tolist() for one in fitted.maps]
    assert estimates.confusion(probabilities, calibrated).sum() == pytest.approx(1.0)


@given(rows())
def test_expected_losses_are_the_losses_weighted_by_the_calibrated_probabilities(sample: Sample) -> None:
    probabilities, labels = sample
    calibrated = Calibration.fit(probabilities, labels).calibrated(probabilities)
    found = estimates.calibrated_confidence(probabilities, calibrated)
    for metric, expected in found.items():
        by_class = np.stack(
            [performance.scores(probabilities, np.full(len(labels), k))[metric] for k in range(probabilities.shape[1])],
            axis=1,
        )
        mean = (calibrated * by_class).sum(axis=1)
        np.testing.assert_allclose(expected.losses, mean, atol=1e-9)
        np.testing.assert_allclose(expected.variances, (calibrated * by_class**2).sum(axis=1) - mean**2, atol=1e-9)
    matrix = estimates.confusion(probabilities, calibrated)
    assert 1.0 - np.trace(matrix) == pytest.approx(found["error"].losses.mean())


@given(hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1)), st.data())
def test_the_rising_fit_rises_and_keeps_the_weighted_mean(values: NDArray[np.float64], data: st.DataObject) -> None:
    weights = data.draw(hnp.arrays(np.float64, values.size, elements=st.floats(0.5, 9.0)))
    found = isotonic_fit(values, weights)
    assert (np.diff(found) >= -1e-12).all()
    assert np.dot(found, weights) == pytest.approx(np.dot(values, weights))
    np.testing.assert_allclose(isotonic_fit(np.sort(values), weights), np.sort(values), atol=1e-12)


def test_taking_rows_out_is_the_same_as_never_having_counted_them() -> None:
    answers, labels = drawn(2000, 1)
    fitted = Calibration.fit(answers, labels)
    some = np.arange(0, 2000, 7)
    less = fitted.without(answers[some], labels[some])
    rest = np.setdiff1d(np.arange(2000), some)
    for one, whole, k in zip(less.maps, fitted.maps, range(3), strict=True):
        places = np.searchsorted(whole.edges, answers[rest, k], side="right")
        assert one.rows.tolist() == np.bincount(places, minlength=whole.rows.size).tolist()
        hits = np.bincount(places[labels[rest] == k], minlength=whole.rows.size)
        assert one.positives.tolist() == hits.tolist()


@pytest.mark.parametrize(("classes", "power"), [(2, 0.4), (3, 2.0), (4, 0.5)])
def test_calibrated_confidence_knows_the_loss_of_a_model_that_does_not_know_itself(classes: int, power: float) -> None:
    fitted = Calibration.fit(*drawn(20_000, 2, classes=classes, power=power))
    answers, labels = drawn(20_000, 3, classes=classes, power=power)
    truth = performance.scores(answers, labels)
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


def test_the_threshold_gives_the_error_of_the_rows_it_was_learnt_on() -> None:
    answers, labels = drawn(5000, 4)
    threshold = estimates.confidence_threshold(answers, labels)
    error = (answers.argmax(axis=1) != labels).mean()
    assert estimates.thresholded_confidence(answers, threshold).losses.mean() == pytest.approx(error)
    assert estimates.confidence_threshold(np.array([[1.0, 0.0]]), np.array([1])) == math.inf


def test_doubt_by_hand_and_trust_is_not_given_back() -> None:
    account = trust.checked(trust.checked(IntervalChecks(), missed=True), missed=False)
    stakes = [(q / 0.1 + 1) * (1 - q) / 0.9 for q in (0.2, 0.4, 0.8)]
    assert np.exp(account.log_capital).tolist() == pytest.approx([1 + stake for stake in stakes])
    assert (account.checks, account.misses, account.trusted) == (2, 1, True)
    for _ in range(1000):
        account = trust.checked(account, missed=False)
    assert account.trusted
    for _ in range(3):
        account = trust.checked(account, missed=True)
    assert account.trusted
    account = trust.checked(account, missed=True)
    assert not account.trusted  # the fourth in a row, however long it had been right
    for _ in range(50):
        account = trust.checked(account, missed=False)
    assert not account.trusted


def test_an_estimate_that_keeps_its_level_is_trusted_for_at_least_the_threshold_on_average() -> None:
    rng = np.random.default_rng(5)
    lengths = []
    for missed in rng.random((200, 2000)) < trust.MISS_RATE:
        account = IntervalChecks()
        for one in missed:
            account = trust.checked(account, missed=bool(one))
            if not account.trusted:
                break
        lengths.append(account.checks)  # at most 2,000, which only lowers the mean
    assert np.mean(lengths) > trust.THRESHOLD
