"""CORAL against its definition, in numpy and by hand."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from pitfalls_tf.remedies.adaptation.methods import Coral
from tests.pitfalls_tf.remedies.adaptation.embeddings import DOMAINS, HERE, THERE, outputs, value_of


def coral(one: Any, other: Any) -> float:
    gap = np.cov(one, rowvar=False) - np.cov(other, rowvar=False)
    return float((gap**2).sum() / (4 * one.shape[1] ** 2))


def test_coral_by_hand_and_as_numpy_has_it() -> None:
    # Variances 2 and 8 of one column: (2 - 8)² / 4.
    assert value_of(
        Coral(), outputs(np.array([[0.0], [2.0]], np.float32)), outputs(np.array([[0.0], [4.0]], np.float32))
    ) == pytest.approx(9)
    assert value_of(Coral(weight=2), outputs(HERE), outputs(THERE)) == pytest.approx(2 * coral(HERE, THERE), rel=1e-5)
    assert value_of(Coral(), outputs(HERE), outputs(HERE + 5)) == pytest.approx(0, abs=1e-6)


def test_between_sources_it_is_the_mean_over_pairs_of_domains_that_are_there() -> None:
    parts = [HERE[domain == DOMAINS] for domain in (0, 1, 3)]
    expected = np.mean([coral(one, other) for one, other in combinations(parts, 2)])
    assert value_of(Coral(domains=4), outputs(HERE, DOMAINS)) == pytest.approx(expected, rel=1e-5)
    assert value_of(Coral(domains=4), outputs(HERE, np.zeros(12))) == 0


def test_a_domain_with_one_row_has_no_covariance_and_is_left_out() -> None:
    domains = np.array([0] * 6 + [1] * 5 + [2])
    expected = coral(HERE[:6], HERE[6:11])
    assert value_of(Coral(domains=3), outputs(HERE, domains)) == pytest.approx(expected, rel=1e-5)


def test_a_target_is_needed_unless_between_sources() -> None:
    assert Coral().needs_target
    assert not Coral(domains=4).needs_target
