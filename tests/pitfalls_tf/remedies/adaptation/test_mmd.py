"""MMD against its definition, in numpy and by hand."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pitfalls_tf.remedies.adaptation.mmd import Mmd, median, squared_distances
from tests.pitfalls_tf.remedies.adaptation.embeddings import DOMAINS, HERE, THERE, outputs, value_of


def mmd(one: Any, other: Any, bandwidths: Any) -> float:
    def kernel(left: Any, right: Any) -> float:
        squares = ((left[:, None] - right[None]) ** 2).sum(-1)
        return float(np.mean([np.exp(-squares / width).mean() for width in bandwidths]))

    return kernel(one, one) + kernel(other, other) - 2 * kernel(one, other)


def test_mmd_by_hand_and_as_numpy_has_it() -> None:
    # Two points one apart: the only distance is the median, 1, so MMD² = 2 - 2/e.
    assert value_of(
        Mmd(factors=(1.0,)), outputs(np.zeros((1, 1), np.float32)), outputs(np.ones((1, 1), np.float32))
    ) == pytest.approx(2 - 2 / np.e, rel=1e-5)
    both = np.concatenate([HERE, THERE])
    squares = ((both[:, None] - both[None]) ** 2).sum(-1)[~np.eye(22, dtype=bool)]
    # Each pair occurs twice, so the upper of the middle two is the median of an odd number of pairs.
    assert len(squares) // 2 % 2 == 1
    widths = np.median(squares) * np.array([0.25, 0.5, 1, 2, 4])
    assert value_of(Mmd(), outputs(HERE), outputs(THERE)) == pytest.approx(mmd(HERE, THERE, widths), rel=1e-4)
    assert value_of(Mmd(), outputs(HERE), outputs(HERE)) == pytest.approx(0, abs=1e-6)
    assert value_of(Mmd(rows=5), outputs(HERE), outputs(THERE)) == pytest.approx(
        value_of(Mmd(), outputs(HERE[:5]), outputs(THERE[:5]))
    )


def test_between_sources_it_is_the_mean_over_pairs_of_domains_that_are_there() -> None:
    parts = [HERE[domain == DOMAINS] for domain in (0, 1, 3)]
    squares = np.sort(((HERE[:, None] - HERE[None]) ** 2).sum(-1)[~np.eye(12, dtype=bool)])
    widths = squares[len(squares) // 2] * np.array([0.25, 0.5, 1, 2, 4])
    expected = np.mean([mmd(one, other, widths) for one, other in combinations(parts, 2)])
    assert value_of(Mmd(domains=4), outputs(HERE, DOMAINS)) == pytest.approx(expected, rel=1e-4)
    assert value_of(Mmd(domains=4), outputs(HERE, np.zeros(12))) == 0


def test_distances_are_never_negative_and_the_median_never_zero() -> None:
    same = tf.constant(np.full((5, 3), 1e3, dtype=np.float32))
    squares = squared_distances(same)
    assert (squares.numpy() >= 0).all()
    assert float(median(squares)) > 0
