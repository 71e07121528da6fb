"""Importance weighting: the baseline's labelled losses, weighted so that its rows are distributed like a window's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.tasks.task import Task
from monitoring.watches.estimates import ExpectedLoss
from monitoring.watches.feature_space import Coordinate, columns_of, coordinates, inputs_of
from monitoring.watches.sampling import sample_indices

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Rows used at most: of the baseline (source), and of the window (target).
SOURCE_ROWS = 2048
TARGET_ROWS = 512

#: Coordinates of inputs that the weights depend on, besides the score.
MAX_COVARIATES = 24

#: Windows of fewer rows have no weighted estimate.
MIN_ROWS = 30

#: The smallest effective sample size (Σw)² / Σw²: with less, a few rows of the baseline would determine the estimate.
MIN_EFFECTIVE_ROWS = 200

#: A row of a window lies outside the reference where it is this many times likelier in the window than there.
OUTSIDE_RATIO = 10.0

#: Ridge penalty on every coefficient but the intercept.
RIDGE = 1.0

_NEWTON_STEPS = 12
_CONVERGED = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightedEstimate:
    """The effective sample size, and the expected loss of each metric; no losses if the sample size is too small."""

    effective: float
    losses: Mapping[str, ExpectedLoss]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightedMeans:
    """The weighted losses of a window, as one mean and variance per metric.

    Attributes:
        means: Each metric's mean and variance of a row; none if the sample size is too small.
        outside: The share of the window's rows that are `OUTSIDE_RATIO` times likelier in it than in the reference;
            None where rows are too few.
        points: Coordinates of the rows they are of, sorted, [n, covariates]; none where rows are too few.
        count: How many rows those are a sample of.
    """

    points: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    count: int = 0
    effective: float = 0.0
    means: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    outside: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImportanceWeighting:
    """Labelled rows of the baseline: `points` [m, covariates], `losses` by metric [m], their `indices` in it [m].

    A loss is NaN in rows whose label lacks its part.
    """

    task: Task
    coordinates: tuple[Coordinate, ...]
    points: Floats
    losses: Mapping[str, Floats]
    indices: Whole

    @classmethod
    def fit(cls, baseline: Baseline, is_labelled: NDArray[np.bool_]) -> ImportanceWeighting:
        """Sample the baseline's labelled rows. Returns at most `SOURCE_ROWS` of them.

        Args:
            is_labelled: Which of its rows have a label and a usable answer, [n].
        """
        indices = np.flatnonzero(is_labelled)
        indices = indices[sample_indices(baseline.rows.answers.take(indices), SOURCE_ROWS)]
        chosen = coordinates(*baseline.input_bins)[:MAX_COVARIATES]
        rows = baseline.rows.take(indices, inputs_of(chosen))
        task = baseline.spec.task
        losses = task.losses(rows.probabilities, rows.labels)
        return cls(
            task=task,
            coordinates=chosen,
            points=_points(rows, chosen, task),
            losses={metric: losses[metric] for metric in task.metrics},
            indices=indices,
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that rows must have."""
        return inputs_of(self.coordinates)

    def without(self, indices: Whole) -> ImportanceWeighting:
        """The same without the rows at these indices of the baseline."""
        mask = ~np.isin(self.indices, indices)
        return replace(
            self,
            points=self.points[mask],
            losses={metric: losses[mask] for metric, losses in self.losses.items()},
            indices=self.indices[mask],
        )

    def estimate(self, rows: Predictions, count: int | None = None) -> WeightedEstimate:
        """The expected losses of rows that are not among the weighted ones.

        A baseline row is weighted by the odds that it comes from `rows` rather than from the baseline, by a logistic
        regression; the estimate is the weighted mean. It is right where the label's distribution given inputs and score
        is unchanged. Each row gets that mean, and a variance whose sum over n² is that of the mean's error: sampling
        variance of n rows, and that of the weighted rows. Source: Sugiyama et al., *Density ratio estimation in machine
        learning* (2012), §4; Kish, *Survey sampling* (1965). Cost: some milliseconds, a dozen linear systems of at most
        30 equations.

        Args:
            count: How many rows they are a sample of; None for all.
        """
        count = len(rows) if count is None else count
        weighted = self.weighted_means(rows.take(sample_indices(rows, TARGET_ROWS)), count)
        losses = {
            metric: ExpectedLoss(losses=np.full(count, mean), variances=np.full(count, variance))
            for metric, (mean, variance) in weighted.means.items()
        }
        return WeightedEstimate(effective=weighted.effective, losses=losses)

    def weighted_means(self, sample: Predictions, count: int, known: WeightedMeans | None = None) -> WeightedMeans:
        """As `estimate`, as one mean and variance per metric, with the share of rows outside the reference.

        Args:
            sample: At most `TARGET_ROWS` rows chosen by `sample_indices`, in any order.
            known: Means of this weighting that are returned where they are those of the same rows, as where all labels
                come with the answers: no second fit.
        """
        if count < MIN_ROWS or len(self.points) < MIN_EFFECTIVE_ROWS:
            return WeightedMeans()
        points = _points(sample, self.coordinates, self.task)
        points = points[np.lexsort(points.T)]  # the same sums whatever the order and ids
        if known is not None and known.count == count and np.array_equal(known.points, points):
            return known
        odds, live = _log_ratios(self.points, points)
        weights = np.exp(odds - odds.max())
        weights /= weights.sum()
        effective = 1.0 / float(weights @ weights)
        means = self._means(weights, count) if effective >= MIN_EFFECTIVE_ROWS else {}
        outside = float(np.mean(live > math.log(OUTSIDE_RATIO)))
        return WeightedMeans(points=points, count=count, effective=effective, means=means, outside=outside)

    def _means(self, weights: Floats, count: int) -> dict[str, tuple[float, float]]:
        """The mean loss and variance of a row by metric, of `count` rows; `weights` are of the source's, [m]."""
        means = {}
        for metric, losses in self.losses.items():
            has_loss = ~np.isnan(losses)
            if not has_loss.any():
                continue
            shares = weights if has_loss.all() else weights[has_loss] / weights[has_loss].sum()
            mean = float(shares @ losses[has_loss])
            apart = (losses[has_loss] - mean) ** 2
            variance = float(shares @ apart) + count * float(shares**2 @ apart)
            means[metric] = (mean, variance)
        return means


