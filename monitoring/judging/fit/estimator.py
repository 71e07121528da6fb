"""Estimated performance: losses of each window without labels, checked against the labels that arrive later."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.judging.fit.baseline_sums import BaselineSamples
from monitoring.judging.window.row_scorer import RowScorer
from monitoring.judging.window.window_sums import AnsweredSums, LabelledSums
from monitoring.judging.window.windowing import split_by_label_arrival
from monitoring.records import SCORE_ONE, EstimateMethod, EstimateRecord, IntervalChecks, RealisedLosses
from monitoring.timestamps import as_datetime
from monitoring.traffic.windows import WindowPlan
from monitoring.watches import estimates, trust
from monitoring.watches.calibration import Calibration
from monitoring.watches.catalogue import Catalogue, labelled_rows
from monitoring.watches.estimates import ExpectedLoss
from monitoring.watches.multilabel_calibration import MultilabelCalibration
from monitoring.watches.scoring import fixed_point_sum
from monitoring.watches.tally import LossSum, Tally
from monitoring.watches.trust import MISS_RATE
from monitoring.watches.weighting import ImportanceWeighting, WeightedEstimate, WeightedMeans

#: Baseline windows that an interval needs: with fewer, no quantile of them has this level.
MIN_INTERVAL_WINDOWS = math.ceil(1.0 / MISS_RATE) - 1

#: Smallest variance assumed, so that estimates that were always right have an interval too.
_MIN_VARIANCE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformalInterval:
    """How far an estimated loss lies from the true loss of a window.

    The standard error of an estimate has two parts: the variance among the window's rows, which is known, and the
    variance between windows beyond it. The half-width is the quantile of |estimate - truth| in standard errors that
    split conformal prediction uses: the ⌈(R + 1)(1 - a)⌉-th smallest of R baseline windows, a = `MISS_RATE`. Source:
    Vovk, Gammerman & Shafer, *Algorithmic learning in a random world* (2nd ed. 2022), §4.2.

    >>> interval = ConformalInterval.fit(np.linspace(-0.04, 0.04, 9), np.full(9, 0.0004))
    >>> round(interval.half_width(100, 4.0), 4), round(interval.half_width(100, 12.0), 4)
    (0.04, 0.0593)
    """

    excess_variance: float
    quantile: float

    @classmethod
    def fit(cls, differences: NDArray[np.float64], row_variances: NDArray[np.float64]) -> ConformalInterval:
        """Fit to R baseline windows.

        Args:
            differences: True minus estimated loss of each window, [R], R >= `MIN_INTERVAL_WINDOWS`.
            row_variances: The variance of each estimate that the variance among its rows explains, [R].
        """
        excess = max(float(np.mean(differences**2 - row_variances)), 0.0)
        errors = np.abs(differences) / np.sqrt(np.maximum(excess + row_variances, _MIN_VARIANCE))
        rank = math.ceil((differences.size + 1) * (1.0 - MISS_RATE))
        return cls(excess_variance=excess, quantile=float(np.sort(errors)[rank - 1]))

    def half_width(self, rows: int, variance: float) -> float:
        """Half the width of the interval for a mean."""
        return self.quantile * math.sqrt(max(self.excess_variance + variance / rows**2, _MIN_VARIANCE))


#: Windows of models with more classes than this have no confusion matrix.
MAX_CONFUSION_CLASSES = 10

#: How a loss is estimated, and which loss.
Kind: TypeAlias = tuple[EstimateMethod, str]
_THRESHOLD: Kind = ("threshold", "error")
#: Estimates that are sums over rows.
_MODELS = ("calibrated", "residual")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PerformanceEstimator:
    """Estimates losses: by calibrated and thresholded confidence or the residual model, and by importance weighting.

    Attributes:
        threshold: Of confidence; None where the model gives no probabilities.
        scales: By metric, its own unit over that of scores.
    """

    threshold: float | None
    weighting: ImportanceWeighting
    intervals: Mapping[Kind, ConformalInterval]
    scales: Mapping[str, float]
    min_rows: int

    @classmethod
    def fit(cls, baseline: Baseline, catalogue: Catalogue, plan: WindowPlan) -> PerformanceEstimator | None:
        """Fit to the baseline's labels.

        Each baseline window, of the labels that arrived in it, is estimated by a calibration fitted without its labels
        and by weighting without its rows; the threshold, a single number, is the same for all. Cost: one pass over the
        labelled rows; for each window a fit of some dozens of points per class, and one of the weights.
        """
        calibration, residuals, reference = catalogue.calibration, catalogue.residuals, baseline.rows.answers
        if calibration is None and residuals is None:
            return None
        labelled = labelled_rows(reference)
        answers, labels = reference.probabilities[labelled], reference.labels[labelled]
        scored = baseline.spec.has_probabilities
        threshold = estimates.confidence_threshold(answers, labels) if _has_threshold(catalogue) and scored else None
        weighting, min_rows = ImportanceWeighting.fit(baseline, labelled), max(plan.min_rows, 1)
        errors = {kind: _EstimationErrors(min_rows) for kind in _kinds(catalogue)}
        arrivals = [positions for _, positions in split_by_label_arrival(reference, plan)]
        samples = BaselineSamples(
            baseline.rows, [positions[labelled[positions]] for positions in arrivals], weighting.inputs
        )
        for positions, sample in zip(arrivals, samples, strict=True):
            window = reference.take(positions[labelled[positions]])
            truth = catalogue.task.losses(window.probabilities, window.labels)
            expected_losses = _by_weighting(weighting.without(positions).estimate(sample, len(window)))
            if calibration is not None:
                held_out = calibration.without(window.probabilities, window.labels)
                expected_losses = (*_by_confidence(window.probabilities, held_out, threshold), *expected_losses)
            for kind, expected in expected_losses:
                has_loss = ~np.isnan(truth[kind[1]])
                errors[kind].add(LossSum.of(expected.at(has_loss)), fixed_point_sum(truth[kind[1]][has_loss]))
            for metric, (expected, losses) in {} if residuals is None else residuals.held_out(positions).items():
                errors["residual", metric].add(LossSum.of(expected), fixed_point_sum(losses))
        intervals = {
            kind: sample.interval()
            for kind, sample in errors.items()
            if len(sample) >= MIN_INTERVAL_WINDOWS and (scored or kind[1] == "error")
        }
        if not intervals:
            return None
        scales = catalogue.task.scales
        return cls(threshold=threshold, weighting=weighting, intervals=intervals, scales=scales, min_rows=min_rows)

    def estimate(
        self, previous: Sequence[EstimateRecord], answered: AnsweredSums, labelled: LabelledSums, scorer: RowScorer
    ) -> tuple[EstimateRecord, ...]:
        """Estimate one window's losses, and check estimates against the labels that arrived in it."""
        checks = {(record.method, record.metric): record.interval_checks for record in previous}
        rows = answered.tally.number("rows")
        weighted = self.weighting.weighted_means(answered.usable, rows)
        expected = self._expected(scorer, answered.tally, weighted.means)
        expected_labelled = self._expected(scorer, labelled.whole, self._weighted_labelled(labelled, scorer, weighted))
        realised = scorer.realised(labelled.whole)
        records = []
        for kind in self.intervals:
            before = pooled = checks.get(kind, IntervalChecks())
            if kind in expected_labelled:
                pooled = _pooled(before, expected_labelled[kind], realised[kind[1]])
            record = replace(self._record(kind, expected.get(kind), before, pooled), outside=weighted.outside)
            if kind[0] == "weighted":
                record = replace(record, rows=rows, effective=weighted.effective)
            records.append(record)
        if records and 0 < scorer.class_count <= MAX_CONFUSION_CLASSES:
            records[0] = replace(records[0], confusion=scorer.confusion(answered.tally))
        return tuple(records)

    def _weighted_labelled(
        self, labelled: LabelledSums, scorer: RowScorer, answered: WeightedMeans
    ) -> dict[str, tuple[float, float]]:
        """The weighted means and variances of labelled rows, by metric; each over the rows that have the loss.

        Only of metrics whose weighted estimate has an interval: nothing else is checked against labels.
        """
        rows, metrics = labelled.usable, tuple(metric for method, metric in self.intervals if method == "weighted")
        losses: dict[str, tuple[float, float]] = {}
        inside = {metric: scorer.known_losses(rows, metric) for metric in metrics}
        while metrics:
            mask = inside[metrics[0]]
            alike = [metric for metric in metrics if np.array_equal(inside[metric], mask)]
            count = scorer.rows_of(labelled.whole, alike[0])
            means = self.weighting.weighted_means(rows.take(mask), count, answered).means
            losses |= {metric: means[metric] for metric in alike if metric in means}
            metrics = tuple(metric for metric in metrics if metric not in alike)
        return losses

    def _expected(
        self, scorer: RowScorer, tally: Tally, weighted: Mapping[str, tuple[float, float]]
    ) -> dict[Kind, LossSum]:
        """The estimated losses of the rows of a tally; `weighted` are means and variances by metric."""
        expected = {kind: scorer.calibrated_losses(tally, kind[1]) for kind in self.intervals if kind[0] in _MODELS}
        if self.threshold is not None:
            expected[_THRESHOLD] = scorer.thresholded_errors(tally)
        return expected | {
            ("weighted", metric): LossSum.constant(scorer.rows_of(tally, metric), *each)
            for metric, each in weighted.items()
        }

    def _record(
        self, kind: Kind, estimated: LossSum | None, before: IntervalChecks, pooled: IntervalChecks
    ) -> EstimateRecord:
        """One kind of estimate, and its check where enough labelled rows are `pooled`."""
        interval, rows = self.intervals[kind], 0 if estimated is None else estimated.rows
        value = low = high = expected = half = realised = None
        if estimated is not None and rows >= self.min_rows:
            value = estimated.losses / (rows * SCORE_ONE)
            reach = interval.half_width(rows, estimated.variances / SCORE_ONE)
            scale = self.scales[kind[1]]
            low, high = max(value - reach, 0.0) * scale, min(value + reach, 1.0) * scale
            value *= scale
        checked, after = 0, pooled
        if pooled.rows >= self.min_rows:
            checked = pooled.rows
            expected, realised = (total / (checked * SCORE_ONE) for total in (pooled.expected, pooled.realised))
            half = interval.half_width(checked, pooled.variance)
            emptied = replace(pooled, rows=0, expected=0, realised=0, variance=0.0)
            after = trust.checked(emptied, missed=abs(realised - expected) > half)
            expected, half, realised = (each * self.scales[kind[1]] for each in (expected, half, realised))
        return EstimateRecord(
            method=kind[0],
            metric=kind[1],
            rows=rows,
            value=value,
            low=low,
            high=high,
            checked=checked,
            expected=expected,
            half=half,
            realised=realised,
            trusted=before.trusted,
            interval_checks=after,
        )


