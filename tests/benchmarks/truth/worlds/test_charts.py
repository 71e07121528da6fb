from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth.worlds.charts import CHARTS, Series, alarms, nominal_rate, own_thresholds


@pytest.mark.slow
@pytest.mark.parametrize("chart", sorted(CHARTS))
def test_a_chart_alarms_as_often_as_it_is_tuned_to_and_finds_a_rise(chart: str) -> None:
    rng = np.random.default_rng(0)
    clean = Series(reference=rng.normal(size=(12, 400, 2)), live=rng.normal(size=(12, 365, 2)))
    asked = nominal_rate(CHARTS[chart], clean, 1.0, 1)
    thresholds = own_thresholds(CHARTS[chart], clean.reference, asked, 1)
    yearly = alarms(CHARTS[chart], clean, thresholds).mean() * 365.0
    assert 0.0 < yearly <= 1.0
    risen = Series(reference=clean.reference, live=clean.live + 2.0)
    assert alarms(CHARTS[chart], risen, thresholds)[:, :10].any(axis=1).all()
