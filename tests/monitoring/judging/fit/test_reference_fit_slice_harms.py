"""The smallest harm that would be noticed on one slice: simulated, and then found in streams that have it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from monitoring.baseline.profile import Profile
from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.evidence.sensitivity import smallest_detectable_harms
from monitoring.judging.facts.fact_limits import FactLimits
from monitoring.judging.fit.harms import harms_of
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.fit.tolerances import Tolerances
from monitoring.records import SCORE_ONE, ScoreSum, Watch, WatchKey

ROWS, SHARE, WINDOWS = 1_000, 0.25, 90
WHOLE, WIDE, THIN = "", "origin=EWR", "origin=LGA"
WATCHES = {"error": Watch(name="error", family="performance", level="page", needs_label=True)}


def error(part: str) -> WatchKey:
    return WatchKey(watch="error", slice=part)


def windows_of(rng: np.random.Generator, count: int, *, rise: float = 0.0) -> dict[WatchKey, np.ndarray]:
    """Error rates, [count], of a quarter of the rows, on which it may be higher, and of all."""
    mine = rng.binomial(int(ROWS * SHARE), 0.2 + rise, count)
    rest = rng.binomial(int(ROWS * (1 - SHARE)), 0.2, count)
    return {error(WIDE): mine / (ROWS * SHARE), error(WHOLE): (mine + rest) / ROWS}


@pytest.fixture(scope="module")
def reference_fit() -> ReferenceFit:
    means = windows_of(np.random.default_rng(0), WINDOWS)
    means[error(THIN)] = np.random.default_rng(1).normal(0.2, 0.01, WINDOWS // 3)
    tests = {key: ConformalTest.fit(scores, tolerance=0.0, direction="up", ar1=0.0) for key, scores in means.items()}
    level = LevelTest(
        level="page", budget=Budget.parse("1 per 365 windows"), tests=tests, shares=weights(tests), min_rows=1
    )
    rows = {error(WHOLE): ROWS, error(WIDE): int(ROWS * SHARE), error(THIN): 50}
    return ReferenceFit(
        tests={"page": level},
        means=means,
        watches=WATCHES,
        tolerances=Tolerances(error=0.0, brier=0.0, integrity=0.01),
        facts=FactLimits(threshold=365.0),
        profile=Profile(rows=0, features=()),
        losses={key: ScoreSum(count * WINDOWS, 0) for key, count in rows.items()},
        horizon=timedelta(days=7),
    )


def test_a_rise_on_one_slice_shifts_the_whole_by_its_share_and_small_slices_are_left_out(
    reference_fit: ReferenceFit,
) -> None:
    everywhere, alone = harms_of(reference_fit)
    assert (everywhere.slice, dict(everywhere.score_shifts)) == ("", {error(WHOLE): 1.0})
    assert (alone.slice, dict(alone.score_shifts)) == (WIDE, {error(WHOLE): SHARE, error(WIDE): 1.0})


def test_the_smallest_detectable_rise_on_a_slice_is_detected_in_time(reference_fit: ReferenceFit) -> None:
    level = reference_fit.tests["page"]
    found = smallest_detectable_harms(level, reference_fit.means, harms_of(reference_fit), np.random.default_rng(2))
    (thirty,) = (one for one in found if (one.slice, one.windows) == (WIDE, 30))
    assert thirty.rise is not None
    in_time = 0
    for seed in range(60):
        stream = windows_of(np.random.default_rng([3, seed]), 30, rise=thirty.rise)
        state = LevelState()
        for window in range(30):
            sums = {key: ScoreSum(ROWS, round(scores[window] * ROWS * SCORE_ONE)) for key, scores in stream.items()}
            state, reading = level.step(state, sums)
            if reading.alarm:
                in_time += 1
                break
    assert in_time >= 45  # simulated from one baseline to be nine in ten
