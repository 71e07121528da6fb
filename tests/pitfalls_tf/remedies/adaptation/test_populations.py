"""Populations of a batch: training rows and target rows, or the source domains."""

from __future__ import annotations

import numpy as np
import pytest

from pitfalls_tf.remedies.adaptation.populations import mean_over_pairs, populations
from tests.pitfalls_tf.remedies.adaptation.embeddings import DOMAINS, HERE, THERE, outputs


def test_training_rows_and_target_rows_are_two_populations() -> None:
    embedding, member = populations(outputs(HERE), outputs(THERE), 0)
    assert (embedding.numpy() == np.concatenate([HERE, THERE])).all()
    assert member.numpy().argmax(axis=1).tolist() == [0] * 12 + [1] * 10


def test_source_domains_are_populations_of_which_some_may_be_empty() -> None:
    embedding, member = populations(outputs(HERE, DOMAINS), None, 4)
    assert (embedding.numpy() == HERE).all()
    assert member.numpy().sum(axis=0).tolist() == [4, 5, 0, 3]


def test_the_mean_is_over_pairs_that_both_have_enough_rows() -> None:
    distances = np.array([[0, 1, 2], [1, 0, 4], [2, 4, 0]], dtype=np.float32)
    for counts, fewest, expected in (
        ([3, 3, 3], 1.0, 7 / 3),
        ([3, 0, 3], 1.0, 2.0),
        ([3, 1, 3], 2.0, 2.0),
        ([3, 0, 0], 1.0, 0.0),
    ):
        found = mean_over_pairs(distances, np.array(counts, dtype=np.float32), fewest=fewest)
        assert float(found) == pytest.approx(expected)


def test_an_empty_population_does_not_spoil_the_mean_by_its_nan() -> None:
    distances = np.array([[0, np.nan], [np.nan, 0]], dtype=np.float32)
    assert float(mean_over_pairs(distances, np.array([3.0, 0.0], dtype=np.float32))) == 0
