"""Scores rows and sums the scores in whole numbers, so that the order of rows does not matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.judging.window.tally import LossSum, Tally, Whole
from monitoring.records import SCORE_ONE, MeasuredMetric, ScoreSum, WatchKey
from monitoring.tasks.classification import CONFIDENCE
from monitoring.tasks.row_operations import row_choices
from monitoring.tasks.task import surprises
from monitoring.watches.calibration import Calibration
from monitoring.watches.catalogue import Catalogue
from monitoring.watches.estimates import PREFIX, ExpectedLoss
from monitoring.watches.scoring import fixed_point, fixed_point_floats, fixed_point_sum, slice_codes

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredRows:
    """n rows with finite probabilities, scored as far as that needs no label.

    Attributes:
        probabilities: Their probabilities, [n, classes].
        codes: For each sliced column, the index of each row's value, [n].
        outputs: The scores of outputs, [n], watched or not.
        calibrated: The calibrated probabilities, [n, classes]; None where there is no calibration.
        bins: Their bins in a calibration of two classes, [n]; None without one.
        expected: The losses to expect by the calibration or by the residual model, [n], where there is one.
        features: The inputs that metrics of the user's own read, [n].
        confusion: The expected confusion matrix in fixed point, [predicted class, true class], where it is wanted.
    """

    probabilities: Floats
    codes: tuple[Whole, ...]
    outputs: Mapping[str, Floats]
    counts: Mapping[str, Whole]
    calibrated: Floats | None
    bins: Whole | None
    expected: Mapping[str, ExpectedLoss]
    features: pa.Table
    confusion: Whole | None


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
        self._outputs = tuple(watch.name for watch in catalogue.output_watches)
        self._losses = tuple(watch.name for watch in catalogue.loss_watches)
        self._estimates = tuple(watch.name for watch in catalogue.estimate_watches)
        self._calibration = catalogue.calibration_watches
        self._in_parts = bool(catalogue.task.outputs_judged)
        self._slices = tuple(f"{column}={value}" for column, values in catalogue.slices.items() for value in values)

    def score(self, probabilities: Floats, features: pa.Table, inside: NDArray[np.bool_] | None) -> ScoredRows:
        """Score rows.

        Args:
            probabilities: The model's probabilities, [n, classes].
            features: Their inputs, [n].
            inside: Which rows to score, [n]: only those with finite probabilities; None for all.
        """
        answers = probabilities if inside is None else probabilities[inside]
        codes = [slice_codes(features[column], values) for column, values in self._catalogue.slices.items()]
        if inside is not None:
            codes = [code[inside] for code in codes]
        outputs = self._task.outputs(answers)
        counts = {"rows": np.array(len(answers)), "groups": self._group_counts(answers, outputs, codes)}
        calibration, residuals = self._catalogue.calibration, self._catalogue.residuals
        calibrated, bins, confusion, expected = None, None, None, dict[str, ExpectedLoss]()
        if calibration is not None:
            if isinstance(calibration, Calibration) and calibration.classes == 2:
                bins = calibration.bins(answers)
                calibrated = calibration.of_bins(bins)
            else:
                calibrated = calibration.calibrated(answers)
            expected = calibration.losses_drawn_by(answers, calibrated)
            if isinstance(calibration, Calibration) and bins is not None and not calibration.costs:
                counts["expected"], confusion = self._by_bin(answers, bins, calibration, expected["brier"])
            else:
                counts["expected"] = _expected_sums(expected, self._task.metrics)
                confusion = _confusion(answers, calibrated) if self._wants_confusion else None
            if self._threshold is not None:
                counts["below"] = np.array(np.count_nonzero(outputs[CONFIDENCE] < self._threshold))
        if residuals is not None:
            expected = residuals.expected(answers, features if inside is None else features.filter(pa.array(inside)))
            counts["expected"] = _expected_sums(expected, self._task.metrics)
        read = features.select(list(self._catalogue.custom.inputs))
        if inside is not None and read.num_columns:  # a table without columns has no rows to filter
            read = read.filter(pa.array(inside))
        return ScoredRows(
            probabilities=answers,
            codes=tuple(codes),
            outputs=outputs,
            counts=counts,
            calibrated=calibrated,
            bins=bins,
            expected=expected,
            features=read,
            confusion=confusion if self._wants_confusion else None,
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

    def tally_answers(self, scored: ScoredRows) -> Tally:
        """The tally of answered rows."""
        counts = dict(scored.counts)
        counts["outputs"] = np.array([fixed_point_sum(scored.outputs[name]) for name in self._outputs], dtype=np.int64)
        parts = [part.tally(scored.probabilities, scored.outputs) for part in self._catalogue.answer_parts]
        counts["variety"] = np.array(parts, dtype=np.int64)
        if self._catalogue.selection.groups:
            codes = dict(zip(self._catalogue.slices, scored.codes, strict=True))
            counts["selected"] = self._catalogue.selection.tally(scored.probabilities, codes)
        if scored.confusion is not None:
            counts["confusion"] = scored.confusion
        return Tally(counts)

    def tally_losses(self, scored: ScoredRows, labels: Whole) -> Tally:
        """The tally of labelled rows.

        Args:
            scored: At most `monitoring.watches.scoring.EXACT_ROWS` rows.
            labels: Their labels as class indices, [n].
        """
        losses = self._task.losses(scored.probabilities, labels)
        calibrated = scored.probabilities if scored.calibrated is None else scored.calibrated
        expected = {metric: loss.losses for metric, loss in scored.expected.items()}
        if not expected:
            expected = self._task.expected_losses(scored.probabilities, scored.outputs)
        scores = losses | surprises(losses, expected)
        scores |= self._catalogue.custom.scores(self._task, scored.probabilities, labels, scored.features, calibrated)
        counts = dict(scored.counts)
        if self._in_parts:
            counts |= self._known_rows(scored, scores)
            scores = {name: np.nan_to_num(values, nan=0.0) for name, values in scores.items()}
        units = {name: fixed_point_floats(values) for name, values in scores.items()}
        totals = {name: int(values.sum()) for name, values in units.items()}
        counts["realised"] = np.array([totals[metric] for metric in self._task.metrics])
        counts["losses"] = np.array([totals[name] for name in self._losses])
        by_slice = [self._by_slice(units[name], scored) for name in self._losses]
        counts["slice losses"] = np.array(by_slice, dtype=np.int64)
        classes = self._catalogue.class_slices
        if classes.columns:
            codes = classes.codes(scored.probabilities, labels)
            counts["class rows"] = classes.sums(codes)
            counts["class losses"] = np.array([classes.sums(codes, units[name]) for name in self._losses])
        counts["ranks"] = self._catalogue.ranks.tally(scored.probabilities, labels, calibrated)
        counts["label shares"], counts["label variety"] = self._catalogue.labels.tallies(scored.probabilities, labels)
        if self._calibration is not None:
            counts["calibration"] = self._calibration.tally(scored.probabilities, labels, bins=scored.bins)
        if self._catalogue.measured is not None:
            counts |= self._catalogue.measured.tally(scored.probabilities, labels)
        return Tally(counts)

    def _known_rows(self, scored: ScoredRows, scores: Mapping[str, Floats]) -> dict[str, Whole]:
        """Of labels in parts: the rows with each loss, by slice too, and the losses to expect of these rows alone."""
        has_loss = {name: ~np.isnan(scores[name]) for name in self._losses}
        counts = {"loss rows": np.array([np.count_nonzero(has_loss[name]) for name in self._losses])}
        by_slice = [self._by_slice(has_loss[name].astype(np.float64), scored) for name in self._losses]
        counts["slice rows"] = np.array(by_slice, dtype=np.int64)
        if scored.expected:
            those = {metric: loss.at(has_loss[metric]) for metric, loss in scored.expected.items()}
            counts["expected"] = _expected_sums(those, self._task.metrics)
        return counts

    def rows_of(self, tally: Tally, metric: str) -> int:
        """How many rows of a tally have the loss: of labelled rows whose labels are in parts, those with its part."""
        if "loss rows" not in tally.counts:
            return tally.number("rows")
        return int(tally.counts["loss rows"][self._losses.index(metric)])

    def known_losses(self, rows: Predictions, metric: str) -> NDArray[np.bool_]:
        """Which of some labelled rows have a loss, [n]: all, unless labels are in parts."""
        if not self._in_parts or not len(rows):
            return np.ones(len(rows), dtype=np.bool_)
        return ~np.isnan(self._task.losses(rows.probabilities, rows.labels)[metric])

    def missing_rows(self, tally: Tally) -> dict[str, int]:
        """By metric, how many labelled rows less than all have the loss; none where all have."""
        less = {metric: tally.number("rows") - self.rows_of(tally, metric) for metric in self._task.metrics}
        return {metric: count for metric, count in less.items() if count}

    def prediction_sums(self, answered: Tally) -> dict[WatchKey, ScoreSum]:
        """The score sums of the watches on outputs and on estimated losses, from a tally of answered rows."""
        rows, totals = answered.number("rows"), answered.numbers("outputs") or (0,) * len(self._outputs)
        sums = {WatchKey(watch=name): ScoreSum(rows, total) for name, total in zip(self._outputs, totals, strict=True)}
        for name in self._estimates:
            total = self.calibrated_losses(answered, name.removeprefix(PREFIX)).losses
            sums[WatchKey(watch=name)] = ScoreSum(rows, total)
        return sums | self._catalogue.selection.sums_of(answered.counts.get("selected", np.zeros((0, 2), np.int64)))

    def label_sums(self, labelled: Tally) -> dict[WatchKey, ScoreSum]:
        """The score sums of the watches on losses, in all, by slice and by class, from a tally of labelled rows."""
        rows, sums = labelled.number("rows"), {}
        inside = labelled.numbers("groups")[-len(self._slices) :] if self._slices and rows else (0,) * len(self._slices)
        totals = labelled.numbers("losses") or (0,) * len(self._losses)
        parts = iter(labelled.numbers("slice losses") or (0,) * (len(self._losses) * len(self._slices)))
        every = labelled.numbers("slice rows") if self._in_parts and labelled.counts else inside * len(self._losses)
        row_counts = iter(every)
        for name, total in zip(self._losses, totals, strict=True):
            sums[WatchKey(watch=name)] = ScoreSum(self.rows_of(labelled, name), total)
            for part in self._slices:
                sums[WatchKey(watch=name, slice=part)] = ScoreSum(next(row_counts), next(parts))
        ranks = self._catalogue.ranks
        tally = labelled.counts["ranks"] if rows else np.zeros((len(ranks.classes), 3), dtype=np.int64)
        shares = self._catalogue.labels.sums_of(labelled.counts.get("label shares"))
        sums |= self._class_sums(labelled) | ranks.sums_of(rows, tally) | shares
        if self._calibration is not None:
            counts = labelled.counts["calibration"] if rows else np.zeros(0, dtype=np.int64)
            sums |= self._calibration.sums_of(rows, counts)
        return self._catalogue.with_material(sums)

    def _class_sums(self, labelled: Tally) -> dict[WatchKey, ScoreSum]:
        names = self._catalogue.class_slices.names
        if not names:
            return {}
        keys = [(name, part) for name in self._losses for part in names]
        rows = (labelled.numbers("class rows") or (0,) * len(names)) * len(self._losses)
        totals = labelled.numbers("class losses") or (0,) * len(keys)
        return {
            WatchKey(watch=name, slice=part): ScoreSum(count, total)
            for (name, part), count, total in zip(keys, rows, totals, strict=True)
        }

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

    def _by_slice(self, units: Floats, scored: ScoredRows) -> list[int]:
        """Sums by slice of integers below 2^32, exact in floating point up to 2^20 rows."""
        counts: list[int] = []
        for code, values in zip(scored.codes, self._catalogue.slices.values(), strict=True):
            sums = np.bincount(code, weights=units, minlength=len(values) + 1)
            counts += sums[: len(values)].astype(np.int64).tolist()
        return counts


def _in_64_bits(counts: Whole) -> Whole:
    """Counts as they are, or those beyond 64 bits as the nearest floats: for metrics that are shown and not tested."""
    return counts if counts.dtype != object else cast("Whole", counts.astype(np.float64))


def _expected_sums(expected: Mapping[str, ExpectedLoss], metrics: tuple[str, ...]) -> Whole:
    """Sums of expected losses and of their variances in fixed point, [metrics, 2]."""
    pairs = [(expected[metric].losses, expected[metric].variances) for metric in metrics]
    return np.array([[fixed_point_sum(part) for part in pair] for pair in pairs])


def _confusion(probabilities: Floats, calibrated: Floats) -> Whole:
    """Sums of calibrated probabilities in fixed point, [predicted class, true class]."""
    width = probabilities.shape[1]
    predicted = row_choices(probabilities)
    counts = np.zeros((width, width), dtype=np.int64)
    for column in range(width):
        units = fixed_point_floats(calibrated[:, column])
        counts[:, column] = np.bincount(predicted, weights=units, minlength=width)
    return counts