def losses_by_window(labelled: LabelledSums, scorer: RowScorer) -> tuple[RealisedLosses, ...]:
    """The losses of the labels that arrived, by the window in which their predictions were answered."""
    return tuple(
        RealisedLosses(
            start=as_datetime(start),
            rows=tally.number("rows"),
            losses=scorer.realised_in_units(tally),
            missing=scorer.missing_rows(tally),
        )
        for start, tally in labelled.tallies.items()
    )


class _EstimationErrors:
    """True minus estimated losses of one kind over the baseline's windows, pooled to `min_rows` rows."""

    def __init__(self, min_rows: int) -> None:
        self._min_rows = min_rows
        self._pool = IntervalChecks()
        self._differences: list[tuple[float, float]] = []

    def __len__(self) -> int:
        return len(self._differences)

    def add(self, expected: LossSum, realised: int) -> None:
        """One more window, with the sum of its true losses."""
        pool = _pooled(self._pool, expected, realised)
        if pool.rows >= self._min_rows:
            difference = (pool.realised - pool.expected) / (pool.rows * SCORE_ONE)
            self._differences.append((difference, pool.variance / pool.rows**2))
            pool = IntervalChecks()
        self._pool = pool

    def interval(self) -> ConformalInterval:
        """The interval of this kind of estimate."""
        return ConformalInterval.fit(*np.asarray(self._differences, dtype=np.float64).T)


