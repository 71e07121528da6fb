from __future__ import annotations

import pytest

from monitoring.incidents.cause import explain
from tests.monitoring.incidents.alarms import alarm, windows


def test_a_cause_has_the_watch_its_rise_and_its_numbers() -> None:
    found = alarm(
        "surprise_brier",
        windows(
            brier=[0.15] * 20 + [0.4] * 4,
            surprise_brier=[0.0] * 20 + [0.3] * 4,
            input__y__location=[0.0] * 20 + [0.2] * 4,
        ),
        notice={"input:y:location": 100.0},
    )
    cause = explain(found)
    assert (cause.watch, cause.slice) == ("surprise_brier", "")
    assert cause.rise == pytest.approx(0.3)
    assert cause.detail.split is not None
    assert cause.detail.split.change == pytest.approx(0.25)
    assert [move.input for move in cause.detail.inputs] == ["y"]
    assert not cause.detail.parts
    assert not cause.detail.rows


def test_the_numbers_are_those_since_the_onset_only() -> None:
    late = explain(alarm("brier", windows(brier=[0.15] * 30 + [0.4], surprise_brier=[0.0] * 30 + [0.2])))
    assert late.rise == pytest.approx(0.25)
    assert "0.400 since 1 May 2013 (100 rows)" in late.message


def test_the_same_alarm_has_the_same_cause() -> None:
    made = windows(brier=[0.15, 0.4, 0.5], surprise_brier=[0.0, 0.2, 0.3])
    assert explain(alarm("brier", made)) == explain(alarm("brier", made))
