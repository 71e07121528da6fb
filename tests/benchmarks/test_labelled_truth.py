"""The streams of labels: quiet where labels come for all alike, and told where they do not."""

from __future__ import annotations

import numpy as np

from benchmarks.labelled_truth import Labels, alarms


def test_labels_that_come_for_all_alike_are_quiet_and_lost_ones_are_told() -> None:
    for lost, least, most in ((0.0, 0.0, 0.2), (1.0, 1.0, 1.0)):
        labels = Labels(name="", rows=200, rate=0.5, known=0.5, lost=lost, baseline=30)
        share = alarms(labels, 10, np.random.default_rng(5)).share_with_any(30)
        assert least <= share <= most
