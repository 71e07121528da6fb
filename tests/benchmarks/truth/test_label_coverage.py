from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth.label_coverage import LabelStream, alarms


@pytest.mark.parametrize(("lost", "least", "most"), [(0.0, 0.0, 0.2), (1.0, 1.0, 1.0)])
def test_labels_missing_at_random_are_quiet_and_lost_ones_are_detected(lost: float, least: float, most: float) -> None:
    labels = LabelStream(name="", rows=200, rate=0.5, baseline_rate=0.5, lost=lost, baseline=30)
    share = alarms(labels, 10, np.random.default_rng(5)).share_with_any(30)
    assert least <= share <= most
