from __future__ import annotations

import math

import pytest

from monitoring.incidents.departure import departure
from tests.monitoring.incidents.alarms import FIRST, alarm, windows


def test_the_mean_since_the_onset_is_compared_with_the_baseline() -> None:
    found = departure(alarm("brier", windows(brier=[0.25, 0.35])))
    assert found.level == pytest.approx(0.3)
    assert (found.expected, found.windows, found.start) == (0.15, 2, FIRST)
    assert found.change == pytest.approx(0.15)


def test_windows_without_a_score_do_not_count() -> None:
    found = departure(alarm("brier", windows(brier=[None, 0.25, None])))
    assert (found.level, found.windows, found.start) == (0.25, 1, FIRST)


def test_a_fall_has_a_negative_change() -> None:
    assert departure(alarm("input:x:location", windows(input__x__location=[0.2]))).change == pytest.approx(-0.3)


def test_without_any_score_nothing_has_changed() -> None:
    found = departure(alarm("brier", windows(brier=[None])))
    assert math.isnan(found.level)
    assert (found.expected, found.windows, found.change) == (0.15, 0, 0.0)
