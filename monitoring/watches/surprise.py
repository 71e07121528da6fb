"""Loss minus the loss that the model itself expected: a rise says that the model is wrong, not the traffic harder."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from monitoring.records import Watch
from monitoring.watches import performance
from monitoring.watches.scoring import row_maxima, row_sums

# Differences of two losses lie in [-1, 1]; the score is (difference + 1) / 2.
WATCHES = tuple(
    Watch(name=f"surprise_{loss.name}", family="surprise", level="page", needs_label=True, scale=2.0, offset=-1.0)
    for loss in performance.WATCHES
)


def expected(
    probabilities: NDArray[np.float64], confidence: NDArray[np.float64] | None = None
) -> dict[str, NDArray[np.float64]]:
    """The losses that the model expects of itself, each [n]: 1 - max p (`confidence`, if known), and (1 - Σp²)/2.

    >>> {k: v.tolist() for k, v in expected(np.array([[0.5, 0.5], [1.0, 0.0]])).items()}
    {'error': [0.5, 0.0], 'brier': [0.25, 0.0]}
    """
    return {
        "error": 1.0 - (row_maxima(probabilities) if confidence is None else confidence),
        "brier": (1.0 - row_sums(probabilities**2)) / 2.0,
    }


def scores(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Surprises of labelled predictions as scores in [0, 1], each [n]; 1/2 is no surprise."""
    return surprises(performance.scores(probabilities, labels), expected(probabilities))


def surprises(
    losses: Mapping[str, NDArray[np.float64]], difficulty: Mapping[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    """The scores from losses and what was expected of them."""
    return {f"surprise_{name}": (loss - difficulty[name] + 1.0) / 2.0 for name, loss in losses.items()}
