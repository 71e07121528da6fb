"""The smallest harm that a level detects within a number of windows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.level import LevelTest
from monitoring.evidence.sensitivity import HORIZONS, POWER, SIZES, Harm, smallest_detectable_harms
from monitoring.evidence.simulation import SimulatedStreams, StreamSampling, VectorizedTests
from monitoring.records import WatchKey

ERROR, SURPRISE = WatchKey(watch="error"), WatchKey(watch="surprise_error")


def autocorrelated(rng: np.random.Generator, count: int, ar1: float) -> NDArray[np.float64]:
    """Scores about .2 with a standard deviation of .03 and that AR(1) coefficient."""
    noise = rng.normal(0.0, 0.03, count)
    for window in range(1, count):
        noise[window] = ar1 * noise[window - 1] + math.sqrt(1.0 - ar1**2) * noise[window]
    return noise + 0.2


def level_of(baseline: dict[WatchKey, NDArray[np.float64]]) -> LevelTest:
    ar1 = level_ar1(baseline)
    return LevelTest(
        level="page",
        budget=Budget(alarms=1, windows=365),
        tests={key: ConformalTest.fit(scores, tolerance=0.01, ar1=ar1[key]) for key, scores in baseline.items()},
        shares=weights(baseline),
        min_rows=1,
    )


@pytest.mark.parametrize("ar1", [0.0, 0.5])
def test_a_harm_of_the_size_reported_is_detected_that_soon(ar1: float) -> None:
    baseline = {ERROR: autocorrelated(np.random.default_rng(5), 90, ar1)}
    test = level_of(baseline)
    assert (test.tests[ERROR].ar1 > 0.3) == (ar1 > 0.0)
    harm = Harm(metric="error", slice="", score_shifts={ERROR: 1.0}, largest=0.8)
    found = smallest_detectable_harms(test, baseline, [harm], np.random.default_rng(0))
    rises = [entry.rise for entry in found]
    assert [entry.windows for entry in found] == list(HORIZONS)
    assert all(rise is not None for rise in rises)
    assert rises == sorted(rises, reverse=True)  # type: ignore[type-var]  # none is None, as asserted above
    # Planted in fresh streams of the same law, each is detected in time in about nine of ten.
    for entry in found:
        streams = np.stack(
            [autocorrelated(np.random.default_rng(1000 + seed), entry.windows, ar1) for seed in range(200)]
        )
        tests = VectorizedTests([test.tests[ERROR]], len(streams))
        paths = [tests.step(streams[:, [window]] + (entry.rise or 0.0)) for window in range(entry.windows)]
        assert (np.stack(paths).max(axis=0) >= 365.0).mean() >= 0.8


def test_bisection_finds_the_first_size_that_is_detected_often_enough() -> None:
    baseline = {ERROR: autocorrelated(np.random.default_rng(6), 40, 0.0)}
    test = level_of(baseline)
    harm = Harm(metric="error", slice="origin=EWR", score_shifts={ERROR: 1.0}, largest=0.5)
    found = smallest_detectable_harms(test, baseline, [harm], np.random.default_rng(1), simulations=40)
    streams = SimulatedStreams(
        test,
        baseline,
        np.random.default_rng(1),
        StreamSampling(simulations=40, windows=max(HORIZONS), resample_reference=True),
    )
    for entry in found:
        shares = [
            float((streams.first_alarms({ERROR: float(size) * 0.5}) <= entry.windows).mean()) for size in SIZES.tolist()
        ]
        first = next(size for size, share in zip(SIZES.tolist(), shares, strict=True) if share >= POWER)
        assert (entry.metric, entry.slice, entry.rise) == ("error", "origin=EWR", first * 0.5)


def test_a_harm_that_no_size_shows_has_no_rise() -> None:
    baseline = {ERROR: autocorrelated(np.random.default_rng(7), 30, 0.0)}
    harm = Harm(metric="brier", slice="", score_shifts={SURPRISE: 1.0}, largest=0.8)  # a watch of no test
    found = smallest_detectable_harms(level_of(baseline), baseline, [harm], np.random.default_rng(2), simulations=20)
    assert [entry.rise for entry in found] == [None] * len(HORIZONS)


def test_a_harm_that_moves_more_watches_is_detected_at_a_smaller_size() -> None:
    rng = np.random.default_rng(8)
    baseline = {ERROR: autocorrelated(rng, 60, 0.0), SURPRISE: autocorrelated(rng, 60, 0.0)}
    harms = [
        Harm(metric="one", slice="", score_shifts={ERROR: 1.0}, largest=0.5),
        Harm(metric="both", slice="", score_shifts={ERROR: 1.0, SURPRISE: 1.0}, largest=0.5),
    ]
    found = smallest_detectable_harms(level_of(baseline), baseline, harms, np.random.default_rng(3), simulations=60)
    one, both = found[: len(HORIZONS)], found[len(HORIZONS) :]
    assert [entry.metric for entry in both] == ["both"] * len(HORIZONS)
    for alone, together in zip(one, both, strict=True):
        assert (together.rise or math.inf) <= (alone.rise or math.inf)


def test_without_harms_nothing_is_simulated() -> None:
    rng = np.random.default_rng(9)
    assert smallest_detectable_harms(level_of({ERROR: autocorrelated(rng, 20, 0.0)}), {}, [], rng) == ()
