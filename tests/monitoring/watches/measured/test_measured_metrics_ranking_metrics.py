"""Recall@k, NDCG@k and the mean reciprocal rank, with intervals that hold."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.tasks.ranking import MAX_RELEVANT, Ranking
from monitoring.tasks.task import NO_LABEL
from monitoring.watches.measured.measured_metrics import RankingMetrics

TASK = Ranking(places=4)


def rows(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rankings whose one relevant id stands at place 1 to 4, or at none, equally often."""
    answers = np.tile(np.arange(1.0, 5.0), (count, 1))
    labels = np.full((count, MAX_RELEVANT), NO_LABEL)
    labels[:, 0] = rng.integers(1, 6, count)
    return answers, labels


def test_the_means_are_those_of_the_rows_in_whatever_batches() -> None:
    answers, labels = rows(1_000, np.random.default_rng(0))
    metrics = RankingMetrics(task=TASK)
    parts = [metrics.tally(answers[part], labels[part]) for part in (slice(0, 300), slice(300, None))]
    both = {name: parts[0][name] + parts[1][name] for name in parts[0]}
    found = {one.metric: one for one in metrics.measured(both)}
    losses = TASK.losses(answers, labels)
    assert found["recall_at_k"].value == pytest.approx(1.0 - losses["recall_loss"].mean())
    assert found["ndcg_at_k"].value == pytest.approx(1.0 - losses["ndcg_loss"].mean())
    assert found["mean_reciprocal_rank"].value == pytest.approx(1.0 - losses["reciprocal_rank_loss"].mean())
    assert found["recall_at_k"].low == found["recall_at_k"].high
    assert metrics.measured({}) == []


def test_intervals_hold_as_often_as_they_say() -> None:
    rng, metrics = np.random.default_rng(1), RankingMetrics(task=TASK)
    truth = {"recall_at_k": 0.8, "mean_reciprocal_rank": (1 + 1 / 2 + 1 / 3 + 1 / 4) / 5}
    inside = dict.fromkeys(truth, 0)
    for _ in range(300):
        for one in metrics.measured(metrics.tally(*rows(200, rng)), rng):
            if one.metric in truth:
                inside[one.metric] += one.low <= truth[one.metric] <= one.high
    assert all(0.91 * 300 <= count <= 0.99 * 300 for count in inside.values())
