from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.evidence.memory import LONGEST, cautious, memories, remembered


def days(rng: np.random.Generator, windows: int, memory: float) -> NDArray[np.float64]:
    scores = rng.normal(size=windows)
    for window in range(1, windows):
        scores[window] = memory * scores[window - 1] + np.sqrt(1.0 - memory**2) * scores[window]
    return scores


@pytest.mark.parametrize("memory", [0.0, 0.3, 0.5, 0.7])
@pytest.mark.parametrize("windows", [20, 90])
def test_the_estimate_is_right_on_average_however_short_the_baseline(memory: float, windows: int) -> None:
    rng = np.random.default_rng(1)
    found = [remembered(days(rng, windows, memory)) for _ in range(1500)]
    assert np.mean(found) == pytest.approx(memory, abs=0.03 if windows == 90 else 0.1)


def test_two_of_three_baselines_without_memory_pay_nothing_and_memory_is_seldom_missed() -> None:
    rng = np.random.default_rng(2)
    independent = [cautious(remembered(days(rng, 90, 0.0)), 90) for _ in range(500)]
    assert np.mean(np.asarray(independent) == 0.0) > 0.6
    for memory in (0.3, 0.5, 0.7):
        restless = np.asarray([cautious(remembered(days(rng, 90, memory)), 90) for _ in range(300)])
        assert np.mean(restless < memory - 0.1) < 0.15


@given(st.lists(st.floats(0.0, 1.0), min_size=5, max_size=60))
def test_memory_lies_between_none_and_the_longest(scores: list[float]) -> None:
    found = memories({"one": np.asarray(scores), "other": np.linspace(0.0, 1.0, 30)})
    assert all(0.0 <= value <= LONGEST for value in found.values())


def test_no_watch_works_with_less_memory_than_its_level_has_on_average() -> None:
    rng = np.random.default_rng(3)
    scores = {str(place): days(rng, 20, 0.6) for place in range(40)}
    level = float(np.mean([remembered(values) for values in scores.values()]))
    assert min(memories(scores).values()) >= level > 0.4
    assert memories(scores | {"still": np.full(20, 0.3)})["still"] == 0.0
