"""The residual model: each row's expected loss, learned from the baseline's losses, for answers that promise none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.batch import final
from monitoring.baseline.folder import Baseline
from monitoring.tasks.task import Task
from monitoring.watches.calibration import MAX_BINS, ROWS_PER_BIN, isotonic_fit
from monitoring.watches.estimates import ExpectedLoss
from monitoring.watches.feature_space import Coordinate, columns_of, coordinates, inputs_of
from monitoring.watches.sampling import sample_indices
from monitoring.watches.scoring import fixed_point

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Rows used at most.
FIT_ROWS = 50_000

#: Coordinates of inputs, besides the answer's rank.
MAX_COVARIATES = 24

#: Parts of the baseline by time, each of which is expected by a model fitted on the others.
FOLDS = 5

#: Ridge penalty on every coefficient but the intercept, in rows.
RIDGE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LossBins:
    """One metric's losses by bins of their predicted size.

    `edges` float64 [b - 1] separate the bins; `of_row` int64 [n] are the sampled rows' bins and `losses` float64 [n]
    their losses, NaN if unknown; `means` and `variances` float64 [b] are those of a row in each bin, means
    non-decreasing.
    """

    edges: Floats
    of_row: Whole
    losses: Floats
    means: Floats
    variances: Floats

    @classmethod
    def fit(cls, index: Floats, losses: Floats) -> LossBins:
        """Bins of about equal size of `index` [n], with the losses [n] in them."""
        has_loss = ~np.isnan(losses)
        if not has_loss.any():
            none = np.zeros(1)
            return cls(edges=none[:0], of_row=np.zeros(index.size, np.int64), losses=losses, means=none, variances=none)
        wanted = min(MAX_BINS, max(int(has_loss.sum()) // ROWS_PER_BIN, 1))
        edges = np.unique(np.quantile(index[has_loss], np.linspace(0, 1, wanted + 1)[1:-1]))
        of_row = np.searchsorted(edges, index, side="right")
        means, variances = _levels(of_row[has_loss], losses[has_loss], edges.size + 1, float(losses[has_loss].mean()))
        return cls(edges=edges, of_row=of_row, losses=losses, means=means, variances=variances)

    def without(self, left_out: NDArray[np.bool_]) -> LossBins:
        """The same bins without some of the sampled rows, [n]."""
        has_loss = ~np.isnan(self.losses)
        if not has_loss.any():
            return self
        mask, mean = ~left_out & has_loss, float(self.losses[has_loss].mean())
        means, variances = _levels(self.of_row[mask], self.losses[mask], self.means.size, mean)
        return replace(self, means=means, variances=variances)

    def expected(self, bins: Whole) -> ExpectedLoss:
        """The expected losses of rows in these bins, [n]."""
        return ExpectedLoss(losses=self.means[bins], variances=self.variances[bins])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResidualModel:
    """Expected losses of each metric by inputs and answer.

    A linear model ranks rows by how large a loss they should have (ridge regression on coordinates of inputs and the
    answer's rank); isotonic regression on its bins says how large. Every baseline row is ranked by a model that was
    fitted on the other parts of the baseline, live rows by the mean of all: cross-fitting, without which the baseline's
    own surprise would be too small. Source: Chernozhukov et al., *Double/debiased machine learning* (2018); the idea is
    NannyML's direct loss estimation.

    Attributes:
        ends: The last event time of each part of the baseline but the last, int64 [FOLDS - 1].
        coefficients: By metric, float64 [FOLDS + 1, covariates]: of each fold's model, and their mean.
        indices: The sampled rows' places in the baseline, [n].
    """

    task: Task
    coordinates: tuple[Coordinate, ...]
    ends: Whole
    coefficients: Mapping[str, Floats]
    bins: Mapping[str, LossBins]
    indices: Whole

    @classmethod
    def fit(cls, baseline: Baseline, is_labelled: NDArray[np.bool_]) -> ResidualModel:
        """Fit to the baseline's losses.

        Args:
            is_labelled: Which of its rows have a label and a usable answer, [n], some of them.

        Returns:
            The model. Cost: one pass over the inputs, and a linear system per fold and metric.
        """
        task, answers = baseline.spec.task, baseline.rows.answers
        indices = np.flatnonzero(is_labelled)
        indices = np.sort(indices[sample_indices(answers.take(indices), FIT_ROWS)])
        chosen = coordinates(*baseline.input_bins)[:MAX_COVARIATES]
        rows = baseline.rows.take(indices, inputs_of(chosen))
        places = np.linspace(0, 1, FOLDS + 1)[1:-1]
        ends = np.quantile(rows.event_times, places, method="inverted_cdf").astype(np.int64)
        folds = np.searchsorted(ends, rows.event_times, side="left")
        columns = _columns(task, chosen, rows.probabilities, rows.features)
        points = np.stack(columns, axis=1)
        losses = task.losses(rows.probabilities, rows.labels)
        coefficients = {metric: _fold_coefficients(points, losses[metric], folds) for metric in task.metrics}
        bins = {
            metric: LossBins.fit(_index(columns, coefficients[metric], folds), losses[metric])
            for metric in task.metrics
        }
        return cls(task=task, coordinates=chosen, ends=ends, coefficients=coefficients, bins=bins, indices=indices)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that rows must have."""
        return inputs_of(self.coordinates)

    def expected(self, answers: Floats, features: pa.Table, times: Whole | None = None) -> dict[str, ExpectedLoss]:
        """The expected losses of rows, whatever batch they come in.

        Args:
            answers: Finite answers, [n, width].
            times: Event times of rows of the baseline, [n]; None for live rows.
        """
        folds = np.full(len(answers), FOLDS) if times is None else np.searchsorted(self.ends, times, side="left")
        columns = _columns(self.task, self.coordinates, answers, features)
        return {
            metric: loss_bins.expected(
                np.searchsorted(loss_bins.edges, _index(columns, self.coefficients[metric], folds), side="right")
            )
            for metric, loss_bins in self.bins.items()
        }

    def held_out(self, positions: Whole) -> dict[str, tuple[ExpectedLoss, Floats]]:
        """One baseline window's expected and true losses, without its own labels."""
        mask, pairs = np.isin(self.indices, positions), {}
        for metric, loss_bins in self.bins.items():
            is_scored = mask & ~np.isnan(loss_bins.losses)
            pairs[metric] = (loss_bins.without(mask).expected(loss_bins.of_row[is_scored]), loss_bins.losses[is_scored])
        return pairs


def _columns(task: Task, chosen: tuple[Coordinate, ...], answers: Floats, features: pa.Table) -> list[Floats]:
    """The covariates of rows: an intercept, the answer's rank, its square and its distance from the middle; inputs."""
    scores = task.scores(answers)
    inputs = final(features.select(list(inputs_of(chosen)))) if chosen else features
    score_terms = [term for score in scores for term in (score, score**2, np.abs(2.0 * score - 1.0))]
    return [np.ones(len(answers)), *score_terms, *columns_of(chosen, inputs)]


def _index(columns: list[Floats], coefficients: Floats, folds: Whole) -> Floats:
    """Predicted losses, added column by column: the same to the last bit in whatever batch a row comes."""
    total = np.zeros(len(columns[0]))
    for place, column in enumerate(columns):
        total += coefficients[folds, place] * column
    return total


def _fold_coefficients(points: Floats, losses: Floats, folds: Whole) -> Floats:
    """Ridge regressions of the losses, each without one fold, and their mean, [FOLDS + 1, covariates]."""
    has_loss = ~np.isnan(losses)
    if not has_loss.all():
        points, losses, folds = points[has_loss], losses[has_loss], folds[has_loss]
    penalty = np.full(points.shape[1], RIDGE)
    penalty[0] = 1e-9
    coefficients = []
    for fold in range(FOLDS):
        inside = folds != fold
        some = points[inside]
        coefficients.append(np.linalg.solve(some.T @ some + np.diag(penalty), some.T @ losses[inside]))
    return np.stack([*coefficients, np.mean(coefficients, axis=0)])


def _levels(bins: Whole, losses: Floats, count: int, mean: float) -> tuple[Floats, Floats]:
    """The mean loss of each bin, non-decreasing, and a row's variance; the overall mean counts as one more row."""
    units = fixed_point(losses)
    rows: Floats = np.bincount(bins, minlength=count).astype(np.float64) + 1.0
    sums = (np.bincount(bins, weights=units, minlength=count) / float(1 << 32) + mean) / rows
    squares = (np.bincount(bins, weights=losses**2, minlength=count) + mean**2) / rows
    means = isotonic_fit(sums, rows)
    return means, np.maximum(squares - sums**2, 0.0)
