"""Calibrated levels on fresh baselines, at sizes that show no more than that they run."""

from __future__ import annotations

import numpy as np

from benchmarks.truth.calibration import HARMED, Deployment, LevelStreams, fitted, measure_deployment


def test_scores_have_the_correlation_and_the_autocorrelation_asked_for() -> None:
    level = Deployment(name="", losses=2, correlation=0.8, ar1=0.5, still=1)
    scores = level.scores(np.random.default_rng(0), 200, 100)
    assert scores.shape == (200, 100, 3)
    assert abs(np.corrcoef(scores[:, :, 0].ravel(), scores[:, :, 1].ravel())[0, 1] - 0.8) < 0.03
    assert abs(np.corrcoef(scores[:, 1:, 0].ravel(), scores[:, :-1, 0].ravel())[0, 1] - 0.5) < 0.03
    assert not scores[:, :, 2].any()


def test_watches_of_slices_wait_for_rows() -> None:
    level = Deployment(name="", losses=1, slices=1, wait=3, windows=30)
    test, baseline, log_scale = fitted(level, np.random.default_rng(1))
    assert [values.size for values in baseline.values()] == [30, 10]
    run = LevelStreams(level, test, log_scale, 2)
    scores = level.scores(np.random.default_rng(2), 2, 3)
    scores[:, :, 1] = 40.0
    found = [run.step(scores[:, window]) for window in range(3)]
    assert not found[0].any()
    assert not found[1].any()


def test_a_large_rise_is_found_after_quiet_windows_and_once() -> None:
    found = measure_deployment(Deployment(name="", windows=30), baselines=1, streams=3, seed=3)
    assert found.pages.shape == (1,)
    assert (found.delays["+2 SD"] <= HARMED).mean() > 0.6
    assert set(found.delays) == {"+0.4 SD", "+1 SD", "+2 SD", "+2 SD over 60"}
