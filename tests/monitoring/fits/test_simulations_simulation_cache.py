"""A simulation is run once for the same content, and again where anything of it differs."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from monitoring.evidence.budget import Budget
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.level import LevelTest
from monitoring.fits import simulations
from monitoring.fits.simulations import SimulationCache
from monitoring.records import WatchKey

KEY = WatchKey(watch="error", slice="")
SCORES = np.linspace(0.1, 0.3, 30)


def level(scores: np.ndarray = SCORES, *, tolerance: float = 0.0) -> LevelTest:
    test = ConformalTest.fit(list(scores), tolerance=tolerance)
    budget = Budget(alarms=1, windows=365)
    return LevelTest(level="page", budget=budget, tests={KEY: test}, shares={KEY: 1.0}, min_rows=1)


def test_equal_content_is_simulated_once() -> None:
    cache, numbers = SimulationCache[int](), count()
    results = [cache.get(level(), {KEY: SCORES.copy()}, lambda: next(numbers)) for _ in range(3)]
    assert results == [0, 0, 0]


def test_any_difference_is_simulated_again() -> None:
    cache, numbers = SimulationCache[int](), count()
    nudged = SCORES.copy()
    nudged[3] = np.nextafter(nudged[3], 1.0)
    settings = [
        (level(), {KEY: SCORES}),
        (level(tolerance=0.01), {KEY: SCORES}),
        (level().with_ar1({KEY: 0.25}), {KEY: SCORES}),
        (replace(level(), min_rows=2), {KEY: SCORES}),
        (level(), {KEY: nudged}),
        (level(), {KEY: SCORES[:-1]}),
        (level(), {WatchKey(watch="brier", slice=""): SCORES}),
    ]
    assert [cache.get(*one, lambda: next(numbers)) for one in settings] == list(range(7))


def test_what_was_not_asked_for_the_longest_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulations, "MAX_RESULTS", 2)
    cache, numbers = SimulationCache[int](), count()
    asked = ["a", "b", "a", "c", "a", "b"]
    assert [cache.get(one, {}, lambda: next(numbers)) for one in asked] == [0, 1, 0, 2, 0, 3]


def test_a_failed_simulation_leaves_nothing() -> None:
    cache = SimulationCache[int]()

    def fails() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.get("a", {}, fails)
    assert cache.get("a", {}, lambda: 1) == 1
