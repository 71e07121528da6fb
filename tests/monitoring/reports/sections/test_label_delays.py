from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring.records import MonitorStatus
from monitoring.reports.sections.label_delays import label_delay_sentence
from monitoring.watches.label_delays import delay_counts

HOUR_US = 3_600_000_000


def with_delays(status: MonitorStatus, hours: list[int]) -> MonitorStatus:
    arrived = np.asarray(hours, np.int64) * HOUR_US
    counts = delay_counts(np.zeros(len(hours), np.int64), arrived) if hours else ()
    return replace(status, windows=(replace(status.windows[0], label_delays=counts),))


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        ([], ""),
        ([0, 0, 0], ""),
        ([1] * 10, "Of the labels that arrived, half arrived within 1 h, 90 % within 1 h."),
        ([1] * 8 + [100 * 24] * 2, "Of the labels that arrived, half arrived within 1 h."),
        ([100 * 24] * 10, "Most labels took longer than 90 days."),
    ],
)
def test_the_median_and_the_ninth_decile_are_named(status: MonitorStatus, hours: list[int], sentence: str) -> None:
    assert label_delay_sentence(with_delays(status, hours)) == sentence
