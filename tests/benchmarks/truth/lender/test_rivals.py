"""Control charts: what they alarm on, and that tuning gives the rate asked for."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth.lender.rivals import CHARTS, alarms, common_threshold, own_thresholds
from benchmarks.truth.lender.streams import Losses


def normal_losses(seed: int, streams: int, days: int, rise: float = 0.0) -> Losses:
    rng = np.random.default_rng(seed)
    return Losses(
        errors=rng.normal(0.2 + rise, 0.02, (streams, days)), brier=rng.normal(0.16 + rise, 0.02, (streams, days))
    )


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_tuned_on_clean_years_has_as_many_alarms_there(name: str) -> None:
    reference, clean = normal_losses(0, 20, 90), normal_losses(1, 20, 365)
    threshold = common_threshold(CHARTS[name], reference, clean, 1.0)
    assert alarms(CHARTS[name], reference, clean, threshold).mean() * 365 == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize("name", CHARTS)
def test_a_rise_is_found_and_a_fall_is_not(name: str) -> None:
    reference, thresholds = normal_losses(0, 5, 90), np.full(5, 6.0)
    assert alarms(CHARTS[name], reference, normal_losses(2, 5, 40, rise=0.06), thresholds).any(axis=1).all()
    assert not alarms(CHARTS[name], reference, normal_losses(3, 5, 40, rise=-0.06), thresholds).any()


def test_thresholds_of_single_references_lie_around_the_common_one() -> None:
    reference, clean = normal_losses(0, 6, 90), normal_losses(1, 6, 365)
    own = own_thresholds(CHARTS["CUSUM"], reference, 2.0, seed=0)
    assert own.shape == (6,)
    assert 2.0 < float(own.min()) <= float(own.max()) < 20.0
    assert float(common_threshold(CHARTS["CUSUM"], reference, clean, 2.0)[0]) < 20.0
