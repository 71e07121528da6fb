"""The scores of a day are those that the product's watches have."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth.lender.law import calm_day
from benchmarks.truth.lender.sensitivity import window_scores


def test_scores_of_a_day_are_losses_surprises_and_estimates() -> None:
    day = calm_day(1, np.random.default_rng(0), rows=50_000, day_effect=0.0)
    scores = window_scores(day)
    assert scores["error"] == pytest.approx(float(day.errors.mean()))
    assert scores["brier"] == pytest.approx(day.brier)
    for loss in ("error", "brier"):
        assert 2.0 * scores[f"surprise_{loss}"] - 1.0 == pytest.approx(scores[loss] - scores[f"estimated_{loss}"])
        assert scores[f"surprise_{loss}"] == pytest.approx(0.5, abs=0.004), "a calibrated model"
