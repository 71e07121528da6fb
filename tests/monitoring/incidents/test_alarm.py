from __future__ import annotations

import pytest

from monitoring.incidents.alarm import score_of
from monitoring.records import WatchKey
from tests.monitoring.incidents.alarms import WATCHES, alarm, window, windows

BRIER = WatchKey(watch="brier")


def test_an_alarm_is_named_by_the_watch_with_the_largest_share() -> None:
    made = alarm("missing:z", windows(missing__z=[0.2]))
    assert made.key == WatchKey(watch="missing:z")
    assert made.share == 0.75
    assert made.watch is WATCHES["missing:z"]


def test_the_threshold_is_that_of_the_level_that_alarmed() -> None:
    assert alarm("brier", windows(brier=[0.2])).threshold == 365.0
    assert alarm("joint", windows(joint=[0.7])).threshold == 30.0


def test_the_excess_is_the_score_less_what_the_baseline_expects() -> None:
    made = alarm("brier", windows(brier=[0.25, None]))
    assert made.excess(made.windows[0], BRIER) == pytest.approx(0.1)
    assert made.excess(made.windows[1], BRIER) is None


def test_a_score_is_found_by_watch_and_slice() -> None:
    one = window(0, {"brier": 0.1, "brier@origin=EWR": 0.3})
    assert score_of(one, WatchKey(watch="brier", slice="origin=EWR")) == 0.3
    assert score_of(one, BRIER) == 0.1
    assert score_of(one, WatchKey(watch="error")) is None
