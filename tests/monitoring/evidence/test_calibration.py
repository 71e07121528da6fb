from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from monitoring.evidence import calibration
from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.calibration import MAX_SCALE, MIN_CALIBRATION_WINDOWS, MIN_SCALE, SPENT, calibrated_log_scale
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.level import LevelTest
from monitoring.evidence.simulation import VectorizedTests
from monitoring.records import WatchKey

Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]

LAWS: dict[str, Draw] = {
    "normal": lambda rng, shape: rng.normal(0.2, 0.03, shape),
    "skewed": lambda rng, shape: rng.gamma(4.0, 0.02, shape),
}


def keys_of(watches: int) -> list[WatchKey]:
    return [WatchKey(watch=f"loss{number}") for number in range(watches)]


def level_of(
    baseline: dict[WatchKey, NDArray[np.float64]], *, threshold: int = 100, ar1: float = 0.0, min_std: float = 1e-6
) -> LevelTest:
    return LevelTest(
        level="page",
        budget=Budget(alarms=1, windows=threshold),
        tests={
            key: ConformalTest.fit(scores, tolerance=0.0, ar1=ar1, min_std=min_std).with_fixed_reference()
            for key, scores in baseline.items()
        },
        shares=weights(baseline),
        min_rows=1,
    )


def scale_of(baseline: dict[WatchKey, NDArray[np.float64]], **settings: float) -> float:
    test = level_of(baseline, **settings)  # type: ignore[arg-type]  # settings of the level, as they come
    return math.exp(calibrated_log_scale(test, baseline, np.random.default_rng(0)))


def normal(watches: int, windows: int, seed: int = 1) -> dict[WatchKey, NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    return {key: rng.normal(0.2, 0.03, windows) for key in keys_of(watches)}


@pytest.mark.parametrize("windows", [5, MIN_CALIBRATION_WINDOWS - 1])
def test_a_short_baseline_is_not_calibrated(windows: int) -> None:
    assert scale_of(normal(2, windows)) == 1.0


def test_a_baseline_just_long_enough_is_calibrated() -> None:
    assert scale_of(normal(2, MIN_CALIBRATION_WINDOWS)) != 1.0


def test_a_level_without_watches_is_not_calibrated() -> None:
    assert scale_of({}) == 1.0


def test_the_scale_has_a_largest_value() -> None:
    """Scores that never varied have no evidence in any stream, so that c is far below A."""
    still = {key: np.full(60, 0.2) for key in keys_of(2)}
    assert scale_of(still, threshold=10_000, min_std=0.05) == pytest.approx(MAX_SCALE)


def test_the_scale_has_a_smallest_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """The less of the budget is to be spent, the higher the evidence that only as few streams reach."""
    scores = {WatchKey(watch="loss"): np.random.default_rng(2).normal(0.2, 0.03, 60)}
    monkeypatch.setattr(calibration, "SPENT", 1e-3)
    unbounded = scale_of(scores)
    assert MIN_SCALE < unbounded < 0.5
    monkeypatch.setattr(calibration, "MIN_SCALE", 0.5)
    assert scale_of(scores) == pytest.approx(0.5)


def test_more_of_the_budget_spent_is_a_larger_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    baseline = normal(2, 60)
    before = scale_of(baseline)
    monkeypatch.setattr(calibration, "SPENT", 1.5 * SPENT)
    assert scale_of(baseline) > before


def test_the_same_baseline_and_seed_give_the_same_scale() -> None:
    assert scale_of(normal(2, 60)) == scale_of(normal(2, 60))


def test_the_unit_of_scores_does_not_change_the_scale() -> None:
    baseline = normal(2, 60)
    halved = {key: scores / 2.0 for key, scores in baseline.items()}
    assert scale_of(halved) == pytest.approx(scale_of(baseline), rel=1e-6)


def test_correlated_windows_are_calibrated_as_a_correlated_series() -> None:
    """The same windows, once with their coefficient and once without, are calibrated differently."""
    rng = np.random.default_rng(3)
    series = [0.0]
    for _ in range(89):
        series.append(0.5 * series[-1] + float(rng.normal()))
    baseline = {WatchKey(watch="loss"): 0.2 + 0.03 * np.array(series)}
    correlated, single = scale_of(baseline, ar1=0.5), scale_of(baseline)
    assert MIN_SCALE <= correlated <= MAX_SCALE
    assert correlated != single


@pytest.mark.parametrize(("law", "watches", "windows"), [("normal", 1, 90), ("skewed", 2, 90), ("normal", 2, 40)])
def test_as_many_new_streams_of_the_same_law_alarm_as_the_budget_says(law: str, watches: int, windows: int) -> None:
    """A Poisson process of `SPENT` alarms per A windows has any in 1 - exp(-`SPENT`) of streams; over baselines."""
    rng, threshold, streams, baselines = np.random.default_rng(4), 60, 30, 40
    alarmed = 0
    for _ in range(baselines):
        baseline = {key: LAWS[law](rng, (windows,)) for key in keys_of(watches)}
        test = level_of(baseline, threshold=threshold)
        scale = math.exp(calibrated_log_scale(test, baseline, np.random.default_rng(0)))
        runs = VectorizedTests(list(test.tests.values()), streams)
        shares = np.array([test.shares[key] for key in test.tests])
        highest = np.zeros(streams)
        for _ in range(threshold):
            highest = np.maximum(highest, runs.step(LAWS[law](rng, (streams, watches))) @ shares)
        alarmed += int((scale * highest >= threshold).sum())
    assert alarmed / (streams * baselines) == pytest.approx(1.0 - math.exp(-SPENT), abs=0.14)


def test_what_pages_is_calibrated_whatever_other_losses_the_level_tests() -> None:
    baseline, rng = normal(4, 40), np.random.default_rng
    test = replace(level_of(baseline), shares=weights(keys_of(4)[:2]), loss_shares=weights(keys_of(4)[2:]))
    alone = level_of({key: baseline[key] for key in keys_of(4)[:2]})
    known = {key: baseline[key] for key in alone.tests}
    assert calibrated_log_scale(test.paging(), baseline, rng(0)) == calibrated_log_scale(alone, known, rng(0))


def test_a_level_without_tests_needs_no_calibration() -> None:
    baseline = normal(1, 40)
    assert calibrated_log_scale(level_of(baseline).losses(), baseline, np.random.default_rng(0)) == 0.0
