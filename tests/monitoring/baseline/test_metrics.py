"""Metrics against their definitions, and intervals that resample days."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.metrics import calibration_error, intervals, measure

scored = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 1.0]), st.integers(0, 1)), min_size=1, max_size=30
)


def two_classes(scores: np.ndarray) -> np.ndarray:
    return np.stack([1 - scores, scores], axis=1)


@given(scored)
def test_metrics_are_what_their_definitions_say(rows: list[tuple[float, int]]) -> None:
    scores, targets = np.array([score for score, _ in rows]), np.array([target for _, target in rows])
    metrics = measure(two_classes(scores), targets)
    assert metrics.brier == pytest.approx(((scores - targets) ** 2).mean())
    assert metrics.error == pytest.approx(((scores > 0.5) != targets).mean())
    pairs = [(up > down) + (up == down) / 2 for up in scores[targets == 1] for down in scores[targets == 0]]
    assert metrics.auc == (pytest.approx(np.mean(pairs)) if pairs else None)
    assert np.isfinite(metrics.log_loss)


def test_log_loss_is_of_the_true_class() -> None:
    assert measure(np.array([[0.25, 0.75]]), np.array([0])).log_loss == pytest.approx(np.log(4))


def test_calibration_error_is_the_gap_between_score_and_rate() -> None:
    truth = np.tile([True, False, False, False], 500)
    assert calibration_error(np.full(2000, 0.25), truth) == pytest.approx(0.0)
    assert calibration_error(np.full(2000, 0.4), truth) == pytest.approx(0.15)


def test_intervals_hold_the_value_and_widen_when_days_move_together(rng: np.random.Generator) -> None:
    blocks = np.repeat(np.arange(30), 40)
    scores = rng.uniform(0.05, 0.6, len(blocks))
    apart = (rng.uniform(size=len(blocks)) < scores).astype(np.int64)
    storm = rng.uniform(size=30)[blocks]
    together = (storm < scores).astype(np.int64)
    for targets in (apart, together):
        metrics = measure(two_classes(scores), targets)
        found = intervals(two_classes(scores), targets, blocks, np.random.default_rng(1))
        assert found["brier"].low < metrics.brier < found["brier"].high
        assert metrics.auc is not None
        assert found["auc"].low - 0.002 < metrics.auc < found["auc"].high + 0.002
    alone, joint = (
        intervals(two_classes(scores), targets, blocks, np.random.default_rng(1))["brier"]
        for targets in (apart, together)
    )
    assert joint.high - joint.low > 2 * (alone.high - alone.low)
