"""Means of metrics over windows."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.records import MeasuredMetric
from monitoring.watches.measured.window_means import over_windows


def test_means_over_windows_weigh_by_rows_and_have_the_interval_of_windows() -> None:
    def one(value: float, rows: int, name: str = "auc") -> MeasuredMetric:
        return MeasuredMetric(metric=name, rows=rows, value=value, low=value, high=value)

    found = {each.metric: each for each in over_windows([[one(0.6, 10), one(0.5, 10, "f1")], [one(0.9, 20)]])}
    assert found["auc"].value == pytest.approx(0.8)
    assert found["auc"].rows == 30
    assert found["auc"].high - 0.8 == pytest.approx(1.96 * np.sqrt(2 * (4.0 + 4.0)) / 30)
    assert found["f1"].low == found["f1"].high == 0.5
    assert over_windows([]) == ()
