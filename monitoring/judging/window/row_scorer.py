"""Scores rows and sums the scores in whole numbers, so that the order of rows does not matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.records import SCORE_ONE, MeasuredMetric, ScoreSum, WatchKey
from monitoring.tasks.classification import CONFIDENCE
from monitoring.tasks.row_operations import row_choices
from monitoring.watches.calibration import Calibration
from monitoring.watches.catalogue import Catalogue
from monitoring.watches.estimates import ExpectedLoss, expected_sums
from monitoring.watches.family import AnsweredCounts, ScoredRows
from monitoring.watches.scoring import fixed_point, fixed_point_floats, fixed_point_sum, slice_codes
from monitoring.watches.tally import LossSum, Tally, Whole
from monitoring.watches.variety import tally_of

Floats = NDArray[np.float64]


class RowScorer:
    """Tallies rows for the watches of one baseline.

    Cost: about 100 ns a row, in some 50 passes over columns that fit the processor's cache, and 70 ns for the metrics
    that are shown of a labelled one.

    Args:
        threshold: The confidence below which a row counts as an error in thresholded estimates; None for none.
    """

    def __init__(self, catalogue: Catalogue, *, threshold: float | None = None, confusion_classes: int = 0) -> None:
        self.catalogue, self.threshold, self.confusion_classes = catalogue, threshold, confusion_classes
        self._catalogue = catalogue
        self._task = catalogue.task
        self._threshold = threshold
        self._wants_confusion = catalogue.calibration is not None and 0 < self.class_count <= confusion_classes
        self._reads_inputs = catalogue.residuals is not None or bool(catalogue.losses.custom.inputs)

    def score(
        self, probabilities: Floats, features: pa.Table, inside: NDArray[np.bool_] | None, times: Whole | None = None
    ) -> ScoredRows:
        """Score rows.

        Args:
            probabilities: The model's probabilities, [n, classes].
            features: Their inputs, [n].
            inside: Which rows to score, [n]: only those with finite probabilities; None for all.
            times: Event times of rows of the baseline, [n]; None for live rows.
        """
        answers = probabilities if inside is None else probabilities[inside]
        codes = [slice_codes(features[column], values) for column, values in self._catalogue.slices.items()]
        if inside is not None:
            codes = [code[inside] for code in codes]
            times = None if times is None else times[inside]
            features = features.filter(pa.array(inside)) if self._reads_inputs else features
        calibration = self._catalogue.calibration
        is_binary = isinstance(calibration, Calibration) and calibration.classes == 2
        bins = calibration.bins(answers) if isinstance(calibration, Calibration) and is_binary else None
        scored = self._catalogue.scored(answers, features, times, bins=bins)
        counts = {"rows": np.array(len(answers)), "groups": self._group_counts(answers, scored.outputs, codes)}
        confusion = None
        if isinstance(calibration, Calibration) and bins is not None and not calibration.costs:
            counts["expected"], confusion = self._by_bin(answers, bins, calibration, scored.expected["brier"])
        elif scored.expected:
            counts["expected"] = expected_sums(scored.expected, self._task.metrics)
        if self._wants_confusion and confusion is None and scored.calibrated is not None:
            confusion = _confusion(answers, scored.calibrated)
        if calibration is not None and self._threshold is not None:
            counts["below"] = np.array(np.count_nonzero(scored.outputs[CONFIDENCE] < self._threshold))
        return replace(
            scored, codes=tuple(codes), counts=counts, confusion=confusion if self._wants_confusion else None
        )

    def _by_bin(
        self, answers: Floats, bins: Whole, calibration: Calibration, brier: ExpectedLoss
    ) -> tuple[Whole, Whole]:
        """Sum the losses to expect of two classes: rows of one bin and one predicted class have the same.

        Returns:
            Sums [metrics, 2] in fixed point, and the expected confusion matrix.
        """
        values = calibration.of_bins(np.arange(calibration.values[0].size))
        counts = np.bincount(2 * bins + row_choices(answers), minlength=values.size).reshape(values.shape)
        wrong = 1.0 - values
        sums = [
            (int((counts * fixed_point(wrong)).sum()), int((counts * fixed_point(wrong * (1.0 - wrong))).sum())),
            (fixed_point_sum(brier.losses), fixed_point_sum(brier.variances)),
        ]
        return np.array(sums), counts.T @ fixed_point(values)

    def tally_answers(self, scored: ScoredRows, power: int = 1) -> Tally:
        """The tally of answered rows. `power`: of the scores that watches sum."""
        counts = dict(scored.counts)
        for family in self._catalogue.families:
            counts |= family.tally_answers(scored, power)
        parts = [tally_of(part, scored.probabilities, scored.outputs) for part in self._catalogue.answer_parts]
        counts["variety"] = np.array(parts, dtype=np.int64)
        if scored.confusion is not None:
            counts["confusion"] = scored.confusion
        return Tally(counts)

    def tally_losses(self, scored: ScoredRows, labels: Whole, power: int = 1) -> Tally:
        """The tally of labelled rows.

        Args:
            scored: At most `monitoring.watches.scoring.EXACT_ROWS` rows.
            labels: Their labels as class indices, [n].
            power: Of the scores that watches sum.
        """
        counts = dict(scored.counts)
        for family in self._catalogue.families:
            counts |= family.tally_labels(scored, labels, power)
        if self._catalogue.measured is not None:
            counts |= self._catalogue.measured.tally(scored.probabilities, labels)
        return Tally(counts)

    def answer_sums(self, answered: AnsweredCounts, power: int = 1) -> dict[WatchKey, ScoreSum]:
        """The score sums of the watches that need no label, but those that need earlier windows."""
        sums: dict[WatchKey, ScoreSum] = {}
        for family in self._catalogue.families:
            sums |= family.answer_sums(answered, power)
        return sums

    def label_sums(self, labelled: Tally) -> dict[WatchKey, ScoreSum]:
        """The score sums of the watches that need a label, from a tally of labelled rows."""
        sums: dict[WatchKey, ScoreSum] = {}
        for family in self._catalogue.families:
            sums |= family.label_sums(labelled)
        return sums

    def rows_of(self, tally: Tally, metric: str) -> int:
        """How many rows of a tally have the loss: of labelled rows whose labels are in parts, those with its part."""
        return self._catalogue.losses.rows_of(tally, metric)

    def known_losses(self, rows: Predictions, metric: str) -> NDArray[np.bool_]:
        """Which of some labelled rows have a loss, [n]: all, unless labels are in parts."""
        if not self._task.labels_in_parts or not len(rows):
            return np.ones(len(rows), dtype=np.bool_)
        return ~np.isnan(self._task.losses(rows.probabilities, rows.labels)[metric])

    def missing_rows(self, tally: Tally) -> dict[str, int]:
        """By metric, how many labelled rows less than all have the loss; none where all have."""
        less = {metric: tally.number("rows") - self.rows_of(tally, metric) for metric in self._task.metrics}
        return {metric: count for metric, count in less.items() if count}

    def measured(self, labelled: Tally, rng: np.random.Generator) -> tuple[MeasuredMetric, ...]:
        """The metrics that are shown, with intervals, from a tally of labelled rows."""
        shown = self._catalogue.measured
        if shown is None:
            return ()
        counts = {name: _in_64_bits(count) for name, count in labelled.counts.items()}
        return tuple(shown.measured(counts, rng))

    def group_counts(self, tally: Tally) -> tuple[int, ...]:
        """Rows, and rows in each group, as of `monitoring.watches.label_coverage.CoverageGroups.counts`."""
        groups = () if self._catalogue.coverage is None else self._catalogue.coverage.names
        return (tally.number("rows"), *(tally.numbers("groups") or (0,) * len(groups)))

    def calibrated_losses(self, tally: Tally, metric: str) -> LossSum:
        """The losses that the calibrated probabilities imply (CBPE)."""
        if not tally.counts or "expected" not in tally.counts:
            return LossSum(rows=tally.number("rows"), losses=0, variances=0)
        losses, variances = tally.counts["expected"][self._task.metrics.index(metric)].tolist()
        return LossSum(rows=self.rows_of(tally, metric), losses=losses, variances=variances)

    def realised(self, labelled: Tally) -> dict[str, int]:
        """The sum of each loss in fixed point, by metric, from a tally of labelled rows."""
        metrics = self._task.metrics
        return dict(zip(metrics, labelled.numbers("realised") or (0,) * len(metrics), strict=True))

    def realised_in_units(self, labelled: Tally) -> dict[str, int]:
        """As `realised`, in the metric's own unit."""
        scales = self._task.scales
        return {
            metric: total if scales[metric] == 1.0 else round(total * scales[metric])
            for metric, total in self.realised(labelled).items()
        }

    def thresholded_errors(self, tally: Tally) -> LossSum:
        """The rows with confidence below the threshold (ATC); each has the variance of a row with their share."""
        rows = tally.number("rows")
        below = tally.number("below")
        share = below / rows if rows else 0.0
        variances = LossSum.constant(rows, 0.0, share * (1.0 - share)).variances
        return LossSum(rows=rows, losses=below * SCORE_ONE, variances=variances)

    @property
    def class_count(self) -> int:
        """How many classes the model has, of which a row has exactly one; 0 for other models."""
        return len(self._task.classes) if self._task.exclusive else 0

    def confusion(self, tally: Tally) -> tuple[tuple[float, ...], ...]:
        """The expected confusion matrix as shares of all rows, [predicted class][true class]."""
        width, rows = self.class_count, max(tally.number("rows"), 1)
        totals = tally.numbers("confusion") or (0,) * width**2
        shares = [total / (rows * SCORE_ONE) for total in totals]
        return tuple(tuple(shares[at : at + width]) for at in range(0, width**2, width))

    def _group_counts(self, answers: Floats, outputs: Mapping[str, Floats], codes: list[Whole]) -> Whole:
        """Rows in each group of the label coverage, and in each slice."""
        groups = self._catalogue.coverage
        width = len(self._task.classes)
        counts = []
        if groups is not None and groups.edges is None:
            counts.append(np.bincount(row_choices(answers), minlength=width))
        elif groups is not None and groups.edges is not None:
            score = self._task.score(answers, outputs)
            above = [len(answers), *(int(np.count_nonzero(score >= edge)) for edge in groups.edges), 0]
            counts.append(-np.diff(np.array(above)))
        for code, values in zip(codes, self._catalogue.slices.values(), strict=True):
            counts.append(np.bincount(code, minlength=len(values) + 1)[: len(values)])
        return np.concatenate(counts).astype(np.int64) if counts else np.zeros(0, np.int64)


def finite_rows(probabilities: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """The rows with a finite answer, [n]; None if all have one."""
    finite = np.isfinite(probabilities[:, 0])
    for column in range(1, probabilities.shape[1]):
        finite &= np.isfinite(probabilities[:, column])
    return None if finite.all() else finite


def _in_64_bits(counts: Whole) -> Whole:
    """Counts as they are, or those beyond 64 bits as the nearest floats: for metrics that are shown and not tested."""
    return counts if counts.dtype != object else cast("Whole", counts.astype(np.float64))


def _confusion(probabilities: Floats, calibrated: Floats) -> Whole:
    """Sums of calibrated probabilities in fixed point, [predicted class, true class]."""
    width = probabilities.shape[1]
    predicted = row_choices(probabilities)
    counts = np.zeros((width, width), dtype=np.int64)
    for column in range(width):
        units = fixed_point_floats(calibrated[:, column])
        counts[:, column] = np.bincount(predicted, weights=units, minlength=width)
    return counts
