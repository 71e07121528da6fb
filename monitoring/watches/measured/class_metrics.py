"""AUC, F1, precision, recall, calibration error and log loss, from counts of rows by score, answer and class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.binning import Binner
from monitoring.records import SCORE_ONE, MeasuredMetric
from monitoring.tasks.multilabel import THRESHOLD
from monitoring.tasks.task import Floats, Task, Whole
from monitoring.watches.scoring import fixed_point_floats, fixed_point_sum

#: Bins of equal mass of a class's probability in the baseline. The AUC of the bins is off by at most half of the share
#: of pairs of rows that are in one bin, some 1/256 where the traffic is like the baseline, and mostly far less.
BINS = 128

#: Groups of bins, of equal mass in the baseline, over which the calibration error is a mean.
GROUPS = 20

#: Models of more classes than this have a log loss only.
MAX_CLASSES = 20

#: A probability counts as no smaller than this in the log loss, which is then at most `LARGEST_LOG_LOSS`.
SMALLEST = 1e-7
LARGEST_LOG_LOSS = -float(np.log(SMALLEST))

#: Draws of the bootstrap, and what share of them lies within an interval.
DRAWS = 200
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassBins:
    """The bins of one class's probability. `groups`: the group of each bin, int64 [b]."""

    place: int
    binner: Binner
    groups: Whole

    @classmethod
    def fit(cls, place: int, probabilities: Floats, threshold: float) -> ClassBins:
        """Bins of equal mass of some rows' probabilities [n], n > 0, and one more edge."""
        quantiles = np.quantile(probabilities, np.linspace(0, 1, BINS + 1)[1:-1])
        edges = np.unique(np.append(quantiles, threshold))
        binner = Binner(edges)
        counts = np.bincount(binner.places(probabilities), minlength=edges.size + 1)
        before = (np.cumsum(counts) - counts / 2.0) / probabilities.size
        return cls(place=place, binner=binner, groups=np.minimum(before * GROUPS, GROUPS - 1).astype(np.int64))

    @property
    def size(self) -> int:
        """How many bins there are."""
        return int(self.groups.size)

    def cells(self, scores: Floats, answered: NDArray[np.bool_], true: NDArray[np.bool_]) -> tuple[Whole, Whole]:
        """Count rows.

        Args:
            scores: The class's probabilities, [n].
            answered: Whether each row is answered to be of the class, [n].
            true: Whether it is, [n].

        Returns:
            Rows by bin, answer and truth, int64 [b, 2, 2]; and the sum of their probabilities by bin, in fixed point,
            [b].
        """
        bins = self.binner.places(scores)
        cells = bins.astype(np.int64) << 2  # in place from here on
        cells |= answered.view(np.int8) << 1
        cells |= true.view(np.int8)
        counts = np.bincount(cells, minlength=4 * self.size).reshape(-1, 2, 2)
        sums = np.bincount(bins, weights=fixed_point_floats(scores), minlength=self.size)
        return counts.astype(np.int64), sums.astype(np.int64)

    def statistics(self, counts: Floats, sums: Floats) -> dict[str, Floats]:
        """Metrics of the class in each of d draws; NaN where one is not defined. Returns by metric, [d].

        Args:
            counts: Rows by answer, truth, draw and bin, [2, 2, d, b]: sums over bins are over neighbours.
            sums: The sum of the probabilities by bin, in the rows that were counted and not drawn, [b].
        """
        ups, downs = counts[0, 1] + counts[1, 1], counts[0, 0] + counts[1, 0]
        positives, negatives = ups.sum(axis=1), downs.sum(axis=1)
        won = (ups * (np.cumsum(downs, axis=1) - downs / 2.0)).sum(axis=1)
        hits = counts[1, 1].sum(axis=1)
        answered, rows = hits + counts[1, 0].sum(axis=1), positives + negatives
        of_group = np.zeros((self.size, GROUPS))
        of_group[np.arange(self.size), self.groups] = 1.0
        drawn = ups + downs
        gaps = np.abs((drawn * _ratio(sums, drawn[0]) - ups) @ of_group).sum(axis=1)
        return {
            "auc": _ratio(won, positives * negatives, np.nan),
            "f1": _ratio(2.0 * hits, answered + positives, np.nan),
            "precision": _ratio(hits, answered, np.nan),
            "recall": _ratio(hits, positives, np.nan),
            "calibration_error": _ratio(gaps, rows, np.nan),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassMetrics:
    """The metrics of a model that answers with classes: of two classes those of the second, of more macro means.

    A macro mean is over the classes for which the metric is defined in the window. Its interval is the mean of theirs,
    which is too wide rather than too narrow, as if all classes erred together.

    Attributes:
        threshold: From this probability on, a row is answered to be of the second of two classes, or to have a class.
        bins: Of the second of two classes, or of each; none where there are too many.
    """

    task: Task
    threshold: float
    bins: tuple[ClassBins, ...]

    @classmethod
    def fit(cls, task: Task, answers: Floats, threshold: float | None = None) -> ClassMetrics:
        """Bins from the answers of a baseline's labelled rows, [n, classes], n > 0."""
        at = THRESHOLD if threshold is None else threshold
        places = (1,) if task.is_binary else tuple(range(task.width)) if task.width <= MAX_CLASSES else ()
        bins = tuple(ClassBins.fit(place, answers[:, place], at) for place in places)
        return cls(task=task, threshold=at, bins=bins)

    def tally(self, answers: Floats, labels: Whole) -> dict[str, Whole]:
        """Whole numbers that can be added over batches of rows.

        Args:
            answers: Finite answers, [n, classes].
            labels: Their labels' codes, none absent, [n]; those of unknown classes do not count.
        """
        is_labelled = ~self.task.unknown(labels)
        if not is_labelled.all():
            answers, labels = answers[is_labelled], labels[is_labelled]
        losses = self.task.log_losses(answers, labels, SMALLEST) / LARGEST_LOG_LOSS
        counts = {
            "measured rows": np.array(len(labels)),
            "log losses": np.array([fixed_point_sum(losses), fixed_point_sum(losses**2)]),
        }
        places = [class_bins.place for class_bins in self.bins]
        answered = self.task.answered(answers, places, self.threshold)
        true = self.task.has_classes(labels, places)
        for place, (class_bins, is_answered, is_true) in enumerate(zip(self.bins, answered, true, strict=True)):
            scores = np.ascontiguousarray(answers[:, class_bins.place])
            counts[f"cells {place}"], counts[f"scores {place}"] = class_bins.cells(scores, is_answered, is_true)
        return counts

    def measured(self, counts: Mapping[str, Whole], rng: np.random.Generator | None = None) -> list[MeasuredMetric]:
        """The metrics of some rows, with intervals by a bootstrap of the rows: Poisson counts of each cell.

        Source: Hanley & MacGibbon, *Creating non-parametric bootstrap samples using Poisson frequencies* (2006). The
        interval of the log loss is its mean's, by the normal distribution.

        Args:
            rng: Source of randomness; None for no intervals, whose bounds are the values then.

        Returns:
            Those that are defined; none without rows.
        """
        rows = int(counts["measured rows"]) if "measured rows" in counts else 0
        if not rows:
            return []
        drawn = [self._drawn(class_bins, counts, place, rng) for place, class_bins in enumerate(self.bins)]
        prefix = "macro_" if len(drawn) > 1 else ""
        metrics = (
            [] if not self.task.has_probabilities else [self._log_loss(counts["log losses"], rows, rng is not None)]
        )
        for name in drawn[0] if drawn else ():
            if name in ("auc", "calibration_error") and not self.task.has_probabilities:
                continue
            values = np.array([statistics[name][0] for statistics in drawn])
            defined = np.isfinite(values)
            if defined.any():
                bounds = np.array(
                    [_bounds(statistics[name]) for statistics, there in zip(drawn, defined, strict=True) if there]
                )
                low, high = bounds.mean(axis=0).tolist()
                value = float(values[defined].mean())
                metrics.append(MeasuredMetric(metric=f"{prefix}{name}", rows=rows, value=value, low=low, high=high))
        return metrics

    def _drawn(
        self, class_bins: ClassBins, counts: Mapping[str, Whole], place: int, rng: np.random.Generator | None
    ) -> dict[str, Floats]:
        """The statistics of a class: of its counts, then of each draw, [1 + draws]."""
        cells = counts[f"cells {place}"].astype(np.float64)
        draws = np.zeros((2, 2, 1 if rng is None else DRAWS + 1, len(cells)))
        draws[:, :, 0] = np.moveaxis(cells, 0, 2)
        if rng is not None:
            bins, answers, truths = there = np.nonzero(cells)
            drawn = rng.poisson(cells[there], size=(DRAWS, bins.size))
            for answer, truth in np.ndindex(2, 2):
                inside = (answers == answer) & (truths == truth)
                draws[answer, truth, 1:, bins[inside]] = drawn[:, inside].T
        return class_bins.statistics(draws, counts[f"scores {place}"] / SCORE_ONE)

    def _log_loss(self, sums: Whole, rows: int, has_interval: bool) -> MeasuredMetric:  # noqa: FBT001 - private
        mean, squares = (sums / SCORE_ONE / rows).tolist()
        half = 1.96 * np.sqrt(max(squares - mean**2, 0.0) / rows) if has_interval else 0.0
        low, high = max(mean - half, 0.0), min(mean + half, 1.0)
        return MeasuredMetric(
            metric="log_loss",
            rows=rows,
            value=mean * LARGEST_LOG_LOSS,
            low=low * LARGEST_LOG_LOSS,
            high=high * LARGEST_LOG_LOSS,
        )


def _bounds(drawn: Floats) -> tuple[float, float]:
    """The central interval of draws around the first, the value itself; that value where there are no others.

    The draws are moved to have the value as their mean: a calibration error of resampled rows is larger than that of
    the rows, as theirs is larger than that of the model, so it is compared with windows of as many rows.

    Returns:
        Both bounds, in [0, 1].
    """
    value, others = float(drawn[0]), drawn[1:][np.isfinite(drawn[1:])]
    if not others.size:
        return value, value
    low, high = np.quantile(others - others.mean(), [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0]).tolist()
    return max(value + min(low, 0.0), 0.0), min(value + max(high, 0.0), 1.0)


def _ratio(parts: Floats, whole: Floats, otherwise: float = 0.0) -> Floats:
    """The ratio, and another number where the whole is 0."""
    ratio: Floats = np.divide(parts, whole, out=np.full(np.shape(whole), otherwise), where=np.asarray(whole) > 0.0)
    return ratio
