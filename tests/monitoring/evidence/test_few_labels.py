"""A harm is told later the smaller it is and the fewer labels there are, and not at all within too few evaluations."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.evidence.budget import Budget
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.few_labels import Evaluations, evaluations_until_told
from monitoring.evidence.level import LevelTest
from monitoring.evidence.sampling_variance import SamplingVariance
from monitoring.records import WatchKey

ERROR, BRIER = WatchKey(watch="error"), WatchKey(watch="brier")
MEANS = {key: 0.2 + np.random.default_rng(at).normal(0.0, 0.02, 90) for at, key in enumerate((ERROR, BRIER))}
VARIANCE = SamplingVariance(row_variance=0.16, reference_rows=400.0, independent_rows=True)
TEST = LevelTest(
    level="page",
    budget=Budget(alarms=1, windows=365),
    tests={
        key: ConformalTest.fit(means, tolerance=0.0, direction="up", ar1=0.0, min_std=1e-3, sampling_variance=VARIANCE)
        for key, means in MEANS.items()
    },
    shares={ERROR: 0.5, BRIER: 0.5},
    min_rows=200,
)


def _told(rise: float, labels: int, most: int = 60) -> int | None:
    shifts = {ERROR: rise, BRIER: rise, WatchKey(watch="unknown"): rise}
    return evaluations_until_told(TEST, MEANS, shifts, Evaluations(labels=labels, most=most), np.random.default_rng(0))


def test_a_larger_harm_is_told_sooner_and_one_by_fewer_labels_later() -> None:
    small, large, few = _told(0.1, 50), _told(0.2, 50), _told(0.2, 10)
    assert small is not None
    assert large is not None
    assert few is not None
    assert large < small
    assert large < few


@pytest.mark.parametrize(("rise", "most"), [(0.1, 2), (0.0, 30)])
def test_what_is_not_told_in_time_is_not_promised(rise: float, most: int) -> None:
    assert _told(rise, 50, most) is None


def test_a_harm_of_no_watch_is_never_told() -> None:
    evaluations = Evaluations(labels=50, most=3)
    assert evaluations_until_told(TEST, MEANS, {}, evaluations, np.random.default_rng(0)) is None