def _points(rows: Predictions, chosen: tuple[Coordinate, ...], task: Task) -> Floats:
    """Coordinates of inputs, the score and its square, [n, covariates]."""
    score = task.score(rows.probabilities)
    parts = [*columns_of(chosen, rows.features), score, score**2]
    return np.stack(parts, axis=1)


def _log_ratios(source: Floats, target: Floats) -> tuple[Floats, Floats]:
    """The log of how much likelier a row is in `target` than in `source`, by ridge logistic regression."""
    mean, std = source.mean(axis=0), source.std(axis=0)
    scale = np.where(std > _CONVERGED, std, np.inf)
    rows = (np.concatenate([source, target]) - mean) / scale
    rows = np.concatenate([np.ones((len(rows), 1)), rows], axis=1)
    truth = np.repeat([0.0, 1.0], [len(source), len(target)])
    penalty = np.full(rows.shape[1], RIDGE)
    penalty[0] = _CONVERGED
    coefficients = np.zeros(rows.shape[1])
    prior = coefficients[0] = math.log(len(target) / len(source))
    for _ in range(_NEWTON_STEPS):
        share = 1.0 / (1.0 + np.exp(-np.clip(rows @ coefficients, -30.0, 30.0)))
        gradient = rows.T @ (truth - share) - penalty * coefficients
        hessian = (rows * (share * (1.0 - share))[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        coefficients += step
        if float(np.abs(step).max()) < _CONVERGED:
            break
    ratios: Floats = rows @ coefficients - prior
    return ratios[: len(source)], ratios[len(source) :]
