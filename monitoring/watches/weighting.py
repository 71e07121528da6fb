"""The baseline's labelled losses, weighed so that its rows are distributed like a window's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.watches import performance
from monitoring.watches.estimates import ExpectedLoss
from monitoring.watches.joint import Coordinate, coordinates, inputs_of, sampled
from monitoring.watches.labelled import score_of

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Rows looked at, at most: of the baseline, and of the window that it is weighed towards.
SOURCE = 2048
TARGET = 512

#: Coordinates of inputs that the weights are made of, beside the score's.
COVARIATES = 24

#: Fewer rows than this have no law worth weighing towards.
FEWEST_ROWS = 30

#: Weights that leave fewer effective rows than this are refused: a few rows of the baseline would speak for all.
FEWEST_EFFECTIVE = 200

#: Penalty on every coefficient but the first, as if it had been seen to be 0 with this precision.
RIDGE = 1.0

_STEPS = 12
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightedEstimate:
    """What weighing came to: the effective rows, and the expected loss of each metric; none where they are too few."""

    effective: float
    losses: Mapping[str, ExpectedLoss]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImportanceWeighting:
    """Labelled rows of the baseline: `points` [m, covariates], their `losses` by metric [m], `places` [m] in it."""

    coordinates: tuple[Coordinate, ...]
    points: Floats
    losses: Mapping[str, Floats]
    places: Whole

    @classmethod
    def fit(cls, baseline: Baseline, known: NDArray[np.bool_]) -> ImportanceWeighting:
        """Of the reference's rows that are `known` to have label and answer, a sample of at most 2,048."""
        places = np.flatnonzero(known)
        places = places[sampled(baseline.rows.answers.take(places), SOURCE)]
        chosen = coordinates(baseline.bins, baseline.profile.features)[:COVARIATES]
        rows = baseline.rows.taken(places, inputs_of(chosen))
        return cls(
            coordinates=chosen,
            points=_points(rows, chosen),
            losses=performance.scores(rows.probabilities, rows.labels),
            places=places,
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that rows need to have."""
        return inputs_of(self.coordinates)

    def without(self, places: Whole) -> ImportanceWeighting:
        """As if those rows of the reference were not in it."""
        kept = ~np.isin(self.places, places)
        return replace(
            self,
            points=self.points[kept],
            losses={metric: losses[kept] for metric, losses in self.losses.items()},
            places=self.places[kept],
        )

    def expected(self, rows: Predictions, count: int | None = None) -> WeightedEstimate:
        """The losses to expect of rows that have an answer, none of which is among those weighed.

        With a `count`, `rows` are the sample of so many.

        A row of the baseline weighs as much as a logistic regression says that it looks like one of `rows` rather than
        of the baseline; the expectation is the weighed mean. It is right where the truth, given inputs and score, is as
        it was. Each row gets that mean, and a variance of which the sum over n² is that of the mean's error: chance
        among the n rows, and what the weights leave of the baseline's rows. Effective rows are (Σw)² / Σw². Source:
        Sugiyama et al., *Density ratio estimation in machine learning* (2012), §4; Kish, *Survey sampling* (1965).
        Cost: some milliseconds, a dozen solutions of at most 30 equations.
        """
        count = len(rows) if count is None else count
        effective, each = self.weighed(rows.take(sampled(rows, TARGET)), count)
        losses = {
            metric: ExpectedLoss(losses=np.full(count, mean), variances=np.full(count, variance))
            for metric, (mean, variance) in each.items()
        }
        return WeightedEstimate(effective=effective, losses=losses)

    def weighed(self, sample: Predictions, count: int) -> tuple[float, dict[str, tuple[float, float]]]:
        """Effective rows, and each metric's mean and variance of a row, of `count` rows of which `sample` were chosen.

        The sample is that of `monitoring.watches.joint.sampled`, at most 512 rows, in any order. See `expected`.
        """
        if count < FEWEST_ROWS or len(self.points) < FEWEST_EFFECTIVE:
            return 0.0, {}
        sample = sample.take(np.argsort(np.asarray(sample.ids.to_pylist()), kind="stable"))
        odds = _log_odds(self.points, _points(sample, self.coordinates))
        weights = np.exp(odds - odds.max())
        weights /= weights.sum()
        effective = 1.0 / float(weights @ weights)
        if effective < FEWEST_EFFECTIVE:
            return effective, {}
        found = {}
        for metric, losses in self.losses.items():
            mean = float(weights @ losses)
            apart = (losses - mean) ** 2
            variance = float(weights @ apart) + count * float(weights**2 @ apart)
            found[metric] = (mean, variance)
        return effective, found


def _points(rows: Predictions, chosen: tuple[Coordinate, ...]) -> Floats:
    """Coordinates of inputs, and the score with its square, [n, covariates]."""
    score = score_of(rows.probabilities)
    parts = [*(one.of(rows.features) for one in chosen), score, score**2]
    return np.stack(parts, axis=1)


def _log_odds(source: Floats, target: Floats) -> Floats:
    """How much more each row of `source` looks like one of `target`, as a logarithm, [m]; by Newton's steps."""
    mean, deviation = source.mean(axis=0), source.std(axis=0)
    scale = np.where(deviation > _CLOSE, deviation, np.inf)
    rows = (np.concatenate([source, target]) - mean) / scale
    rows = np.concatenate([np.ones((len(rows), 1)), rows], axis=1)
    truth = np.repeat([0.0, 1.0], [len(source), len(target)])
    penalty = np.full(rows.shape[1], RIDGE)
    penalty[0] = _CLOSE
    found = np.zeros(rows.shape[1])
    found[0] = math.log(len(target) / len(source))
    for _ in range(_STEPS):
        share = 1.0 / (1.0 + np.exp(-np.clip(rows @ found, -30.0, 30.0)))
        slope = rows.T @ (truth - share) - penalty * found
        curve = (rows * (share * (1.0 - share))[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        found += step
        if float(np.abs(step).max()) < _CLOSE:
            break
    odds: Floats = rows[: len(source)] @ found
    return odds
