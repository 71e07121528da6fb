"""Metrics of probabilities, with intervals by a bootstrap over blocks of rows (days), the independent unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVEL: Final = 0.9
RESAMPLES: Final = 1_000
#: Bins of the pooled scores' ranks under resampling: an error below 1e-3, without a sort per resample.
RANKS: Final = 1_024
CALIBRATION_BINS: Final = 20
#: A softmax in float32 may round to 0, whose logarithm no mean survives.
SMALLEST: Final = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Averages over labelled rows. All but `auc` are better when smaller.

    brier              half the squared distance of the probabilities to the truth, so 0 to 1; for two classes, (p - y)²
    log_loss           nats, probabilities kept at least 1e-7
    error              share of rows whose likeliest class is wrong
    calibration_error  expected calibration error of the last class's probability over 20 bins of equal mass
    auc                area under the ROC curve of the last class's probability; None unless two classes are present
    """

    rows: int
    brier: float
    log_loss: float
    error: float
    calibration_error: float
    auc: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceInterval:
    """An interval; of a percentile bootstrap at `LEVEL` unless stated otherwise."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resamples:
    """A block bootstrap: each row's `block` [n], and how often each draw has each block, `draws` [draws, blocks]."""

    block: NDArray[np.int64]
    draws: Floats

    @classmethod
    def of(cls, blocks: NDArray[np.int64], rng: np.random.Generator) -> Resamples:
        """As many blocks per draw as there are; `blocks` [n], n > 0, is each row's block."""
        names, block = np.unique(blocks, return_inverse=True)
        draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES).astype(np.float64)
        return cls(block=block, draws=draws)

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return int(self.draws.shape[1])

    def means(self, values: Floats) -> Floats:
        """The mean of `values` [n] in every draw, [draws]."""
        rows = self.draws @ np.bincount(self.block, minlength=self.blocks)
        means: Floats = self.draws @ np.bincount(self.block, weights=values, minlength=self.blocks) / rows
        return means

    def areas(self, scores: Floats, positive: NDArray[np.bool_]) -> Floats:
        """The area under the curve in every draw, [draws], from rank histograms; NaN for a draw with one class."""
        _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
        first = np.cumsum(counts) - counts
        cell = self.block * RANKS + first[place] * RANKS // len(scores)  # equal scores share a bin
        size = self.blocks * RANKS
        ups = self.draws @ np.bincount(cell[positive], minlength=size).reshape(-1, RANKS)
        downs = self.draws @ np.bincount(cell[~positive], minlength=size).reshape(-1, RANKS)
        won = (ups * (np.cumsum(downs, axis=1) - downs / 2)).sum(axis=1)
        pairs = ups.sum(axis=1) * downs.sum(axis=1)
        areas: Floats = np.divide(won, pairs, out=np.full(len(self.draws), np.nan), where=pairs > 0)
        return areas


def measure(probabilities: Floats, targets: NDArray[np.int64]) -> Metrics:
    """Metrics of labelled predictions.

    >>> measure(np.array([[0.8, 0.2], [0.4, 0.6]]), np.array([0, 1])).brier
    0.1
    """
    losses = row_losses(probabilities, targets)
    return Metrics(
        rows=len(targets),
        brier=float(losses["brier"].mean()),
        log_loss=float(losses["log_loss"].mean()),
        error=float(losses["error"].mean()),
        calibration_error=calibration_error(probabilities[:, -1], targets == probabilities.shape[1] - 1),
        auc=area_under_curve(probabilities[:, 1], targets == 1) if probabilities.shape[1] == 2 else None,
    )


def row_losses(probabilities: Floats, targets: NDArray[np.int64]) -> dict[str, Floats]:
    """Each row's Brier score, error and log loss, [n] each, from probabilities [n, classes] and class indices [n]."""
    chosen = probabilities[np.arange(len(targets)), targets]
    truth = np.eye(probabilities.shape[1])[targets]
    return {
        "brier": ((probabilities - truth) ** 2).sum(axis=1) / 2,
        "error": (probabilities.argmax(axis=1) != targets).astype(np.float64),
        "log_loss": -np.log(np.maximum(chosen, SMALLEST)),
    }


def calibration_error(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Mean absolute gap between score and observed rate over bins of equal mass (Naeini et al., AAAI 2015)."""
    order = np.argsort(scores, kind="stable")
    gaps = [
        abs(float(scores[part].sum() - positive[part].sum()))
        for part in np.array_split(order, min(CALIBRATION_BINS, len(order)))
    ]
    return sum(gaps) / len(scores)


def area_under_curve(scores: Floats, positive: NDArray[np.bool_]) -> float | None:
    """The probability that a positive row scores above a negative one, ties counted half.

    Returns:
        The area under the ROC curve; None unless there are rows of both kinds.

    >>> area_under_curve(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
    0.875
    """
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return None
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[place][positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def intervals(
    probabilities: Floats, targets: NDArray[np.int64], blocks: NDArray[np.int64], rng: np.random.Generator
) -> dict[str, ConfidenceInterval]:
    """Percentile bootstrap intervals over blocks [n], for Brier score, log loss, error and, with two classes, AUC."""
    resamples = Resamples.of(blocks, rng)
    bounds = {name: interval(resamples.means(losses)) for name, losses in row_losses(probabilities, targets).items()}
    if probabilities.shape[1] == 2 and len(np.unique(targets)) == 2:
        bounds["auc"] = interval(resamples.areas(probabilities[:, 1], targets == 1))
    return bounds


def interval(values: Floats, level: float = LEVEL) -> ConfidenceInterval:
    """The central interval of drawn values at a level; NaN are left out."""
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return ConfidenceInterval(low=float(low), high=float(high))
