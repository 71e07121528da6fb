"""Which metrics are shown of a task, fitted to a baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from typing_extensions import override

from monitoring.baseline.predictions import Predictions
from monitoring.records import MeasuredMetric
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.output_names import OF, named
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.registry import numbers_of, ranking_of
from monitoring.tasks.task import Floats, Task, Whole
from monitoring.watches.measured.class_metrics import ClassMetrics
from monitoring.watches.measured.number_metrics import ERRORS, SUMS, NumberMetrics


class MeasuredMetrics(Protocol):
    """The metrics that are shown of a task, fitted to a baseline."""

    def tally(self, answers: Floats, labels: Whole) -> dict[str, Whole]:
        """Whole numbers that can be added over batches of rows.

        Args:
            answers: Finite answers, [n, width].
            labels: Their labels' codes, none absent, [n] or [n, parts].
        """

    def measured(self, counts: Mapping[str, Whole], rng: np.random.Generator | None = None) -> list[MeasuredMetric]:
        """The metrics of some rows, by their tally; without `rng` perhaps without intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputMetrics(MeasuredMetrics):
    """The metrics of a model of several outputs: those that a model of each output alone would have.

    Attributes:
        outputs: The metrics of each output, by its name; None where the baseline has no label for it.
    """

    task: Task
    outputs: dict[str, MeasuredMetrics | None]

    @classmethod
    def fit(cls, task: Task, answers: Floats, labels: Whole, threshold: float | None = None) -> OutputMetrics:
        """From a baseline's finite answers, [n, width], and their labels' codes, [n, outputs]."""
        outputs = {
            output: _fit(output_task, output_answers, codes, threshold)
            for output, output_task, _, output_answers, codes in task.labelled_parts(answers, labels)
        }
        return cls(task=task, outputs=outputs)

    @override
    def tally(self, answers: Floats, labels: Whole) -> dict[str, Whole]:
        return {
            f"{OF}{output}:{name}": count
            for output, _, _, output_answers, codes in self.task.labelled_parts(answers, labels)
            if (shown := self.outputs[output]) is not None
            for name, count in shown.tally(output_answers, codes).items()
        }

    @override
    def measured(self, counts: Mapping[str, Whole], rng: np.random.Generator | None = None) -> list[MeasuredMetric]:
        all_metrics = []
        for output, shown in self.outputs.items():
            before = f"{OF}{output}:"
            output_counts = {
                name.removeprefix(before): count for name, count in counts.items() if name.startswith(before)
            }
            metrics = [] if shown is None else shown.measured(output_counts, rng)
            all_metrics += [replace(metric, metric=named(output, metric.metric)) for metric in metrics]
        return all_metrics


#: One in fixed point.
ONE = 1 << 40

#: The metric that each loss is 1 less of.
SHOWN = {"recall_loss": "recall_at_k", "ndcg_loss": "ndcg_at_k", "reciprocal_rank_loss": "mean_reciprocal_rank"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingMetrics(MeasuredMetrics):
    """The metrics of a model that answers ids, with normal intervals: rows are independent."""

    task: Ranking

    @override
    def tally(self, answers: Floats, labels: Whole) -> dict[str, Whole]:
        losses = self.task.losses(answers, labels)
        gains = [1.0 - losses[metric] for metric in self.task.metrics]
        sums = [int(np.rint(values * ONE).astype(np.int64).sum()) for gain in gains for values in (gain, gain**2)]
        return {ROWS: np.array(len(labels)), POWERS: np.array(sums, dtype=np.int64)}

    @override
    def measured(self, counts: Mapping[str, Whole], rng: np.random.Generator | None = None) -> list[MeasuredMetric]:
        rows = int(counts[ROWS]) if ROWS in counts else 0
        if not rows:
            return []
        metrics = []
        for metric, (mean, square) in zip(self.task.metrics, counts[POWERS].reshape(-1, 2) / ONE / rows, strict=True):
            error = math.sqrt(max(float(square) - float(mean) ** 2, 0.0) / rows)
            half = 0.0 if rng is None else ERRORS * error
            value = float(mean)
            metrics.append(
                MeasuredMetric(
                    metric=SHOWN[metric],
                    rows=rows,
                    value=value,
                    low=max(value - half, 0.0),
                    high=min(value + half, 1.0),
                )
            )
        return metrics


ROWS = "measured rows"
POWERS = "powers"


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorMetrics(MeasuredMetrics):
    """The metrics of a model that predicts several numbers: those of each number, its name after a colon.

    Attributes:
        numbers: The metrics of each number, in the order of the answers.
    """

    task: Task
    numbers: tuple[NumberMetrics, ...]

    @classmethod
    def fit(cls, task: Task, labels: Whole) -> VectorMetrics:
        """From the labels' codes of a baseline, [n, numbers], n > 0, none absent."""
        parts = (NumberMetrics.fit(number, labels[:, place]) for place, number in enumerate(numbers_of(task)))
        return cls(task=task, numbers=tuple(parts))

    @override
    def tally(self, answers: Floats, labels: Whole) -> dict[str, Whole]:
        powers = [
            number.tally(answers[:, [place]], labels[:, place])[POWERS] for place, number in enumerate(self.numbers)
        ]
        return {ROWS: np.array(len(labels)), POWERS: np.concatenate(powers)}

    @override
    def measured(self, counts: Mapping[str, Whole], rng: np.random.Generator | None = None) -> list[MeasuredMetric]:
        if ROWS not in counts:
            return []
        powers = counts[POWERS].reshape(len(self.numbers), len(SUMS))
        return [
            replace(metric, metric=f"{metric.metric}:{name}")
            for name, number, sums in zip(self.task.number_names, self.numbers, powers, strict=True)
            for metric in number.measured({ROWS: counts[ROWS], POWERS: sums}, rng)
        ]


def fit_measured(task: Task, reference: Predictions, threshold: float | None = None) -> MeasuredMetrics | None:
    """The metrics that are shown of a task. Returns the metrics; None without labelled rows, or where no loss is known.

    Args:
        threshold: From which probability on a row counts as of the second of two classes, or as having a class.
    """
    is_labelled = np.isfinite(reference.probabilities).all(axis=1) & has_label(reference.labels)
    return _fit(task, reference.probabilities[is_labelled], reference.labels[is_labelled], threshold)


def _fit(task: Task, answers: Floats, labels: Whole, threshold: float | None) -> MeasuredMetrics | None:
    """As `fit_measured`, from finite answers, [n, width], and the codes of their labels, none absent."""
    if task.labels_in_parts and len(labels):
        return OutputMetrics.fit(task, answers, labels, threshold)
    is_known = ~task.unknown(labels)
    if not is_known.any():
        return None
    if task.classes:
        return ClassMetrics.fit(task, answers[is_known], threshold)
    numbers, ranking = numbers_of(task), ranking_of(task)
    if len(numbers) > 1:
        return VectorMetrics.fit(task, labels[is_known])
    if ranking is not None:
        return RankingMetrics(task=ranking)
    return NumberMetrics.fit(numbers[0], labels[is_known]) if numbers else None