def _by_confidence(
    answers: NDArray[np.float64], calibration: Calibration | MultilabelCalibration, threshold: float | None
) -> Iterator[tuple[Kind, ExpectedLoss]]:
    for metric, expected in calibration.expected_losses(answers).items():
        yield ("calibrated", metric), expected
    if threshold is not None:
        yield _THRESHOLD, estimates.thresholded_confidence(answers, threshold)


def _by_weighting(weighted: WeightedEstimate) -> tuple[tuple[Kind, ExpectedLoss], ...]:
    return tuple((("weighted", metric), expected) for metric, expected in weighted.losses.items())


def _kinds(catalogue: Catalogue) -> tuple[Kind, ...]:
    """Every kind of estimate, in the order of records."""
    metrics = catalogue.task.metrics
    weighted: list[Kind] = [("weighted", metric) for metric in metrics]
    if catalogue.residuals is not None:
        return (*(("residual", metric) for metric in metrics), *weighted)
    threshold = (_THRESHOLD,) if _has_threshold(catalogue) else ()
    return (*(("calibrated", metric) for metric in metrics), *threshold, *weighted)


def _has_threshold(catalogue: Catalogue) -> bool:
    """Whether one confidence tells right answers from wrong ones: of a classifier, of one class a row."""
    return catalogue.calibration is not None and catalogue.task.exclusive


def _pooled(pool: IntervalChecks, expected: LossSum, realised: int) -> IntervalChecks:
    """The checks with more labelled rows pooled; sums are integers, so the order of rows does not matter."""
    return replace(
        pool,
        rows=pool.rows + expected.rows,
        expected=pool.expected + expected.losses,
        realised=pool.realised + realised,
        variance=pool.variance + expected.variances / SCORE_ONE,
    )
