"""How good probabilities are, with intervals that know that days, not rows, are the independent unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEVEL: Final = 0.9
RESAMPLES: Final = 1_000
BINS: Final = 256  # of the scores' ranks, for AUC under resampling
CALIBRATION_BINS: Final = 20
SMALLEST: Final = 1e-7  # float32 softmax may round to 0, whose logarithm no sum survives


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Averages over labelled rows. All but `auc` are better when smaller.

    brier              half the squared distance of the probabilities to the truth, so 0 to 1; for two classes, (p - y)²
    log_loss           nats
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
class Interval:
    """A percentile bootstrap interval that covers at `LEVEL`."""

    low: float
    high: float


def measure(probabilities: Floats, targets: NDArray[np.int64]) -> Metrics:
    """Metrics of probabilities [n, classes] against class positions [n]; every row needs its label.

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
        auc=_auc(probabilities[:, 1], targets == 1) if probabilities.shape[1] == 2 else None,
    )


def row_losses(probabilities: Floats, targets: NDArray[np.int64]) -> dict[str, Floats]:
    """Each row's Brier score, log-loss and error, shape [n] each."""
    chosen = probabilities[np.arange(len(targets)), targets]
    truth = np.eye(probabilities.shape[1])[targets]
    return {
        "brier": ((probabilities - truth) ** 2).sum(axis=1) / 2,
        "log_loss": -np.log(np.maximum(chosen, SMALLEST)),
        "error": (probabilities.argmax(axis=1) != targets).astype(np.float64),
    }


def calibration_error(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Mean absolute gap between score and observed rate over bins of equal mass (Naeini et al., AAAI 2015)."""
    order = np.argsort(scores, kind="stable")
    gaps = [
        abs(float(scores[part].sum() - positive[part].sum()))
        for part in np.array_split(order, min(CALIBRATION_BINS, len(order)))
    ]
    return sum(gaps) / len(scores)


def intervals(
    probabilities: Floats, targets: NDArray[np.int64], blocks: NDArray[np.int64], rng: np.random.Generator
) -> dict[str, Interval]:
    """Percentile bootstrap over whole blocks of days, for Brier, log-loss, error and (two classes) AUC."""
    names, block = np.unique(blocks, return_inverse=True)
    draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES).astype(np.float64)
    rows = draws @ np.bincount(block, minlength=len(names))
    found = {}
    for name, losses in row_losses(probabilities, targets).items():
        found[name] = _interval(draws @ np.bincount(block, weights=losses, minlength=len(names)) / rows)
    if probabilities.shape[1] == 2:
        found["auc"] = _interval(_resampled_auc(probabilities[:, 1], targets == 1, block, draws))
    return found


def _interval(values: Floats) -> Interval:
    low, high = np.nanquantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(low=float(low), high=float(high))


def _auc(scores: Floats, positive: NDArray[np.bool_]) -> float | None:
    """Probability that a positive row scores above a negative one, ties counted half."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if positives == 0 or negatives == 0:
        return None
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[place][positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _resampled_auc(scores: Floats, positive: NDArray[np.bool_], block: NDArray[np.int64], draws: Floats) -> Floats:
    """AUC of every resample from one histogram of score ranks per block; binning costs less than 1e-3."""
    ranks = np.argsort(np.argsort(scores, kind="stable"), kind="stable")
    cell = block * BINS + ranks * BINS // len(scores)
    size = draws.shape[1] * BINS
    up = draws @ np.bincount(cell[positive], minlength=size).reshape(-1, BINS)
    down = draws @ np.bincount(cell[~positive], minlength=size).reshape(-1, BINS)
    below = np.cumsum(down, axis=1) - down / 2
    pairs = up.sum(axis=1) * down.sum(axis=1)
    areas: Floats = np.divide((up * below).sum(axis=1), pairs, out=np.full(len(draws), np.nan), where=pairs > 0)
    return areas
