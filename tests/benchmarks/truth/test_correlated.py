from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth.correlated import WATCHES, correlated_scores
from benchmarks.truth.distributions import DISTRIBUTIONS, STD


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.95])
def test_watches_of_a_level_have_the_requested_correlation_and_standard_deviation(correlation: float) -> None:
    scores = correlated_scores(DISTRIBUTIONS["normal"], np.random.default_rng(0), 2, 20_000, correlation)
    assert scores.shape == (2, WATCHES, 20_000)
    assert scores.std(axis=2) == pytest.approx(STD, rel=0.03)
    for level in scores:
        others = np.corrcoef(level)[np.triu_indices(WATCHES, 1)]
        assert others == pytest.approx(correlation, abs=0.04)
