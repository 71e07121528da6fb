"""Recall@k, NDCG@k and the mean reciprocal rank of a ranking, from sums of powers of its losses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from monitoring.records import MeasuredMetric
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.task import Floats, Whole
from monitoring.watches.measured.window_means import ERRORS

ROWS = "measured rows"
POWERS = "powers"

#: One in fixed point.
ONE = 1 << 40

#: The metric that each loss is 1 less of.
SHOWN = {"recall_loss": "recall_at_k", "ndcg_loss": "ndcg_at_k", "reciprocal_rank_loss": "mean_reciprocal_rank"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingMetrics:
    """The metrics of a model that answers ids, with normal intervals: rows are independent.

    Attributes:
        task: What the model answers.
    """

    task: Ranking

    def tally(self, answers: Floats, labels: Whole) -> dict[str, Whole]:
        """Whole numbers that can be added over batches of rows.

        Args:
            answers: Finite answers, [n, width].
            labels: Their labels' codes, none absent, [n, relevant ids].
        """
        losses = self.task.losses(answers, labels)
        gains = [1.0 - losses[metric] for metric in self.task.metrics]
        sums = [int(np.rint(values * ONE).astype(np.int64).sum()) for gain in gains for values in (gain, gain**2)]
        return {ROWS: np.array(len(labels)), POWERS: np.array(sums, dtype=np.int64)}

    def measured(self, counts: Mapping[str, Whole], rng: np.random.Generator | None = None) -> list[MeasuredMetric]:
        """The metrics of some rows.

        Args:
            counts: As of `tally`, or the sum of several.
            rng: None for no intervals, whose bounds are the values then; otherwise not used.

        Returns:
            One for each loss; none without rows.
        """
        rows = int(counts[ROWS]) if ROWS in counts else 0
        if not rows:
            return []
        found = []
        for metric, (mean, square) in zip(self.task.metrics, counts[POWERS].reshape(-1, 2) / ONE / rows, strict=True):
            error = math.sqrt(max(float(square) - float(mean) ** 2, 0.0) / rows)
            half = 0.0 if rng is None else ERRORS * error
            value = float(mean)
            found.append(
                MeasuredMetric(
                    metric=SHOWN[metric],
                    rows=rows,
                    value=value,
                    low=max(value - half, 0.0),
                    high=min(value + half, 1.0),
                )
            )
        return found
