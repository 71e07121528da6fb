"""Calibration: isotonic maps on counts, from which rows can be taken out exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from monitoring.watches.calibration import MAX_BINS, ROWS_PER_BIN, Calibration, ClassCalibration, isotonic_fit
from tests.monitoring.watches.labelled_rows import Sample, drawn, samples

Floats = NDArray[np.float64]


@given(hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1)), st.data())
def test_an_isotonic_fit_rises_and_keeps_the_weighted_mean(values: Floats, data: st.DataObject) -> None:
    weights = data.draw(hnp.arrays(np.float64, values.size, elements=st.floats(0.5, 9.0)))
    found = isotonic_fit(values, weights)
    assert (np.diff(found) >= -1e-12).all()
    assert np.dot(found, weights) == pytest.approx(np.dot(values, weights))
    np.testing.assert_allclose(isotonic_fit(np.sort(values), weights), np.sort(values), atol=1e-12)


@given(hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1)), st.data())
def test_no_other_rising_sequence_is_nearer(values: Floats, data: st.DataObject) -> None:
    weights = np.ones(values.size)
    found = isotonic_fit(values, weights)
    other = np.sort(data.draw(hnp.arrays(np.float64, values.size, elements=st.floats(0, 1))))
    assert ((found - values) ** 2).sum() <= ((other - values) ** 2).sum() + 1e-9


@given(samples(most=40))
def test_calibrated_probabilities_sum_to_one_and_do_not_depend_on_the_order_of_rows(sample: Sample) -> None:
    probabilities, labels = sample
    fitted = Calibration.fit(probabilities, labels)
    calibrated = fitted.calibrated(probabilities)
    np.testing.assert_allclose(calibrated.sum(axis=1), 1.0, atol=1e-9)
    assert ((calibrated >= 0.0) & (calibrated <= 1.0)).all()
    other = Calibration.fit(probabilities[::-1], labels[::-1])
    assert [one.positives.tolist() for one in other.maps] == [one.positives.tolist() for one in fitted.maps]


@given(samples(classes=2, most=40))
def test_of_two_classes_a_higher_probability_is_never_calibrated_to_a_lower_one(sample: Sample) -> None:
    probabilities, labels = sample
    fitted = Calibration.fit(probabilities, labels)
    order = np.argsort(probabilities[:, 1])
    assert (np.diff(fitted.calibrated(probabilities)[order, 1]) >= -1e-12).all()
    bins = fitted.bins(probabilities)
    np.testing.assert_array_equal(fitted.of_bins(bins), fitted.calibrated(probabilities))


def test_taking_rows_out_is_the_same_as_never_having_counted_them() -> None:
    answers, labels = drawn(2000, 1)
    fitted = Calibration.fit(answers, labels)
    some = np.arange(0, 2000, 7)
    less = fitted.without(answers[some], labels[some])
    rest = np.setdiff1d(np.arange(2000), some)
    for one, whole, k in zip(less.maps, fitted.maps, range(3), strict=True):
        bins = np.searchsorted(whole.edges, answers[rest, k], side="right")
        assert one.rows.tolist() == np.bincount(bins, minlength=whole.rows.size).tolist()
        positives = np.bincount(bins[labels[rest] == k], minlength=whole.rows.size)
        assert one.positives.tolist() == positives.tolist()


def test_a_bin_that_has_lost_its_rows_has_its_mean_probability() -> None:
    fitted = ClassCalibration(
        edges=np.array([0.5]), rows=np.array([0, 9]), positives=np.array([0, 9]), bin_means=np.array([0.2, 0.8])
    )
    assert fitted.values().tolist() == pytest.approx([0.2, 9.8 / 10])


@pytest.mark.parametrize(("rows", "bins"), [(10, 1), (ROWS_PER_BIN * 4, 4), (ROWS_PER_BIN * 500, MAX_BINS)])
def test_bins_are_as_many_as_rows_allow(rows: int, bins: int) -> None:
    scores = np.random.default_rng(2).random(rows)
    fitted = ClassCalibration.fit(scores, scores > 0.5)
    assert fitted.rows.size == bins
    assert fitted.rows.sum() == rows
    assert fitted.rows.min() >= 0.5 * rows / bins


def test_equal_probabilities_share_one_bin() -> None:
    scores = np.repeat([0.2, 0.8], 500)
    fitted = ClassCalibration.fit(scores, scores > 0.5)
    assert sorted(fitted.rows[fitted.rows > 0].tolist()) == [500, 500]


def test_rows_beyond_the_fitted_range_are_calibrated_to_the_nearest_bin() -> None:
    answers, labels = drawn(2000, 3, classes=2, power=2.0)
    fitted = Calibration.fit(answers, labels)
    ends = fitted.calibrated(np.array([[1.0, 0.0], [0.0, 1.0]]))[:, 1]
    assert ends.tolist() == [fitted.values[0][0], fitted.values[0][-1]]
