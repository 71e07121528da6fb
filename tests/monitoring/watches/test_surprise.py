"""Surprise: realised minus expected loss, an exact split of any change of a loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from monitoring.records import Watch
from monitoring.watches import performance, surprise
from tests.monitoring.watches.labelled_rows import Sample, samples


@given(samples())
def test_scores_are_between_zero_and_one(sample: Sample) -> None:
    probabilities, labels = sample
    for scores in surprise.scores(probabilities, labels).values():
        assert scores.shape == labels.shape
        assert ((scores >= -1e-12) & (scores <= 1.0 + 1e-12)).all()


@given(samples())
def test_a_loss_is_its_expectation_plus_its_surprise(sample: Sample) -> None:
    probabilities, labels = sample
    losses, expected = performance.scores(probabilities, labels), surprise.expected_losses(probabilities)
    for watch in surprise.WATCHES:
        metric = watch.name.removeprefix("surprise_")
        values = watch.offset + watch.scale * surprise.scores(probabilities, labels)[watch.name]
        np.testing.assert_allclose(losses[metric], expected[metric] + values, atol=1e-12)


@given(samples())
def test_the_expected_loss_is_the_mean_loss_over_labels_drawn_by_the_probabilities(sample: Sample) -> None:
    probabilities, _ = sample
    count, classes = probabilities.shape
    by_label = [performance.scores(probabilities, np.full(count, label)) for label in range(classes)]
    for metric, expected in surprise.expected_losses(probabilities).items():
        mean = sum(probabilities[:, label] * losses[metric] for label, losses in enumerate(by_label))
        np.testing.assert_allclose(expected, mean, atol=1e-9)


@given(samples())
def test_a_confidence_known_already_gives_the_same(sample: Sample) -> None:
    probabilities, _ = sample
    known = surprise.expected_losses(probabilities, probabilities.max(axis=1))
    for metric, expected in surprise.expected_losses(probabilities).items():
        np.testing.assert_array_equal(known[metric], expected)


def test_a_calibrated_model_is_not_surprised_on_average() -> None:
    rng = np.random.default_rng(0)
    late = rng.beta(2, 5, 200_000)
    labels = (rng.random(late.size) < late).astype(np.int64)
    scores = surprise.scores(np.stack([1 - late, late], axis=1), labels)
    assert abs(scores["surprise_brier"].mean() - 0.5) < 0.002
    assert abs(scores["surprise_error"].mean() - 0.5) < 0.002


def test_an_overconfident_model_is_surprised_and_harder_traffic_alone_is_not() -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(0.3, 0.7, 50_000)  # hard rows, but the model knows it
    labels = (rng.random(truth.size) < truth).astype(np.int64)
    honest = surprise.scores(np.stack([1 - truth, truth], axis=1), labels)
    bold = np.where(truth > 0.5, 0.95, 0.05)
    overconfident = surprise.scores(np.stack([1 - bold, bold], axis=1), labels)
    assert honest["surprise_error"].mean() == pytest.approx(0.5, abs=0.01)
    assert overconfident["surprise_error"].mean() > 0.6


@pytest.mark.parametrize("watch", surprise.WATCHES, ids=lambda watch: watch.name)
def test_a_score_of_one_half_is_no_surprise(watch: Watch) -> None:
    assert watch.value(0.5) == 0.0
    assert (watch.value(0.0), watch.value(1.0)) == (-1.0, 1.0)
    assert (watch.level, watch.needs_label) == ("page", True)
