from __future__ import annotations

import numpy as np
import pytest

from benchmarks.alike_truth import WATCHES, drawn
from benchmarks.law_truth import LAWS, SPREAD


@pytest.mark.parametrize("alike", [0.0, 0.6, 0.95])
def test_watches_of_a_level_correlate_as_told_and_vary_as_their_law(alike: float) -> None:
    scores = drawn(LAWS["normal"], np.random.default_rng(0), 2, 20_000, alike)
    assert scores.shape == (2, WATCHES, 20_000)
    assert scores.std(axis=2) == pytest.approx(SPREAD, rel=0.03)
    for level in scores:
        others = np.corrcoef(level)[np.triu_indices(WATCHES, 1)]
        assert others == pytest.approx(alike, abs=0.04)
