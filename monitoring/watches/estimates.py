"""Estimated performance: losses without labels, by calibrated confidence (CBPE) and thresholded confidence (ATC).

`surprise` compares realised losses with the model's own probabilities. An estimate replaces the realised losses while
there are no labels, and uses probabilities calibrated on the baseline's labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.tasks.row_operations import row_choices, row_maxima, row_sums
from monitoring.watches.scoring import fixed_point_sum

Floats = NDArray[np.float64]

#: What precedes the metric in a watch's name. Such watches are in the page level while the estimate is trusted,
#: otherwise in the notice level (`monitoring.watches.trust`).
PREFIX = "estimated_"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedLoss:
    """One estimated loss: each row's expectation, in [0, 1], and its variance, both float64 [n]."""

    losses: Floats
    variances: Floats

    def at(self, rows: NDArray[np.bool_]) -> ExpectedLoss:
        """Those of some rows, [n]."""
        return ExpectedLoss(losses=self.losses[rows], variances=self.variances[rows])


def calibrated_confidence(probabilities: Floats, calibrated: Floats) -> dict[str, ExpectedLoss]:
    """Expected losses of each row if labels were drawn by the calibrated probabilities.

    This is confidence-based performance estimation (CBPE): the error of a prediction k is 1 - q_k, the expected Brier
    score Σ_j q_j |p - e_j|²/2. It reflects changes in the distribution of the probabilities alone: where calibration no
    longer holds, the estimate is wrong. Source: Bialek et al., *Estimating model performance under covariate shift
    without labels* (2024).

    Args:
        probabilities: The model's probabilities, [n, classes].
        calibrated: Calibrated probabilities, [n, classes].

    >>> found = calibrated_confidence(np.array([[0.2, 0.8]]), np.array([[0.4, 0.6]]))
    >>> {name: [round(float(v[0]), 4) for v in (one.losses, one.variances)] for name, one in found.items()}
    {'error': [0.4, 0.24], 'brier': [0.28, 0.0864]}
    """
    chosen = row_choices(probabilities)
    if probabilities.shape[1] == 2:
        wrong = 1.0 - np.where(chosen == 1, calibrated[:, 1], calibrated[:, 0])
    else:
        wrong = 1.0 - calibrated[np.arange(chosen.size), chosen]
    return {
        "error": ExpectedLoss(losses=wrong, variances=wrong * (1.0 - wrong)),
        "brier": expected_brier(probabilities, calibrated),
    }


def expected_brier(probabilities: Floats, calibrated: Floats) -> ExpectedLoss:
    """The Brier score of `calibrated_confidence`, from arguments [n, classes]."""
    squared = probabilities**2
    losses = row_sums(squared)  # in place from here on, as are the variances
    squared *= calibrated
    variances = row_sums(squared)
    hit = row_sums(calibrated * probabilities)
    variances -= hit**2
    hit *= 2.0
    losses -= hit
    losses += 1.0
    losses /= 2.0
    return ExpectedLoss(
        losses=np.clip(losses, 0.0, 1.0, out=losses), variances=np.maximum(variances, 0.0, out=variances)
    )


def confusion(probabilities: Floats, calibrated: Floats) -> Floats:
    """The expected confusion matrix. Returns shares of all rows, [predicted class, true class]; zeros without rows.

    Args:
        probabilities: The model's probabilities, [n, classes].
        calibrated: Calibrated probabilities, [n, classes].

    >>> confusion(np.array([[0.2, 0.8], [0.9, 0.1]]), np.array([[0.4, 0.6], [1.0, 0.0]])).tolist()
    [[0.5, 0.0], [0.2, 0.3]]
    """
    predicted = np.eye(probabilities.shape[1])[probabilities.argmax(axis=1)]
    matrix: Floats = predicted.T @ calibrated / max(probabilities.shape[0], 1)
    return matrix


def confidence_threshold(probabilities: Floats, labels: NDArray[np.int64]) -> float:
    """The confidence below which there are as many labelled rows as the model got wrong (ATC on max p).

    Source: Garg et al., *Leveraging unlabeled data to predict out-of-distribution performance* (ICLR 2022).

    Args:
        probabilities: [n, classes].
        labels: Class indices, [n].

    Returns:
        The threshold; infinite if every row is wrong.

    >>> confidence_threshold(np.array([[0.4, 0.6], [0.3, 0.7], [0.2, 0.8], [0.1, 0.9]]), np.array([1, 0, 1, 1]))
    0.7
    """
    confidence = np.sort(probabilities.max(axis=1))
    wrong = int((probabilities.argmax(axis=1) != labels).sum())
    return float(confidence[wrong]) if wrong < confidence.size else float("inf")


def thresholded_confidence(probabilities: Floats, threshold: float) -> ExpectedLoss:
    """The error as the share of rows with confidence below the threshold (ATC).

    Args:
        probabilities: [n, classes].

    Returns:
        1 for rows below the threshold, otherwise 0; each with the variance of a row with that share.

    >>> thresholded_confidence(np.array([[0.4, 0.6], [0.1, 0.9]]), 0.7).losses.tolist()
    [1.0, 0.0]
    """
    below = (row_maxima(probabilities) < threshold).astype(np.float64)
    share = float(below.mean()) if below.size else 0.0
    return ExpectedLoss(losses=below, variances=np.full(below.size, share * (1.0 - share)))


def expected_sums(
    expected: Mapping[str, ExpectedLoss], metrics: tuple[str, ...], *, power: int = 1
) -> NDArray[np.int64]:
    """Sums of expected losses to a power and of their variances in fixed point, int64 [metrics, 2]."""
    sums = []
    for metric in metrics:
        losses = expected[metric].losses
        sums.append(
            (fixed_point_sum(losses if power == 1 else losses**power), fixed_point_sum(expected[metric].variances))
        )
    return np.array(sums)
