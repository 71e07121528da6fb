"""Losses of labelled predictions: bounded, independent of order, and those of the literature."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from monitoring.records import Watch
from monitoring.watches import performance
from tests.monitoring.watches.labelled_rows import Sample, samples


@given(samples())
def test_losses_are_between_zero_and_one(sample: Sample) -> None:
    probabilities, labels = sample
    for losses in performance.scores(probabilities, labels).values():
        assert losses.shape == labels.shape
        assert (losses >= -1e-12).all()
        assert (losses <= 1.0 + 1e-12).all()


@given(samples())
def test_losses_are_those_of_their_definitions(sample: Sample) -> None:
    probabilities, labels = sample
    found = performance.scores(probabilities, labels)
    one_hot = np.eye(probabilities.shape[1])[labels]
    np.testing.assert_allclose(found["brier"], ((probabilities - one_hot) ** 2).sum(axis=1) / 2.0, atol=1e-12)
    np.testing.assert_array_equal(found["error"], probabilities.argmax(axis=1) != labels)


@given(samples(classes=2))
def test_for_two_classes_the_brier_score_is_the_squared_error_of_one_probability(sample: Sample) -> None:
    probabilities, labels = sample
    found = performance.scores(probabilities, labels)["brier"]
    np.testing.assert_allclose(found, (probabilities[:, 1] - labels) ** 2, atol=1e-12)


@given(samples())
def test_the_order_of_rows_does_not_change_a_rows_loss(sample: Sample) -> None:
    probabilities, labels = sample
    found, reverse = performance.scores(probabilities, labels), performance.scores(probabilities[::-1], labels[::-1])
    for name, losses in found.items():
        np.testing.assert_array_equal(losses, reverse[name][::-1])


def test_more_wrong_probability_is_more_loss() -> None:
    wrong = np.linspace(0.0, 1.0, 11)
    found = performance.scores(np.stack([wrong, 1.0 - wrong], axis=1), np.ones(11, np.int64))
    assert (np.diff(found["brier"]) > 0.0).all()
    assert (np.diff(found["error"]) >= 0.0).all()


def test_without_rows_there_are_no_losses() -> None:
    found = performance.scores(np.zeros((0, 3)), np.zeros(0, np.int64))
    assert {name: losses.shape for name, losses in found.items()} == {"error": (0,), "brier": (0,)}


@pytest.mark.parametrize("watch", performance.WATCHES, ids=lambda watch: watch.name)
def test_the_watches_on_losses_page_and_need_labels(watch: Watch) -> None:
    assert (watch.family, watch.level, watch.needs_label, watch.direction) == ("performance", "page", True, "up")
