"""An improvement that lasts is a finding; chance, a short one and a small one are none."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from monitoring.judging.in_sample import IMPROVED, LASTING_WINDOWS, Floats, improvement_findings
from monitoring.records import WatchKey
from tests.monitoring.incidents.alarms import baseline, windows

#: The test baseline's error rate is 20 %, with a standard deviation of 2 points between its 60 windows.
BASELINE = baseline()


def messages(errors: list[float], means: Mapping[WatchKey, Floats] | None = None) -> list[str]:
    found = improvement_findings(windows(error=errors), BASELINE, means or {})
    assert {one.kind for one in found} <= {IMPROVED}
    assert not any(one.fact for one in found)
    return [one.message for one in found]


def test_four_weeks_below_the_benchmark_are_told_in_the_metric() -> None:
    (message,) = messages([0.2] * 10 + [0.15] * LASTING_WINDOWS)
    assert message.startswith(
        "Error rate 20.0 \N{RIGHTWARDS ARROW} 15.0 % over the last 28 windows (2,800 rows): better than the benchmark."
    )
    assert "`pitfalls monitor rebaseline`" in message


@pytest.mark.parametrize(
    "errors",
    [
        [0.15] * (LASTING_WINDOWS - 1),
        [0.2] * 5 + [0.25] * LASTING_WINDOWS,
        [0.2] * 5 + [0.192] * LASTING_WINDOWS,
        [0.2] * 20 + [0.1] * 3,
    ],
    ids=["too few windows", "worse", "within the tolerance", "too short"],
)
def test_anything_else_is_none(errors: list[float]) -> None:
    assert not messages(errors)


def test_windows_that_follow_each_other_closely_need_a_larger_fall() -> None:
    slow = np.sin(np.arange(60) / 8.0)
    fall = [0.175] * LASTING_WINDOWS
    assert messages(fall)
    assert not messages(fall, {WatchKey(watch="error"): slow})


def test_quiet_windows_are_hardly_ever_an_improvement() -> None:
    rng = np.random.default_rng(3)
    runs = rng.normal(0.2, 0.02, size=(300, LASTING_WINDOWS))
    assert sum(bool(messages(run.tolist())) for run in runs) <= 1
