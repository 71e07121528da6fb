"""Surprise: realised loss minus the loss that the model's own probabilities predict. A rise means miscalibration.

A loss rises when the traffic gets harder or when the model gets worse. If traffic gets harder and the model's
probabilities show it, the expected loss rises too and surprise does not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from monitoring.records import Watch
from monitoring.watches import performance
from monitoring.watches.scoring import row_maxima, row_sums

# Differences of two losses are in [-1, 1]; the score is (difference + 1) / 2.
WATCHES = tuple(
    Watch(name=f"surprise_{loss.name}", family="surprise", level="page", needs_label=True, scale=2.0, offset=-1.0)
    for loss in performance.WATCHES
)


def expected_losses(
    probabilities: NDArray[np.float64], confidence: NDArray[np.float64] | None = None
) -> dict[str, NDArray[np.float64]]:
    """The losses expected if labels were drawn by the model's probabilities: 1 - max p, and (1 - Σp²)/2.

    Args:
        probabilities: [n, classes].
        confidence: Each row's largest probability, if known already.

    Returns:
        Expected losses, [n], by metric.

    >>> {k: v.tolist() for k, v in expected_losses(np.array([[0.5, 0.5], [1.0, 0.0]])).items()}
    {'error': [0.5, 0.0], 'brier': [0.25, 0.0]}
    """
    return {
        "error": 1.0 - (row_maxima(probabilities) if confidence is None else confidence),
        "brier": (1.0 - row_sums(probabilities**2)) / 2.0,
    }


def scores(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Surprises of labelled predictions as scores.

    Args:
        probabilities: [n, classes].
        labels: Class indices, [n].

    Returns:
        Scores in [0, 1], [n], by the name of their watch; 1/2 where realised and expected loss are equal.

    >>> {k: v.tolist() for k, v in scores(np.array([[0.5, 0.5]]), np.array([1])).items()}
    {'surprise_error': [0.75], 'surprise_brier': [0.5]}
    """
    return surprises(performance.scores(probabilities, labels), expected_losses(probabilities))


def surprises(
    realised: Mapping[str, NDArray[np.float64]], expected: Mapping[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    """The scores, [n] by the name of their watch, from realised and expected losses, [n] by metric."""
    return {f"surprise_{name}": (loss - expected[name] + 1.0) / 2.0 for name, loss in realised.items()}
