"""Runs and ensembles: the median run, and the spread over seeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.metrics import measure
from monitoring.errors import CannotRun
from pitfalls_tf.training.runs import Ensemble, Run, median

METRICS = measure(np.array([[0.2, 0.8], [0.6, 0.4]]), np.array([1, 0]))


def run(seed: int, brier: float | None) -> Run:
    metrics = None if brier is None else replace(METRICS, brier=brier)
    return Run(seed=seed, folder=Path(f"seed-{seed:04d}"), metrics=metrics, intervals={})


@given(briers=st.lists(st.floats(0, 1), min_size=1, max_size=9), diverged=st.integers(0, 3))
def test_the_median_run_has_as_many_better_as_worse_ones(briers: list[float], diverged: int) -> None:
    scores = [*briers, *[None] * diverged]
    found = median([run(seed, brier) for seed, brier in enumerate(scores)])
    assert found.metrics is not None
    better = sum(brier < found.metrics.brier for brier in briers)
    worse = sum(brier > found.metrics.brier for brier in briers)
    assert better <= len(briers) // 2
    assert worse <= len(briers) // 2
    if len(briers) % 2:
        assert found.metrics.brier == float(np.median(briers))


def test_there_is_no_median_of_diverged_runs() -> None:
    with pytest.raises(CannotRun, match="2 of 2 runs diverged"):
        median([run(0, None), run(1, None)])


def test_the_spread_knows_which_way_is_better() -> None:
    made = tuple(
        replace(run(seed, brier), metrics=replace(METRICS, brier=brier, auc=brier))
        for seed, brier in enumerate((0.1, 0.3, 0.2))
    )
    spread = Ensemble(setup="s", folder=Path("s"), runs=(*made, run(3, None)), deployed=made[2]).spread
    assert (spread["brier"].best, spread["brier"].worst) == (0.1, 0.3)
    assert (spread["auc"].best, spread["auc"].worst) == (0.3, 0.1)
    assert spread["brier"].median == 0.2
    assert spread["brier"].worst_minus_median == pytest.approx(0.1)
    assert spread["brier"].deviation == pytest.approx(0.1)
    alone = Ensemble(setup="s", folder=Path("s"), runs=made[:1], deployed=made[0])
    assert alone.spread["brier"].deviation is None
    assert alone.diverged == ()
